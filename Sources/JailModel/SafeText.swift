/// Makes text from an untrusted source safe to print, in one place.
///
/// Guarantee E and row P8 of the escape list: a file name or a denied host must not steer a terminal, a log viewer
/// or a browser.
public enum SafeText {
    /// Escapes control characters, bidirectional and invisible formatting, and bytes that are not UTF-8.
    public static func escape(_ bytes: some Collection<UInt8>) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) {
            return String(decoding: bytes, as: UTF8.self)
        }
        var out = ""
        var decoder = UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        parsing: while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let encoded):
                append(UTF8.decode(encoded), to: &out)
            case .error(let length):
                _ = length
                out += "\u{fffd}"
            case .emptyInput:
                break parsing
            }
        }
        return out
    }

    /// Escapes a string in the same way.
    public static func escape(_ string: String) -> String { escape(string.utf8) }

    private static func append(_ scalar: Unicode.Scalar, to out: inout String) {
        switch scalar {
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case "\\": out += "\\\\"
        default:
            if isUnsafe(scalar) {
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
    }

    /// Whether a scalar can change how the text around it is shown.
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0: true
        case 0x00ad, 0x061c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        case 0xfff9...0xfffb, 0xe0000...0xe007f: true
        default: false
        }
    }
}
