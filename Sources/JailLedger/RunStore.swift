internal import Glibc
internal import JailModel
internal import JailSystem

/// How far a run came.
public enum RunState: String, Sendable, Hashable, CaseIterable {
    /// It has a report.
    case finished
    /// It has none, and its launch-jail is gone.
    case interrupted
    /// Its launch-jail is at work.
    case running
}

/// A run that was found.
public struct RunEntry: Sendable, Hashable {
    /// The name of its directory, which is its id unless `--run-dir` chose another.
    public let name: String
    public let path: String
    /// When it was created: by its id, or by the lock file where the id does not tell.
    public let created: WallTime
    public let state: RunState
}

/// The runs of this machine, one directory each.
public struct RunStore: Sendable {
    /// The directory that holds them; it need not exist.
    public let root: String

    public init(root: String) { self.root = root }

    /// `$XDG_STATE_HOME/launch-jail/runs`, or `$HOME/.local/state/launch-jail/runs`.
    ///
    /// A value that is not an absolute path does not count, as the XDG specification wants it.
    public static func standard(_ environment: [String: String]) throws(LedgerError) -> RunStore {
        func absolute(_ name: String) -> String? {
            guard let value = environment[name], value.utf8.first == UInt8(ascii: "/"), !value.utf8.contains(0) else {
                return nil
            }
            return value
        }
        if let state = absolute("XDG_STATE_HOME") { return RunStore(root: state + "/launch-jail/runs") }
        if let home = absolute("HOME") { return RunStore(root: home + "/.local/state/launch-jail/runs") }
        throw LedgerError(.noStateDirectory, path: "")
    }

    /// Where a new run is kept.
    public func path(for id: RunID) -> String { root + "/" + id.text }

    /// The runs, newest first; none when the directory does not exist.
    ///
    /// Links, files, directories of other users and directories that are no run are left out.
    public func runs() throws(LedgerError) -> [RunEntry] {
        let names: [ByteString]
        do throws(SystemError) {
            let directory = try Files.open(root, [.read, .directory])
            names = try Files.names(directory.rawValue)
        } catch {
            if error.errno == ENOENT { return [] }
            throw LedgerError(error, path: root)
        }
        var found: [(entry: RunEntry, lockTime: Int64)] = []
        for name in names.compactMap(\.string) {
            if let run = try? Self.inspect("\(root)/\(name)", name: name, mayBeLink: false) { found.append(run) }
        }
        // Two runs of one second are told apart by when their locks were made.
        return found.sorted { lhs, rhs in
            (lhs.entry.created.seconds, lhs.lockTime, lhs.entry.name)
                > (rhs.entry.created.seconds, rhs.lockTime, rhs.entry.name)
        }.map(\.entry)
    }

    /// The run that a user means: an id, a unique prefix of one, the path of a run directory, or `latest`.
    public func resolve(_ reference: String) throws(LedgerError) -> RunEntry {
        guard !reference.isEmpty, !reference.utf8.contains(0) else { throw LedgerError(.notFound, path: reference) }
        if reference.utf8.contains(UInt8(ascii: "/")) || reference == "." {
            return try Self.inspect(reference, name: Self.lastComponent(reference), mayBeLink: true).entry
        }
        let runs = try runs()
        if reference == "latest" {
            guard let newest = runs.first else { throw LedgerError(.notFound, path: reference) }
            return newest
        }
        if let exact = runs.first(where: { $0.name == reference }) { return exact }
        let matches = runs.filter { $0.name.utf8.starts(with: reference.utf8) }
        if matches.count > 1 { throw LedgerError(.ambiguous(matches.map(\.name)), path: reference) }
        if let match = matches.first { return match }
        return try Self.inspect(reference, name: reference, mayBeLink: true).entry
    }

    /// Reads one file of a run; a link or a FIFO in its place is refused.
    ///
    /// - Throws: EFBIG when it holds more than `limit` bytes.
    public func read(_ file: RunFile, of run: RunEntry, limit: Int = 1 << 30) throws(LedgerError) -> [UInt8] {
        let path = "\(run.path)/\(file.path)"
        do throws(SystemError) {
            let input = try Files.open(path, [.read, .noFollow, .nonBlocking])
            guard try Files.status(input.rawValue).kind == .file else {
                throw SystemError("read what is no plain file", errno: EINVAL, subject: path)
            }
            return try Files.readAll(input.rawValue, limit: limit, subject: path)
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Reads one file of a run; `nil` when the run did not leave it.
    public func readIfPresent(_ file: RunFile, of run: RunEntry) throws(LedgerError) -> [UInt8]? {
        guard let present = try? Files.statusIfPresent("\(run.path)/\(file.path)"), present.kind == .file else {
            return nil
        }
        return try read(file, of: run)
    }

    // MARK: one run

    private static func inspect(
        _ path: String, name: String, mayBeLink: Bool
    ) throws(LedgerError) -> (entry: RunEntry, lockTime: Int64) {
        do {
            let directory = try Files.open(
                path, mayBeLink ? [.read, .directory] : [.read, .directory, .noFollow])
            let fd = directory.rawValue
            guard try Files.status(fd).uid == geteuid() || mayBeLink else { throw LedgerError(.notARun, path: path) }
            func isFile(_ name: String) throws(SystemError) -> FileStatus? {
                guard let status = try Files.statusIfPresent(name, at: fd), status.kind == .file else { return nil }
                return status
            }
            let report = try isFile(RunFile.report.name)
            let lock = try isFile(RunLock.name)
            let events = try isFile(RunFile.events.name)
            guard let witness = lock ?? events ?? report else { throw LedgerError(.notARun, path: path) }
            let created =
                RunID(name)?.time
                ?? WallTime(
                    seconds: witness.modified / 1_000_000_000,
                    microseconds: Int32(max(0, witness.modified % 1_000_000_000) / 1000))
            let state: RunState = report != nil ? .finished : RunLock.isHeld(in: fd) ? .running : .interrupted
            return (RunEntry(name: name, path: path, created: created, state: state), witness.modified)
        } catch let error as LedgerError {
            throw error
        } catch let error as SystemError {
            let isAbsent = error.errno == ENOENT || error.errno == ENOTDIR
            throw isAbsent ? LedgerError(.notFound, path: path) : LedgerError(error, path: path)
        } catch {
            throw LedgerError(.notARun, path: path)
        }
    }

    private static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
