internal import Glibc

extension Files {
    /// The number of this process.
    public static var processID: Int32 { getpid() }

    /// The effective user of this process.
    public static var userID: UInt32 { geteuid() }

    /// Whether a process with this number exists.
    ///
    /// kill(2) with signal 0; a process of another user counts.
    public static func isAlive(_ pid: Int32) -> Bool { pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) }

    /// Changes the owner of a path, not of what a last link points to.
    ///
    /// fchownat(2).
    public static func changeOwner(
        _ path: some KernelPath, uid: UInt32, gid: UInt32, at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        try retrying("change the owner of", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe fchownat(directory, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Locks an open directory shared or for oneself, without waiting; `false` when another holder is in the way.
    ///
    /// flock(2).
    public static func lock(_ fd: Int32, isExclusive: Bool) -> Bool {
        while flock(fd, (isExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }

    /// Makes a directory and those above it, mode 0700; existing ones are fine.
    public static func makeDirectories(_ path: String) throws(SystemError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for count in parts.indices.dropFirst() {
            let prefix = parts[...count].joined(separator: "/")
            do throws(SystemError) {
                try makeDirectory(prefix)
            } catch {
                guard error.errno == EEXIST else { throw error }
            }
        }
    }

    /// Removes a tree without following a link out of it, one directory open for each level, at most 200 deep.
    public static func removeTree(_ path: some KernelPath, at directory: Int32 = currentDirectory) throws(SystemError) {
        try removeTree(path, at: directory, depth: 0)
    }

    private static func removeTree(
        _ path: some KernelPath, at directory: Int32, depth: Int
    ) throws(SystemError) {
        guard depth < 200 else { throw SystemError("remove", errno: ELOOP, subject: path.forMessage) }
        guard try status(path, at: directory).kind == .directory else {
            try remove(path, at: directory)
            return
        }
        let inner = try open(path, [.read, .directory, .noFollow], at: directory)
        for name in try names(inner.rawValue) { try removeTree(name, at: inner.rawValue, depth: depth + 1) }
        try remove(path, isDirectory: true, at: directory)
    }
}
