internal import JailDigest
public import JailModel
public import JailSystem

/// What a private copy was when the step began: the inode and the ctime of each object, by directory and name.
///
/// What has both unchanged was not written, whatever times the step forged: utimensat(2) cannot set a ctime.
public struct CopyBaseline: Sendable, Hashable {
    /// One object of the copy.
    public struct Mark: Sendable, Hashable {
        public var inode: UInt64
        /// Nanoseconds since 1970.
        public var changed: Int64

        /// Whether this is still the same object, unchanged.
        func isOf(_ status: FileStatus) -> Bool { inode == status.inode && changed == status.changed }
    }

    private var directories: [ByteString: [ByteString: Mark]]

    init(directories: [ByteString: [ByteString: Mark]]) { self.directories = directories }

    /// What a directory of the copy held, by name; the empty path is the top.
    func entries(of directory: ByteString) -> [ByteString: Mark] { directories[directory] ?? [:] }

    /// How many objects the copy had.
    public var count: Int { directories.values.reduce(0) { $0 + $1.count } }

    // MARK: reading a copy

    /// Reads the marks of everything below a directory.
    static func read(_ copy: Int32) throws(SystemError) -> CopyBaseline {
        var directories: [ByteString: [ByteString: Mark]] = [:]
        try read("", copy, depth: 0, into: &directories)
        return CopyBaseline(directories: directories)
    }

    private static func read(
        _ path: ByteString, _ directory: Int32, depth: Int, into out: inout [ByteString: [ByteString: Mark]]
    ) throws(SystemError) {
        var entries: [ByteString: Mark] = [:]
        for name in try Files.names(directory) {
            let status = try Files.status(name, at: directory)
            entries[name] = Mark(inode: status.inode, changed: status.changed)
            guard status.kind == .directory, depth < ChangeScanner.depthLimit else { continue }
            try readInner(path.appending(name), name, status, at: directory, depth: depth + 1, into: &out)
            // A directory that had to be opened to us has another ctime, and that is the one that the step starts from.
            let now = try Files.status(name, at: directory)
            entries[name] = Mark(inode: now.inode, changed: now.changed)
        }
        if !entries.isEmpty { out[path] = entries }
    }

    private static func readInner(
        _ path: ByteString, _ name: ByteString, _ status: FileStatus, at directory: Int32, depth: Int,
        into out: inout [ByteString: [ByteString: Mark]]
    ) throws(SystemError) {
        let folder = try PrivateObject(name, status, at: directory)
        try read(path, folder.descriptor, depth: depth, into: &out)
    }

    // MARK: a file

    /// Writes a new file, so that a transaction that is kept can be judged by another process.
    ///
    /// - Throws: EEXIST when the name is taken.
    public func save(_ name: ByteString, at directory: Int32) throws(SystemError) {
        let file = try Files.open(name, [.write, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        try Files.writeAll(file.rawValue, encoded(), subject: name.description)
        try Files.sync(file.rawValue, subject: name.description)
    }

    /// Reads what ``save(_:at:)`` wrote.
    ///
    /// - Throws: EBADMSG when the file is damaged, cut off or of another version.
    public static func load(_ name: ByteString, at directory: Int32) throws(SystemError) -> CopyBaseline {
        let file = try Files.open(name, [.read, .noFollow], at: directory)
        let bytes = try Files.readAll(file.rawValue, limit: 1 << 31, subject: name.description)
        guard let baseline = CopyBaseline(encoded: bytes) else {
            throw SystemError("read the baseline", errno: ErrorNumber.badMessage, subject: name.description)
        }
        return baseline
    }

    private static let header = Array("launch-jail baseline 1\n".utf8)

    /// Header, directories (path, count, then name, inode and ctime of each entry), SHA-256 of all that.
    ///
    /// Sorted, so that equal baselines are equal bytes. Lengths and numbers are 8 bytes, little-endian.
    func encoded() -> [UInt8] {
        var out = Self.header
        Self.append(UInt64(directories.count), to: &out)
        for (path, entries) in directories.sorted(by: { $0.key < $1.key }) {
            Self.append(path, to: &out)
            Self.append(UInt64(entries.count), to: &out)
            for (name, mark) in entries.sorted(by: { $0.key < $1.key }) {
                Self.append(name, to: &out)
                Self.append(mark.inode, to: &out)
                Self.append(UInt64(bitPattern: mark.changed), to: &out)
            }
        }
        return out + SHA256Value.of(out).bytes
    }

    /// `nil` unless these are the bytes of ``encoded()``.
    init?(encoded bytes: [UInt8]) {
        guard bytes.count >= Self.header.count + 32, bytes.starts(with: Self.header) else { return nil }
        var stream = SHA256Stream()
        stream.update(bytes[..<(bytes.count - 32)])
        guard stream.finish().bytes.elementsEqual(bytes.suffix(32)) else { return nil }
        var rest = bytes[Self.header.count..<(bytes.count - 32)]
        guard let count = Self.number(&rest) else { return nil }
        directories = [:]
        for _ in 0..<count {
            guard let path = Self.text(&rest), let entryCount = Self.number(&rest) else { return nil }
            var entries: [ByteString: Mark] = [:]
            for _ in 0..<entryCount {
                guard let name = Self.text(&rest), let inode = Self.number(&rest), let changed = Self.number(&rest)
                else { return nil }
                entries[name] = Mark(inode: inode, changed: Int64(bitPattern: changed))
            }
            directories[path] = entries
        }
        guard rest.isEmpty else { return nil }
    }

    private static func append(_ number: UInt64, to out: inout [UInt8]) {
        for shift in stride(from: 0, to: 64, by: 8) { out.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }

    private static func append(_ text: ByteString, to out: inout [UInt8]) {
        append(UInt64(text.bytes.count), to: &out)
        out += text.bytes
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        guard rest.count >= 8 else { return nil }
        let value = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        rest = rest.dropFirst(8)
        return value
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> ByteString? {
        guard let length = number(&rest), length <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(length)) }
        return ByteString(rest.prefix(Int(length)))
    }
}
