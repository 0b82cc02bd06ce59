public import JailModel
public import JailSystem

/// Removes trees that a step made, of any depth and whatever rights it took away.
///
/// Nobody else may write in the tree meanwhile. Links are removed, never followed; mounts are never crossed.
public enum TreeRemover {
    /// How many levels are open at once; what is deeper is moved up first.
    private static let levels = 200

    /// Removes a name with everything below it; that it is absent is fine.
    ///
    /// - Throws: EBUSY where something is mounted in the tree; what was removed until then is gone. EPERM or EACCES for
    ///   what is another user's.
    public static func remove(_ name: ByteString, at directory: Int32) throws(SystemError) {
        guard let status = try Files.statusIfPresent(name, at: directory) else { return }
        guard status.kind == .directory else { return try Files.remove(name, at: directory) }
        try open(name, status, at: directory)
        let top = try enter(name, at: directory)
        var counter = 0
        // ORDER: what was too deep lies at the top afterwards, so that the top is listed until nothing is left.
        while true {
            let names = try Files.names(top.rawValue)
            if names.isEmpty { break }
            for name in names { try remove(name, at: top.rawValue, top: top.rawValue, depth: 1, &counter) }
        }
        try Files.remove(name, isDirectory: true, at: directory)
    }

    private static func remove(
        _ name: ByteString, at directory: Int32, top: Int32, depth: Int, _ counter: inout Int
    ) throws(SystemError) {
        let status = try Files.status(name, at: directory)
        guard status.kind == .directory else { return try Files.remove(name, at: directory) }
        try open(name, status, at: directory)
        guard depth < levels else { return try moveUp(name, at: directory, to: top, &counter) }
        let inner = try enter(name, at: directory)
        for entry in try Files.names(inner.rawValue) {
            try remove(entry, at: inner.rawValue, top: top, depth: depth + 1, &counter)
        }
        try Files.remove(name, isDirectory: true, at: directory)
    }

    /// Gives us the rights that are needed to list and empty a directory, and to move it.
    private static func open(_ name: ByteString, _ status: FileStatus, at directory: Int32) throws(SystemError) {
        if status.mode & 0o700 == 0o700 || Files.userID != status.uid { return }
        // ORDER: the mode of what is mounted here is not ours to change.
        _ = try enter(name, [.path, .directory, .noFollow], at: directory)
        try Files.setMode(name, 0o700, at: directory)
    }

    private static func enter(
        _ name: ByteString, _ flags: Files.OpenFlags = [.read, .directory, .noFollow], at directory: Int32
    ) throws(SystemError) -> OwnedFD {
        do throws(SystemError) {
            return try Files.open(name, flags, at: directory, resolve: [.beneath, .noSymlinks, .noMounts])
        } catch {
            guard error.errno == ErrorNumber.crossDevice else { throw error }
            throw SystemError(
                "remove", errno: ErrorNumber.busy, subject: name.description, hint: "something is mounted there")
        }
    }

    private static func moveUp(
        _ name: ByteString, at directory: Int32, to top: Int32, _ counter: inout Int
    ) throws(SystemError) {
        while true {
            counter += 1
            do throws(SystemError) {
                return try Files.rename(name, at: directory, to: ByteString(".deep-\(counter)"), at: top)
            } catch {
                guard error.errno == ErrorNumber.exists else { throw error }
            }
        }
    }
}
