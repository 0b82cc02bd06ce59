internal import Glibc
public import JailModel
public import JailSystem

/// The run directory while its run is going on: made by this process, mode 0700, held by descriptor and locked.
///
/// Guarantee E and row P28 of the escape list: a link, FIFO, file or foreign directory in its place is refused,
/// evidence that is already there is never overwritten, and every file is created anew (O_EXCL, O_NOFOLLOW).
public struct RunDirectory: ~Copyable, Sendable {
    /// As the caller named it, without a trailing slash.
    public let path: String
    private let held: Held
    private let isNew: Bool

    /// Makes the directory and those above it, or takes an existing one that is safe to use.
    ///
    /// On an error nothing that this call made in it is left behind.
    public init(creating path: String) throws(LedgerError) {
        let path = try Self.cleaned(path)
        let isNew = try Self.make(path)
        held = try Self.hold(path, isNew: isNew)
        self.isNew = isNew
        self.path = path
    }

    /// The descriptor of the directory, for calls that need one.
    public var descriptor: Int32 { held.directory.rawValue }

    /// The directory's path from the root, as the kernel knows it; the plan keeps it out of the jail.
    public func resolvedPath() throws(LedgerError) -> ByteString {
        do {
            return try Files.readLink("/proc/self/fd/\(held.directory.rawValue)")
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Creates a file for appending, mode 0600; it must not exist.
    public func create(_ file: RunFile) throws(LedgerError) -> OwnedFD {
        do {
            return try open(file.name, in: file.directory)
        } catch {
            throw LedgerError(error, path: "\(path)/\(file.path)")
        }
    }

    /// Writes a whole file.
    ///
    /// report.json appears under its name only when it is complete: its presence means that the run is finished.
    public func write(_ bytes: [UInt8], to file: RunFile) throws(LedgerError) {
        do {
            if file == .report {
                try writeReport(bytes)
            } else {
                let output = try open(file.name, in: file.directory)
                try Files.writeAll(output.rawValue, bytes)
                try output.close(file.path)
            }
        } catch {
            throw LedgerError(error, path: "\(path)/\(file.path)")
        }
    }

    /// Removes the directory again when nothing of it is worth keeping: the step was refused before it started.
    public consuming func discard() {
        for name in ["stdout.log", "stderr.log", "events.ndjson", RunLock.name] {
            try? Files.remove(name, at: held.directory.rawValue)
        }
        if isNew { try? Files.remove(path, isDirectory: true) }
    }

    // MARK: inside

    private func writeReport(_ bytes: [UInt8]) throws(SystemError) {
        let name = RunFile.report.name
        let temporary = "\(name).new"
        let output = try open(temporary, in: nil)
        do {
            try Files.writeAll(output.rawValue, bytes)
            try output.close(name)
            let fd = held.directory.rawValue
            // SAFETY: both names are constants without NUL that outlive the call.
            try retrying("name", on: name) { unsafe renameat(fd, temporary, fd, name) }
        } catch {
            try? Files.remove(temporary, at: held.directory.rawValue)
            throw error
        }
    }

    private func open(_ name: String, in folder: String?) throws(SystemError) -> OwnedFD {
        let flags: Files.OpenFlags = [.write, .append, .create, .exclusive, .noFollow]
        guard let folder else { return try Files.open(name, flags, mode: 0o600, at: held.directory.rawValue) }
        do {
            try Files.makeDirectory(folder, at: held.directory.rawValue)
        } catch  where error.errno == EEXIST {
            // Made for an earlier file; what it is, the next line checks.
        }
        let inner = try Files.open(folder, [.read, .directory, .noFollow], at: held.directory.rawValue)
        return try Files.open(name, flags, mode: 0o600, at: inner.rawValue)
    }
}

// MARK: making it

extension RunDirectory {
    private static func cleaned(_ path: String) throws(LedgerError) -> String {
        guard !path.utf8.contains(0) else { throw LedgerError(.unusablePath("a path holds no NUL byte"), path: path) }
        var bytes = Array(path.utf8)
        // A trailing slash would make the kernel follow a link in the last place.
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let text = String(decoding: bytes, as: UTF8.self)
        let last = text.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !last.isEmpty, last != ".", last != ".." else {
            throw LedgerError(.unusablePath("a run directory needs a name of its own"), path: path)
        }
        return text
    }

    /// Makes the directory and, when they are missing, those above it; `false` when something is already there.
    private static func make(_ path: String) throws(LedgerError) -> Bool {
        do {
            do {
                try Files.makeDirectory(path)
            } catch  where error.errno == ENOENT {
                try makeParents(path)
                try Files.makeDirectory(path)
            }
            return true
        } catch {
            if error.errno == EEXIST { return false }
            throw LedgerError(error, path: path)
        }
    }

    private static func makeParents(_ path: String) throws(SystemError) {
        let bytes = Array(path.utf8)
        for index in bytes.indices.dropFirst() where bytes[index] == UInt8(ascii: "/") {
            do {
                try Files.makeDirectory(String(decoding: bytes[..<index], as: UTF8.self))
            } catch  where error.errno == EEXIST {
                continue
            }
        }
    }

    /// The two descriptors that make the directory this process's own.
    fileprivate struct Held: ~Copyable, Sendable {
        let directory: OwnedFD
        let lock: OwnedFD
    }

    private static func hold(_ path: String, isNew: Bool) throws(LedgerError) -> Held {
        do throws(LedgerError) {
            let directory = try open(path, isNew: isNew)
            let lock = try lock(directory.rawValue, path)
            return Held(directory: directory, lock: lock)
        } catch {
            if isNew { try? Files.remove(path, isDirectory: true) }
            throw error
        }
    }

    private static func lock(_ directory: Int32, _ path: String) throws(LedgerError) -> OwnedFD {
        do {
            return try RunLock.take(in: directory)
        } catch {
            if error.errno == EEXIST { throw LedgerError(.evidencePresent("a lock"), path: path) }
            throw LedgerError(error, path: path)
        }
    }

    private static func open(_ path: String, isNew: Bool) throws(LedgerError) -> OwnedFD {
        do {
            if !isNew { try refuseOtherKinds(path) }
            let directory = try Files.open(path, [.read, .directory, .noFollow])
            try check(directory.rawValue, path, isNew: isNew)
            return directory
        } catch let error as LedgerError {
            throw error
        } catch let error as SystemError {
            throw LedgerError(error, path: path)
        } catch {
            throw LedgerError(.unusablePath("it cannot be opened"), path: path)
        }
    }

    private static func refuseOtherKinds(_ path: String) throws {
        let what: String? =
            switch try Files.status(path).kind {
            case .directory: nil
            case .file: "a file"
            case .link: "a symbolic link"
            case .fifo: "a FIFO"
            case .socket: "a socket"
            case .characterDevice, .blockDevice: "a device"
            }
        if let what { throw LedgerError(.occupied(by: what), path: path) }
    }

    /// Owner, mode and contents of the directory that was opened, not of the path.
    private static func check(_ directory: Int32, _ path: String, isNew: Bool) throws {
        let status = try Files.status(directory)
        guard status.uid == geteuid() else { throw LedgerError(.foreignOwner(status.uid), path: path) }
        let names = try Files.names(directory).map(\.description)
        let evidence = [RunFile.report.name, RunFile.events.name, RunLock.name]
        if let found = evidence.first(where: names.contains) {
            throw LedgerError(.evidencePresent(found), path: path)
        }
        guard status.mode & 0o777 != 0o700 else { return }
        // A shared directory such as /tmp must not be closed to others, so only an empty, plain one is changed.
        guard isNew || (names.isEmpty && status.mode & 0o7000 == 0 && status.mode & 0o022 == 0) else {
            throw LedgerError(.tooOpen(mode: status.mode), path: path)
        }
        try retrying("change the mode of", on: path) { fchmod(directory, 0o700) }
    }
}
