internal import CJail
internal import Glibc
internal import JailModel

/// What happens when the target of a rename exists.
public enum RenameMode: Sendable, Hashable {
    /// It is replaced.
    case replace
    /// The call fails with EEXIST (RENAME_NOREPLACE).
    case noReplace
    /// The two change places in one step (RENAME_EXCHANGE).
    case exchange
}

extension Files {
    /// Renames within one mount.
    ///
    /// renameat2(2), Linux 3.15; EXDEV across mounts.
    public static func rename(
        _ from: some KernelPath, at fromDirectory: Int32, to: some KernelPath, at toDirectory: Int32,
        _ mode: RenameMode = .noReplace
    ) throws(SystemError) {
        try retrying("rename", on: to.forMessage) {
            // SAFETY: both paths outlive the call.
            unsafe from.withCString { old in
                unsafe to.withCString { new in
                    switch mode {
                    case .replace: unsafe cj_rename(fromDirectory, old, toDirectory, new)
                    case .noReplace: unsafe cj_rename_noreplace(fromDirectory, old, toDirectory, new)
                    case .exchange: unsafe cj_rename_exchange(fromDirectory, old, toDirectory, new)
                    }
                }
            }
        }
    }

    /// Gives a file a second name; a last symbolic link is linked itself.
    ///
    /// linkat(2).
    public static func link(
        _ from: some KernelPath, at fromDirectory: Int32, to: some KernelPath, at toDirectory: Int32
    ) throws(SystemError) {
        try retrying("link", on: to.forMessage) {
            // SAFETY: both paths outlive the call.
            unsafe from.withCString { old in
                unsafe to.withCString { unsafe cj_link(fromDirectory, old, toDirectory, $0) }
            }
        }
    }

    /// Makes a symbolic link with this text.
    ///
    /// symlinkat(2).
    public static func makeLink(
        _ text: some KernelPath, named path: some KernelPath, at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        try retrying("make the link", on: path.forMessage) {
            // SAFETY: both strings outlive the call.
            unsafe text.withCString { content in
                unsafe path.withCString { unsafe cj_symlink(content, directory, $0) }
            }
        }
    }

    /// Makes the mark by which an upper layer of an overlay says that a name of the lower one is gone.
    ///
    /// mknodat(2) of the character device 0:0; unprivileged since Linux 5.8, EPERM before.
    public static func makeWhiteout(_ path: some KernelPath, at directory: Int32) throws(SystemError) {
        try retrying("make the whiteout", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe cj_whiteout(directory, $0) }
        }
    }

    /// Sets the permission bits (07777) of an open file.
    ///
    /// fchmod(2).
    public static func setMode(_ fd: Int32, _ mode: UInt32) throws(SystemError) {
        try retrying("change the mode") { fchmod(fd, mode) }
    }

    /// Sets the permission bits of a path; a symbolic link has none, so one must not stand there.
    ///
    /// fchmodat(2) follows a last link: the caller has looked, in a directory that nobody else writes.
    public static func setMode(_ path: some KernelPath, _ mode: UInt32, at directory: Int32) throws(SystemError) {
        try retrying("change the mode of", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe fchmodat(directory, $0, mode, 0) }
        }
    }

    /// Changes the owner of an open file.
    ///
    /// fchown(2).
    public static func setOwner(_ fd: Int32, uid: UInt32, gid: UInt32) throws(SystemError) {
        try retrying("change the owner") { fchown(fd, uid, gid) }
    }

    /// Sets the modification time of an open file, in nanoseconds since 1970.
    ///
    /// futimens(2).
    public static func setModified(_ fd: Int32, _ nanoseconds: Int64) throws(SystemError) {
        // SAFETY: the empty string is a constant.
        try retrying("set the time of a file") { unsafe cj_set_modified(fd, "", nanoseconds) }
    }

    /// Sets the modification time of a path, of a last symbolic link itself.
    ///
    /// utimensat(2).
    public static func setModified(
        _ path: some KernelPath, _ nanoseconds: Int64, at directory: Int32
    ) throws(SystemError) {
        try retrying("set the time of", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe cj_set_modified(directory, $0, nanoseconds) }
        }
    }

    /// Sets the length of an open file; what is added is a hole.
    ///
    /// ftruncate(2).
    public static func setLength(_ fd: Int32, _ length: UInt64) throws(SystemError) {
        try retrying("set the length of a file") { ftruncate(fd, off_t(clamping: length)) }
    }

    /// Which mount an open file was reached through; `nil` before Linux 5.8.
    ///
    /// statx(2) STATX_MNT_ID.
    public static func mountID(_ fd: Int32) -> UInt64? {
        let found = cj_mount_id(fd)
        return found == 0 ? nil : found
    }

    /// Which mount a name is on, not following a last symbolic link; `nil` before Linux 5.8.
    ///
    /// statx(2) STATX_MNT_ID.
    public static func mountID(_ path: some KernelPath, at directory: Int32) -> UInt64? {
        // SAFETY: the path outlives the call.
        let found = unsafe path.withCString { unsafe cj_mount_id_at(directory, $0) }
        return found == 0 ? nil : found
    }

    /// Waits until an open file's content and metadata are on disk.
    ///
    /// fsync(2).
    public static func sync(_ fd: Int32, subject: @autoclosure () -> String = "") throws(SystemError) {
        try retrying("write to disk", on: subject()) { fsync(fd) }
    }

    /// Waits until everything of the file system that an open file lies on is on disk.
    ///
    /// syncfs(2).
    public static func syncFilesystem(_ fd: Int32) throws(SystemError) {
        try retrying("write a file system to disk") { cj_sync_filesystem(fd) }
    }

    /// The clock that the kernel stamps files with, in nanoseconds since 1970.
    ///
    /// clock_gettime(2) CLOCK_REALTIME_COARSE.
    public static var fileTime: Int64 { cj_file_time_ns() }

    /// Copies the content of one open file to another, which is empty: shared blocks where the file system can, holes
    /// stay holes.
    ///
    /// ioctl_ficlone(2), lseek(2) SEEK_DATA, copy_file_range(2).
    public static func copyContent(from source: Int32, to target: Int32, size: UInt64) throws(SystemError) {
        if size == 0 { return }
        if cj_clone_file(target, source) == 0 { return }
        try setLength(target, size)
        var offset: Int64 = 0
        while offset < Int64(clamping: size) {
            let data = cj_seek_data(source, offset)
            // ENXIO: nothing but a hole up to the end.
            if data < 0, errno == ENXIO { return }
            let start = data < 0 ? offset : data
            let hole = data < 0 ? Int64(clamping: size) : cj_seek_hole(source, start)
            let end = hole < 0 ? Int64(clamping: size) : hole
            try copyRange(from: source, to: target, start, end)
            offset = end
        }
    }

    private static func copyRange(
        from source: Int32, to target: Int32, _ start: Int64, _ end: Int64
    ) throws(SystemError) {
        _ = try retrying("seek") { lseek(source, Int(start), SEEK_SET) }
        _ = try retrying("seek") { lseek(target, Int(start), SEEK_SET) }
        var left = Int(end - start)
        while left > 0 {
            let count = cj_copy_range(source, target, min(left, 1 << 30))
            if count == 0 { return }
            if count > 0 {
                left -= count
                continue
            }
            let code = errno
            if code == EINTR { continue }
            // Between file systems of different kinds the kernel may refuse; then we carry the bytes ourselves.
            guard code == EXDEV || code == EINVAL || code == ENOSYS || code == EOPNOTSUPP || code == EBADF else {
                throw SystemError("copy", errno: code)
            }
            try copyBytes(from: source, to: target, left)
            return
        }
    }

    private static func copyBytes(from source: Int32, to target: Int32, _ length: Int) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: min(length, 1 << 18))
        var left = length
        while left > 0 {
            let count = try read(source, into: &buffer)
            if count == 0 { return }
            var rest = buffer[..<min(count, left)]
            left -= rest.count
            while !rest.isEmpty { rest = rest.dropFirst(try write(target, rest)) }
        }
    }
}
