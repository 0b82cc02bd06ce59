public import JailModel
public import JailSystem

/// A directory tree that is only ever reached below one descriptor, so that nothing that a step planted or another
/// process races can lead out of it.
///
/// Guarantees B and L, escape rows F9 and F24. openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, Linux 5.6.
public struct WorkspaceTree: ~Copyable, Sendable {
    private let root: OwnedFD

    /// Takes over the descriptor of the tree's top.
    public init(taking root: consuming OwnedFD) { self.root = root }

    /// Opens the top of a tree; a last symbolic link is refused.
    public init(_ path: some KernelPath) throws(SystemError) {
        root = try Files.open(path, [.read, .directory, .noFollow])
    }

    /// The descriptor, lent.
    public var descriptor: Int32 { root.rawValue }

    /// Opens a directory of the tree; the empty path is the top.
    ///
    /// - Throws: ELOOP or EXDEV where a symbolic link or a `..` is on the way.
    public func openDirectory(_ path: ArraySlice<UInt8>) throws(SystemError) -> OwnedFD {
        // A path may be longer than the kernel takes in one call (4096 bytes), so it is walked in pieces.
        var rest = path
        var current = try root.duplicate()
        while !rest.isEmpty {
            var piece = rest.prefix(2048)
            if piece.count < rest.count {
                guard let slash = piece.lastIndex(of: Self.slash) else {
                    throw SystemError("open", errno: 36, subject: SafeText.escape(Array(path)))
                }
                piece = piece[..<slash]
            }
            rest = rest[piece.endIndex...].drop { $0 == Self.slash }
            guard let name = ByteString(piece) else { preconditionFailure("a path holds no NUL") }
            current = try Files.open(
                name, [.read, .directory, .noFollow], at: current.rawValue,
                resolve: [.beneath, .noSymlinks, .noMagicLinks])
        }
        return current
    }

    /// Opens the directory that a path lies in, and tells the path's last component.
    public func openParent(of path: ByteString) throws(SystemError) -> WorkspaceEntry {
        let bytes = path.bytes
        guard let slash = bytes.lastIndex(of: Self.slash) else {
            return WorkspaceEntry(directory: try root.duplicate(), name: path)
        }
        guard let name = ByteString(bytes[(slash + 1)...]) else { preconditionFailure("a path holds no NUL") }
        return WorkspaceEntry(directory: try openDirectory(bytes[..<slash]), name: name)
    }

    static let slash = UInt8(ascii: "/")
}

/// A name in an open directory.
public struct WorkspaceEntry: ~Copyable, Sendable {
    public let directory: OwnedFD
    public let name: ByteString
}

extension ByteString {
    /// The path of a name in this directory; the empty path is the top.
    func appending(_ name: ByteString) -> ByteString {
        guard !bytes.isEmpty else { return name }
        guard let path = ByteString(bytes + [WorkspaceTree.slash] + name.bytes) else {
            preconditionFailure("a path holds no NUL")
        }
        return path
    }

    /// Whether this path is `other` or lies below it.
    func isInside(_ other: ByteString) -> Bool {
        guard bytes.starts(with: other.bytes) else { return false }
        return bytes.count == other.bytes.count || other.bytes.isEmpty
            || bytes[other.bytes.count] == WorkspaceTree.slash
    }
}
