/// A string of bytes as the kernel knows it: an argument, a path, an environment entry.
///
/// It holds no NUL byte, and nothing is said about its encoding: a path that is not UTF-8 survives unchanged.
/// `description` is for people and escapes what a terminal or a report could take as an instruction.
public struct ByteString: Hashable, Sendable, Comparable {
    /// The bytes, without a terminating NUL.
    public let bytes: [UInt8]

    /// Takes bytes as they are; `nil` when one of them is NUL, which no kernel interface can carry.
    public init?(_ bytes: some Sequence<UInt8>) {
        let copy = Array(bytes)
        guard !copy.contains(0) else { return nil }
        self.bytes = copy
    }

    /// Takes the UTF-8 form of a string up to its first NUL.
    public init(_ string: String) {
        self.bytes = Array(string.utf8.prefix { $0 != 0 })
    }

    /// The string, when the bytes are valid UTF-8.
    public var string: String? { String(validating: bytes, as: UTF8.self) }

    public static func < (lhs: ByteString, rhs: ByteString) -> Bool {
        lhs.bytes.lexicographicallyPrecedes(rhs.bytes)
    }
}

extension ByteString: ExpressibleByStringLiteral {
    public init(stringLiteral value: StringLiteralType) { self.init(value) }
}

extension ByteString: CustomStringConvertible {
    /// The text with control, bidirectional and invalid bytes escaped (`\n`, `\u{202e}`, `%ff`): safe to print.
    public var description: String { SafeText.escape(bytes) }
}
