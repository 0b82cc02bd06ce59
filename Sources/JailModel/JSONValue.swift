/// A JSON value with one byte form: keys sorted by bytes, no insignificant space, RFC 8259.
///
/// Reports, events and digests depend on equal values giving equal bytes, so numbers are integers or decimals with a
/// fixed number of places; binary floating point never reaches the text.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// `units` times ten to the power of minus `places`; written with exactly `places` digits after the point.
    case decimal(units: Int64, places: Int)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// A duration in seconds with microseconds, as `usage.wall_s` has it.
    public static func seconds(_ duration: Duration) -> JSONValue {
        let parts = duration.components
        return .decimal(units: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000, places: 6)
    }

    /// A list of strings.
    public static func strings(_ values: some Sequence<String>) -> JSONValue { .array(values.map { .string($0) }) }

    /// The value of a key, when this is an object that has it.
    public subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
    public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
    /// How the text is laid out; both forms sort keys.
    public enum Layout: Sendable { case compact, indented }

    /// The bytes of this value.
    ///
    /// `asciiOnly` escapes every scalar above 0x7f, as the compatible event hash wants it.
    public func encoded(_ layout: Layout = .compact, asciiOnly: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        encode(into: &bytes, layout, asciiOnly: asciiOnly)
        return bytes
    }

    /// Appends the bytes of this value, for a writer that keeps its buffer.
    public func encode(into bytes: inout [UInt8], _ layout: Layout = .compact, asciiOnly: Bool = false) {
        var writer = JSONWriter(layout: layout, asciiOnly: asciiOnly)
        swap(&writer.bytes, &bytes)
        writer.write(self, depth: 0)
        swap(&writer.bytes, &bytes)
    }
}

private struct JSONWriter {
    let layout: JSONValue.Layout
    let asciiOnly: Bool
    var bytes: [UInt8] = []

    init(layout: JSONValue.Layout, asciiOnly: Bool) {
        self.layout = layout
        self.asciiOnly = asciiOnly
    }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .decimal(let units, let places): write(units: units, places: places)
        case .string(let text): write(text)
        case .array(let elements):
            writeList(open: "[", close: "]", count: elements.count, depth: depth) { writer, index in
                writer.write(elements[index], depth: depth + 1)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            writeList(open: "{", close: "}", count: sorted.count, depth: depth) { writer, index in
                writer.write(sorted[index].key)
                writer.bytes.append(UInt8(ascii: ":"))
                if writer.layout == .indented { writer.bytes.append(UInt8(ascii: " ")) }
                writer.write(sorted[index].value, depth: depth + 1)
            }
        }
    }

    private mutating func writeList(
        open: Unicode.Scalar, close: Unicode.Scalar, count: Int, depth: Int,
        element: (inout JSONWriter, Int) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for index in 0..<count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            newline(depth: depth + 1)
            element(&self, index)
        }
        if count > 0 { newline(depth: depth) }
        bytes.append(UInt8(ascii: close))
    }

    private mutating func newline(depth: Int) {
        guard layout == .indented else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: depth * 2)
    }

    private mutating func write(units: Int64, places: Int) {
        let digits = String(units.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        var text = units < 0 ? "-" : ""
        text += padded.dropLast(places)
        if places > 0 { text += "." + padded.suffix(places) }
        bytes += Array(text.utf8)
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            bytes.append(contentsOf: text.utf8)
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": bytes += Array("\\\"".utf8)
            case "\\": bytes += Array("\\\\".utf8)
            case "\n": bytes += Array("\\n".utf8)
            case "\r": bytes += Array("\\r".utf8)
            case "\t": bytes += Array("\\t".utf8)
            case "\u{8}": bytes += Array("\\b".utf8)
            case "\u{c}": bytes += Array("\\f".utf8)
            default:
                if scalar.value < 0x20 || (asciiOnly && scalar.value > 0x7e) {
                    for unit in String(scalar).utf16 { escape(unit) }
                } else {
                    bytes += Array(String(scalar).utf8)
                }
            }
        }
    }

    private mutating func escape(_ unit: UInt16) {
        let hex = String(unit, radix: 16)
        bytes += Array(("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).utf8)
    }
}
