/// The name of a run: letters, digits, `_`, `.`, `:` and `-`, so that it is a file name, a JSON string and a URL part
/// without escaping.
public struct RunID: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    /// Takes such a name of at most 128 bytes; `latest`, which means a choice, is none.
    public init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 128, text != ".", text != "..", text != "latest",
            text.utf8.allSatisfy(Self.isAllowed)
        else { return nil }
        self.text = text
    }

    /// `YYYYMMDDThhmmssZ-<8 hex>`: sorts by time, and two runs of one second do not meet.
    public static func make(at time: WallTime, random: UInt32) -> RunID {
        var bytes: [UInt8] = []
        time.appendCompact(to: &bytes, separator: "T")
        bytes.append(contentsOf: "Z-".utf8)
        bytes.appendHex([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: random >> UInt32($0)) })
        return RunID(trusted: String(decoding: bytes, as: UTF8.self))
    }

    /// A new name for a run that starts now, by getrandom(2).
    public static func fresh() -> RunID { make(at: .now(), random: .random(in: .min ... .max)) }

    /// When the run was created, when the name says so.
    public var time: WallTime? {
        let bytes = Array(text.utf8)
        guard bytes.count == 25, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        return WallTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    public var description: String { text }

    private init(trusted text: String) { self.text = text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
