/// A value read from a JSON text, for looking into reports.
///
/// Written apart from the reader in `JailModel`, so that a mistake there cannot hide itself.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// The member of an object; `null` where there is none, so that chains need no unwrapping.
    public subscript(key: String) -> JSON {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    /// The element of an array; `null` where there is none.
    public subscript(index: Int) -> JSON {
        guard case .array(let items) = self, items.indices.contains(index) else { return .null }
        return items[index]
    }

    /// The elements of an array, none for anything else.
    public var items: [JSON] {
        guard case .array(let items) = self else { return [] }
        return items
    }

    /// The members of an object, none for anything else.
    public var members: [String: JSON] {
        guard case .object(let members) = self else { return [:] }
        return members
    }

    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    public var number: Double? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    public var int: Int? {
        guard let number, number == number.rounded(), abs(number) < 9e15 else { return nil }
        return Int(number)
    }

    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    public var isNull: Bool { self == .null }
}

/// Why a text is not JSON, and where.
public struct JSONSyntaxError: Error, CustomStringConvertible {
    public let message: String
    public let offset: Int
    public var description: String { "not JSON at byte \(offset): \(message)" }
}

extension JSON {
    /// Reads exactly one value; anything after it is an error, as are duplicate keys.
    public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var reader = JSONTextReader(bytes: bytes)
        self = try reader.readDocument()
    }

    public init(parsing text: String) throws(JSONSyntaxError) { try self.init(parsing: Array(text.utf8)) }
}

private struct JSONTextReader {
    let bytes: [UInt8]
    var at = 0

    mutating func readDocument() throws(JSONSyntaxError) -> JSON {
        let value = try readValue(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw error("text after the value") }
        return value
    }

    private func error(_ message: String) -> JSONSyntaxError { JSONSyntaxError(message: message, offset: at) }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    private mutating func take(_ expected: UInt8) -> Bool {
        guard next == expected else { return false }
        at += 1
        return true
    }

    private mutating func take(word: StaticString, as value: JSON) throws(JSONSyntaxError) -> JSON {
        for byte in Array("\(word)".utf8) where !take(byte) { throw error("unknown word") }
        return value
    }

    private mutating func readValue(depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth < 100 else { throw error("nested too deep") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try readObject(depth: depth)
        case UInt8(ascii: "["): return try readArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try take(word: "true", as: .bool(true))
        case UInt8(ascii: "f"): return try take(word: "false", as: .bool(false))
        case UInt8(ascii: "n"): return try take(word: "null", as: .null)
        default: return try readNumber()
        }
    }

    private mutating func readObject(depth: Int) throws(JSONSyntaxError) -> JSON {
        at += 1
        var members: [String: JSON] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a key must be a string") }
            let key = try readString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("':' expected") }
            guard members.updateValue(try readValue(depth: depth + 1), forKey: key) == nil else {
                throw error("duplicate key \(key)")
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("'}' expected") }
        return .object(members)
    }

    private mutating func readArray(depth: Int) throws(JSONSyntaxError) -> JSON {
        at += 1
        var items: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        repeat {
            items.append(try readValue(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("']' expected") }
        return .array(items)
    }

    private mutating func readNumber() throws(JSONSyntaxError) -> JSON {
        let start = at
        while let byte = next, "+-.eE0123456789".utf8.contains(byte) { at += 1 }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)) else {
            throw error("a value expected")
        }
        return .number(value)
    }

    private mutating func readString() throws(JSONSyntaxError) -> String {
        at += 1
        var units: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw error("not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try readEscape(into: &units)
            case 0..<0x20: throw error("a control character in a string")
            default: units.append(byte)
            }
        }
        throw error("the string does not end")
    }

    private mutating func readEscape(into units: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = next else { throw error("the string does not end") }
        at += 1
        let plain: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 0x08,
            UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
        ]
        if let value = plain[byte] {
            units.append(value)
            return
        }
        guard byte == UInt8(ascii: "u") else { throw error("unknown escape") }
        var code = try readHex()
        if (0xd800..<0xdc00).contains(code) {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("half a surrogate pair") }
            let low = try readHex()
            guard (0xdc00..<0xe000).contains(low) else { throw error("half a surrogate pair") }
            code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
        units.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func readHex() throws(JSONSyntaxError) -> UInt32 {
        guard at + 4 <= bytes.count, let value = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits expected") }
        at += 4
        return value
    }
}
