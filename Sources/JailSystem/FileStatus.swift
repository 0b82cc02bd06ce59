internal import CJail
internal import Glibc
public import JailModel

/// What a file is: the fields of stat(2) that a supervisor decides on.
public struct FileStatus: Sendable, Hashable {
    public enum Kind: Sendable, Hashable { case directory, file, link, fifo, socket, characterDevice, blockDevice }

    public let kind: Kind
    public let device: UInt64
    public let inode: UInt64
    public let uid: UInt32
    public let gid: UInt32
    /// The permission bits with set-id and sticky (07777), without the file type.
    public let mode: UInt32
    /// Bytes.
    public let size: UInt64
    /// Bytes that the file occupies on disk.
    public let allocated: UInt64
    public let links: UInt64
    /// The number of a device node (`st_rdev`); 0 for everything else, and for the whiteout of an overlay layer.
    public let deviceNumber: UInt32
    /// Nanoseconds since 1970.
    public let modified: Int64

    /// Nanoseconds since 1970.
    public let changed: Int64

    init(_ raw: cj_status) {
        kind =
            switch raw.mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .file
            }
        device = raw.device
        inode = raw.inode
        uid = raw.uid
        gid = raw.gid
        mode = raw.mode & 0o7777
        size = raw.size
        allocated = raw.allocated
        links = raw.links
        deviceNumber = raw.device_number
        modified = raw.modified
        changed = raw.changed
    }

    /// Whether two names are one file.
    public func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

/// How full a file system is, and which one it is.
public struct FilesystemStatus: Sendable, Hashable {
    /// The magic number of statfs(2).
    public let type: UInt64
    public let size: ByteCount
    public let used: ByteCount
    public let inodesUsed: UInt64

    public static let tmpfs: UInt64 = 0x0102_1994
    public static let overlay: UInt64 = 0x794c_7630
    public static let cgroup2: UInt64 = 0x6367_7270
    public static let proc: UInt64 = 0x9fa0
    public static let nfs: UInt64 = 0x6969
}

extension Files {
    /// The status of an open file.
    ///
    /// fstat(2).
    public static func status(_ fd: Int32) throws(SystemError) -> FileStatus {
        try status("", at: fd)
    }

    /// The status of a path; of a last symbolic link itself unless `followingLinks`.
    ///
    /// fstatat(2).
    public static func status(
        _ path: some KernelPath, at directory: Int32 = currentDirectory, followingLinks: Bool = false
    ) throws(SystemError) -> FileStatus {
        var raw = cj_status()
        try retrying("read the status of", on: path.forMessage) {
            // SAFETY: both pointers outlive the call.
            unsafe path.withCString { unsafe cj_status(directory, $0, followingLinks ? 1 : 0, &raw) }
        }
        return FileStatus(raw)
    }

    /// The status of a path, `nil` when nothing is there (ENOENT, ENOTDIR).
    public static func statusIfPresent(
        _ path: some KernelPath, at directory: Int32 = currentDirectory, followingLinks: Bool = false
    ) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try status(path, at: directory, followingLinks: followingLinks)
        } catch {
            guard error.errno == ENOENT || error.errno == ENOTDIR else { throw error }
            return nil
        }
    }

    /// The file system that an open file lives on.
    ///
    /// fstatfs(2).
    public static func filesystem(_ fd: Int32) throws(SystemError) -> FilesystemStatus {
        var raw = cj_filesystem()
        // SAFETY: `raw` is alive and exclusively borrowed for the call.
        try retrying("read the file system of a descriptor") { unsafe cj_filesystem(fd, &raw) }
        let used = raw.blocks - min(raw.blocks, raw.blocks_free)
        return FilesystemStatus(
            type: raw.type, size: ByteCount(raw.blocks &* raw.block_size), used: ByteCount(used &* raw.block_size),
            inodesUsed: raw.files - min(raw.files, raw.files_free))
    }
}
