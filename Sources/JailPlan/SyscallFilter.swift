/// The system calls that the command may not make, as rules that libseccomp compiles (seccomp(2)).
///
/// Default allow below a ceiling: every number up to ``ceiling`` was reviewed, every later one does not exist for the
/// command (ENOSYS). A denial that matters goes to the supervisor, which itemises it; noisy feature probes get a quiet
/// error that programs fall back from. Serves guarantees B, D and J.
public struct SyscallFilter: Sendable, Hashable {
    /// The highest number that was reviewed: file_setattr of Linux 6.17.
    public static let ceiling: UInt32 = 469

    public var rules: [SyscallRule]
    /// Whether denials reach the supervisor.
    public var hasListener: Bool

    public struct SyscallRule: Sendable, Hashable {
        public let name: String
        /// For calls that libseccomp 2.5 has no name for.
        public let number: Int32?
        public let action: Action
        public let conditions: [Condition]
        /// Why; stands in `launch-jail plan`.
        public let group: Group
    }

    public enum Action: Sendable, Hashable {
        case errno(Int32)
        /// The supervisor decides and records; it answers with this error unless the group says otherwise.
        case notify(Int32)
    }

    public struct Condition: Sendable, Hashable {
        public enum Comparison: Sendable, Hashable {
            /// Compares the low 32 bits only: the kernel ignores the rest of an int argument.
            case equals(UInt32)
            case masked(mask: UInt64, value: UInt64)
            case greater(UInt64)
            case notEqual(UInt64)
        }
        public let argument: Int
        public let comparison: Comparison

        public init(argument: Int, comparison: Comparison) {
            self.argument = argument
            self.comparison = comparison
        }
    }

    /// What a rule is for.
    public enum Group: String, Sendable, Hashable {
        case namespaces, mounts, kernel, programs, asyncIO = "async-io", tracing, perf, keyrings, handles, observation
        case terminals, sockets, personality, devices, memoryPolicy = "memory-policy", splice, obsolete
        case privilegeBits = "setuid-bits"
        case egressLog = "egress-log", execLedger = "exec-ledger", memfd
    }
}
