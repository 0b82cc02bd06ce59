internal import Glibc
internal import JailSystem

/// The lock that a running launch-jail holds on its run directory: flock(2), which the kernel drops when it dies.
enum RunLock {
    static let name = "lock"
    private static let unlocked = "lock.new"

    /// Makes the lock file and takes the lock, in such an order that nobody sees the file without the lock.
    static func take(in directory: Int32) throws(SystemError) -> OwnedFD {
        let file = try Files.open(
            unlocked, [.write, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        do {
            try retrying("lock", on: unlocked) { flock(file.rawValue, LOCK_EX | LOCK_NB) }
            // ORDER: renamed only when locked, or a reader would take a run that starts for one that was killed.
            // SAFETY: both names are literals without NUL that outlive the call.
            try retrying("name", on: name) { unsafe renameat(directory, unlocked, directory, name) }
        } catch {
            try? Files.remove(unlocked, at: directory)
            throw error
        }
        return file
    }

    /// Whether the launch-jail that made a run directory is still alive.
    static func isHeld(in directory: Int32) -> Bool {
        guard let file = try? Files.open(name, [.read, .noFollow, .nonBlocking], at: directory),
            let status = try? Files.status(file.rawValue), status.kind == .file
        else { return false }
        return flock(file.rawValue, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
