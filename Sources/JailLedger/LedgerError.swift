public import JailModel
internal import JailSystem

/// Why evidence could not be written or read, and what the user can do about it.
public struct LedgerError: Error, Sendable, Hashable {
    public enum Cause: Sendable, Hashable {
        /// Something that is no directory stands where the run directory should be.
        case occupied(by: String)
        /// The directory already holds evidence, which is never overwritten.
        case evidencePresent(String)
        case foreignOwner(UInt32)
        /// Others may read or change what is in it.
        case tooOpen(mode: UInt32)
        case unusablePath(String)
        /// Neither XDG_STATE_HOME nor HOME tells where runs are kept.
        case noStateDirectory
        case notFound
        /// A directory, but not one of a run.
        case notARun
        /// A prefix that several runs have.
        case ambiguous([String])
        /// An event used a key that the chain needs.
        case reservedKey(String)
        /// The kernel refused.
        case system(operation: String, errno: Int32)
    }

    public let cause: Cause
    /// The path or the reference that the error is about, as the user wrote it.
    public let path: String

    public init(_ cause: Cause, path: String) {
        self.cause = cause
        self.path = path
    }

    init(_ error: SystemError, path: String) {
        self.init(.system(operation: error.operation, errno: error.errno), path: path)
    }
}

extension LedgerError: CustomStringConvertible {
    /// The cause in one line, safe to print.
    public var message: String {
        let name = SafeText.escape(path)
        switch cause {
        case .occupied(let what): return "\(name): \(what) stands there, where the run directory should be"
        case .evidencePresent(let file): return "\(name): it already holds \(SafeText.escape(file)) of another run"
        case .foreignOwner(let uid): return "\(name): it belongs to uid \(uid)"
        case .tooOpen(let mode): return "\(name): others may use it (mode 0\(String(mode, radix: 8)))"
        case .unusablePath(let why): return "\(name): \(why)"
        case .noStateDirectory: return "neither XDG_STATE_HOME nor HOME is an absolute path"
        case .notFound: return "\(name): there is no such run"
        case .notARun: return "\(name): this is not a run directory"
        case .ambiguous(let names):
            let shown = names.prefix(5).map { SafeText.escape($0) }.joined(separator: ", ")
            return "\(name): \(names.count) runs start so: \(shown)\(names.count > 5 ? ", …" : "")"
        case .reservedKey(let key): return "\(name): an event may not use the key \(SafeText.escape(key))"
        case .system(let operation, let errno):
            return "\(name): cannot \(operation): \(Errno.text(errno)) (\(Errno.name(errno)))"
        }
    }

    /// What to do about it in one sentence; empty where nothing is known.
    public var hint: String {
        switch cause {
        case .occupied, .evidencePresent, .foreignOwner, .unusablePath:
            "name a new directory with --run-dir"
        case .tooOpen: "name a new or an empty directory, or give it mode 0700"
        case .noStateDirectory: "set HOME, or name a directory with --run-dir"
        case .notFound, .notARun: "`launch-jail runs` lists the runs of this machine"
        case .ambiguous: "give more of the id"
        case .reservedKey: ""
        case .system(_, let errno): Self.hint(errno)
        }
    }

    /// Exit 2 for what the user named, exit 5 for what stops launch-jail from keeping evidence.
    public var verdict: Verdict {
        switch cause {
        case .reservedKey: .internal
        case .system(_, let errno): Self.isChoice(errno) ? .invalid : .internal
        default: .invalid
        }
    }

    public var description: String { hint.isEmpty ? message : "\(message); \(hint)" }

    private static func hint(_ errno: Int32) -> String {
        switch Errno.name(errno) {
        case "ENOSPC", "EDQUOT": "free some space, or name a directory on another disk with --run-dir"
        case "EROFS", "EACCES", "EPERM": "name a directory that you may write with --run-dir"
        case "ENAMETOOLONG", "ENOTDIR", "ELOOP", "ENOENT": "name another directory with --run-dir"
        case "EMFILE", "ENFILE": "raise the limit of open files (`ulimit -n`)"
        case "EIO": "the disk under the run directory is failing"
        default: ""
        }
    }

    private static func isChoice(_ errno: Int32) -> Bool {
        ["EROFS", "EACCES", "EPERM", "ENAMETOOLONG", "ENOTDIR", "ELOOP", "ENOENT", "EEXIST"].contains(Errno.name(errno))
    }
}
