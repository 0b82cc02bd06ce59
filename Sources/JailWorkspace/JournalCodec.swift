internal import JailDigest
internal import JailModel

/// Writes the bytes of a journal file: a magic line, numbers and byte strings with their length, and at the end the
/// SHA-256 of everything before it.
///
/// Nothing is quoted or separated by a byte, so a path may hold any.
struct JournalWriter {
    private(set) var bytes: [UInt8]

    init(_ magic: String) { bytes = Array((magic + "\n").utf8) }

    /// Seven bits a byte, the lowest first.
    mutating func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func put(_ time: Int64) { put(UInt64(bitPattern: time)) }
    mutating func put(_ count: Int) { put(UInt64(count)) }

    mutating func put(_ content: [UInt8]) {
        put(content.count)
        bytes += content
    }

    mutating func put(_ text: ByteString) { put(text.bytes) }
    mutating func put(_ digest: SHA256Value?) { put(digest?.bytes ?? []) }

    mutating func put(_ text: ByteString?) {
        put(text == nil ? UInt64(0) : 1)
        if let text { put(text) }
    }

    mutating func put(_ number: UInt64?) {
        put(number == nil ? UInt64(0) : 1)
        if let number { put(number) }
    }

    mutating func put(_ state: ObjectState?) {
        guard let state else { return put(UInt64(0)) }
        put(UInt64(Self.number(state.kind)))
        put(UInt64(state.mode))
        put(UInt64(state.uid))
        put(UInt64(state.gid))
        put(state.modified)
        put(state.size)
        put(state.digest)
        put(state.attributes)
    }

    /// The finished file.
    consuming func finish() -> [UInt8] {
        let digest = SHA256Value.of(bytes)
        return bytes + digest.bytes
    }

    private static func number(_ kind: ObjectKind) -> Int { (ObjectKind.allCases.firstIndex(of: kind) ?? 0) + 1 }
}

/// Reads what ``JournalWriter`` wrote; anything else is an error, never a trap.
struct JournalReader {
    private let bytes: [UInt8]
    private let end: Int
    private var position: Int
    private let name: String

    /// - Throws: ``PublishError/damaged(_:)`` when the end, the magic or a digest is wrong.
    init(_ bytes: [UInt8], magic: String, name: String) throws(PublishError) {
        let head = Array((magic + "\n").utf8)
        guard bytes.count >= head.count + 32, bytes.starts(with: head),
            Array(bytes[(bytes.count - 32)...]) == SHA256Value.of(bytes[..<(bytes.count - 32)]).bytes
        else { throw .damaged("\(name) is not as it was written") }
        self.bytes = bytes
        self.name = name
        end = bytes.count - 32
        position = head.count
    }

    var isAtEnd: Bool { position == end }

    mutating func number() throws(PublishError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < end else { throw malformed }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw malformed
    }

    mutating func time() throws(PublishError) -> Int64 { Int64(bitPattern: try number()) }

    mutating func word() throws(PublishError) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw malformed }
        return value
    }

    /// A number of things that follow, of which each takes at least one byte.
    mutating func count() throws(PublishError) -> Int {
        guard let value = Int(exactly: try number()), value <= end - position else { throw malformed }
        return value
    }

    mutating func content() throws(PublishError) -> [UInt8] {
        let length = try count()
        defer { position += length }
        return Array(bytes[position..<(position + length)])
    }

    mutating func text() throws(PublishError) -> ByteString {
        guard let text = ByteString(try content()) else { throw malformed }
        return text
    }

    mutating func optionalText() throws(PublishError) -> ByteString? { try flag() ? try text() : nil }
    mutating func optionalNumber() throws(PublishError) -> UInt64? { try flag() ? try number() : nil }

    mutating func flag() throws(PublishError) -> Bool {
        let value = try number()
        guard value < 2 else { throw malformed }
        return value == 1
    }

    mutating func optionalDigest() throws(PublishError) -> SHA256Value? {
        let content = try content()
        if content.isEmpty { return nil }
        guard let digest = SHA256Value(bytes: content) else { throw malformed }
        return digest
    }

    mutating func digest() throws(PublishError) -> SHA256Value {
        guard let digest = try optionalDigest() else { throw malformed }
        return digest
    }

    mutating func state() throws(PublishError) -> ObjectState? {
        let kind = try number()
        if kind == 0 { return nil }
        guard kind <= UInt64(ObjectKind.allCases.count) else { throw malformed }
        return ObjectState(
            kind: ObjectKind.allCases[Int(kind) - 1], mode: try word(), uid: try word(), gid: try word(),
            modified: try time(), size: try number(), digest: try optionalDigest(), attributes: try optionalDigest())
    }

    var malformed: PublishError { .damaged("\(name) does not hold what it should") }
}
