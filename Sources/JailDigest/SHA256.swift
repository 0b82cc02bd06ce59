import Crypto
public import JailModel

extension SHA256Value {
    /// The digest of bytes (FIPS 180-4).
    public static func of(_ bytes: some Sequence<UInt8>) -> SHA256Value {
        var hasher = SHA256Stream()
        hasher.update(Array(bytes))
        return hasher.finish()
    }
}

/// A digest over bytes that arrive in pieces.
public struct SHA256Stream: Sendable {
    private var hasher = SHA256()

    public init() {}

    /// Adds the next bytes.
    public mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }

    /// Adds the next bytes, a part of a buffer.
    public mutating func update(_ bytes: ArraySlice<UInt8>) { hasher.update(data: bytes) }

    /// Adds the next bytes without copying them.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }

    /// The digest of everything added so far; more may be added afterwards.
    public func finish() -> SHA256Value {
        guard let value = SHA256Value(bytes: Array(hasher.finalize())) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        return value
    }
}
