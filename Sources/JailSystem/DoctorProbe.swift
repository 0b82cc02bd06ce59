internal import CJail

/// A kernel feature that the doctor tries.
///
/// The raw value stands in `doctor --json`.
public enum ProbeName: String, Sendable, Hashable, CaseIterable {
    case userNamespace = "user_namespace"
    case allNamespaces = "all_namespaces"
    case rootNamespaces = "root_namespaces"
    case tmpfs = "tmpfs"
    case mountAPI = "mount_api"
    case pivotRoot = "pivot_root"
    case procMount = "proc_mount"
    case overlay = "overlay"
    case tmpfsXattr = "tmpfs_user_xattr"
    case networkNamespace = "network_namespace"
    case idmappedMount = "idmapped_mount"
    case landlockABI = "landlock_abi"
    case landlockRestrict = "landlock_restrict"
    case seccompFilter = "seccomp_filter"
    case seccompListener = "seccomp_listener"
    case clone3 = "clone3"
    case pidfd = "pidfd"
    case userNamespaceLimit = "user_namespace_limit"
    case memfdSysctl = "memfd_noexec_sysctl"
    case memfdSeal = "memfd_noexec_seal"
    case mdwe = "mdwe"
    case execveCheck = "execve_check"
    case openat2 = "openat2"
    case closeRange = "close_range"
    case taskClock = "task_clock"
    case ptraceSeize = "ptrace_seize"
    case processVMRead = "process_vm_readv"
    case cgroup = "cgroup"

    /// What is tried, in words.
    public var operation: String {
        switch self {
        case .userNamespace: "create a user namespace and map one id"
        case .allNamespaces: "create user, pid, mount, net, ipc, uts and cgroup namespaces in one clone"
        case .rootNamespaces: "create pid, mount, net, ipc, uts and cgroup namespaces without a user namespace (root)"
        case .tmpfs: "mount a tmpfs in a new mount namespace"
        case .mountAPI: "clone a mount tree and make it read-only and noexec as a whole"
        case .pivotRoot: "change the root directory and detach the old one"
        case .procMount: "mount a fresh /proc in a new pid namespace"
        case .overlay: "mount an overlay with user extended attributes"
        case .tmpfsXattr: "set a user extended attribute on a tmpfs"
        case .networkNamespace: "create a network namespace and bring its loopback up"
        case .idmappedMount: "clone a mount with mapped ids (root)"
        case .landlockABI: "ask for the Landlock ABI"
        case .landlockRestrict: "restrict a process with Landlock and have a read refused"
        case .seccompFilter: "load a seccomp filter and have a call refused"
        case .seccompListener: "answer a seccomp notification"
        case .clone3: "clone3 with a pidfd"
        case .pidfd: "signal a process through a pidfd and see its end"
        case .userNamespaceLimit: "forbid nested user namespaces from inside one"
        case .memfdSysctl: "forbid executable memfds in a new pid namespace"
        case .memfdSeal: "create a memfd that can never be executed"
        case .mdwe: "refuse memory that is writable and executable"
        case .execveCheck: "ask whether a file may be executed without executing it"
        case .openat2: "confine a path lookup to a directory"
        case .closeRange: "mark a range of descriptors close-on-exec"
        case .taskClock: "open perf's task clock for a process tree"
        case .ptraceSeize: "attach to an own child"
        case .processVMRead: "read the memory of an own child"
        case .cgroup: "create and remove a child cgroup"
        }
    }

    /// The C probe; `nil` for one that Swift does.
    var kind: cj_probe_kind? {
        switch self {
        case .userNamespace: CJ_PROBE_USER_NAMESPACE
        case .allNamespaces: CJ_PROBE_ALL_NAMESPACES
        case .rootNamespaces: CJ_PROBE_ROOT_NAMESPACES
        case .tmpfs: CJ_PROBE_TMPFS
        case .mountAPI: CJ_PROBE_MOUNT_API
        case .pivotRoot: CJ_PROBE_PIVOT_ROOT
        case .procMount: CJ_PROBE_PROC_MOUNT
        case .overlay: CJ_PROBE_OVERLAY
        case .tmpfsXattr: CJ_PROBE_TMPFS_XATTR
        case .networkNamespace: CJ_PROBE_NETWORK_NAMESPACE
        case .idmappedMount: CJ_PROBE_IDMAPPED_MOUNT
        case .landlockABI: CJ_PROBE_LANDLOCK_ABI
        case .landlockRestrict: CJ_PROBE_LANDLOCK_RESTRICT
        case .seccompFilter: CJ_PROBE_SECCOMP_FILTER
        case .seccompListener: CJ_PROBE_SECCOMP_LISTENER
        case .clone3: CJ_PROBE_CLONE3
        case .pidfd: CJ_PROBE_PIDFD
        case .userNamespaceLimit: CJ_PROBE_USER_NAMESPACE_LIMIT
        case .memfdSysctl: CJ_PROBE_MEMFD_SYSCTL
        case .memfdSeal: CJ_PROBE_MEMFD_SEAL
        case .mdwe: CJ_PROBE_MDWE
        case .execveCheck: CJ_PROBE_EXECVE_CHECK
        case .openat2: CJ_PROBE_OPENAT2
        case .closeRange: CJ_PROBE_CLOSE_RANGE
        case .taskClock: CJ_PROBE_TASK_CLOCK
        case .ptraceSeize: CJ_PROBE_PTRACE_SEIZE
        case .processVMRead: CJ_PROBE_PROCESS_VM_READ
        case .cgroup: nil
        }
    }
}

/// What came of one probe.
public struct ProbeResult: Sendable, Hashable {
    public var name: ProbeName
    /// The error of the call that failed; 0 when the feature works here.
    public var errno: Int32
    /// The call that failed; empty when none did.
    public var step: String
    /// What the feature returned where that matters: the Landlock ABI.
    public var value: Int64

    public init(_ name: ProbeName, errno: Int32 = 0, step: String = "", value: Int64 = 0) {
        self.name = name
        self.errno = errno
        self.step = step
        self.value = value
    }

    /// Whether the feature works here.
    public var isOK: Bool { errno == 0 }
}
