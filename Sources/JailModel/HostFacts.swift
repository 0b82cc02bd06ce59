/// How much of the jail this host can build (launch-core.md, section 5).
public enum Tier: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Every namespace, a fresh /proc, Landlock, seccomp.
    case t1 = "T1"
    /// As T1, but the kernel refuses a fresh /proc (masked /proc in a container): the outer one is shown.
    case t2 = "T2"
    /// No user namespace: Landlock and seccomp only.
    case t3 = "T3"
    /// seccomp only.
    case t4 = "T4"

    /// Ordered by strength: T4 < T3 < T2 < T1.
    public static func < (lhs: Tier, rhs: Tier) -> Bool { lhs.rawValue > rhs.rawValue }
}

/// Which cgroup controllers launch-jail may use here, and through which interface.
public enum CgroupAccess: Sendable, Hashable {
    case none
    /// Directories under which a child group may be made, by controller: `memory`, `pids`, `cpuacct`.
    case v1([String: String])
    /// A delegated v2 directory and the controllers enabled for its children.
    case v2(directory: String, controllers: Set<String>)
}

/// What one path of the host is, without following a last symbolic link.
public struct PathFact: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case directory, file, other
        /// A symbolic link and its text.
        case link(String)
        case absent
    }
    public let kind: Kind
    public let device: UInt64
    public let inode: UInt64
    public let uid: UInt32
    public let gid: UInt32
    public let mode: UInt32

    public init(kind: Kind, device: UInt64 = 0, inode: UInt64 = 0, uid: UInt32 = 0, gid: UInt32 = 0, mode: UInt32 = 0) {
        self.kind = kind
        self.device = device
        self.inode = inode
        self.uid = uid
        self.gid = gid
        self.mode = mode
    }

    public static let absent = PathFact(kind: .absent)
}

/// What this host is and can do: read once a run by `JailSystem`, so that planning is a pure function.
public struct HostFacts: Sendable, Hashable {
    public var kernel: String
    public var arch: String
    public var tier: Tier
    /// 0 when Landlock is absent or off.
    public var landlockABI: Int
    /// Whether seccomp user notification can be had (an outer runtime may own it).
    public var hasSeccompListener: Bool
    public var cgroup: CgroupAccess
    /// Whether perf's software task clock may be opened on the command: CPU time of the whole tree, not evadable.
    public var hasTaskClock: Bool
    /// The user that started launch-jail.
    public var uid: UInt32
    public var gid: UInt32
    /// The user that the command becomes: never host uid 0.
    public var target: TargetUser
    /// One entry for each path that the plan asks about, and each component above it that is a symbolic link.
    public var paths: [String: PathFact]

    public init(
        kernel: String, arch: String, tier: Tier, landlockABI: Int, hasSeccompListener: Bool, cgroup: CgroupAccess,
        hasTaskClock: Bool, uid: UInt32, gid: UInt32, target: TargetUser, paths: [String: PathFact]
    ) {
        self.kernel = kernel
        self.arch = arch
        self.tier = tier
        self.landlockABI = landlockABI
        self.hasSeccompListener = hasSeccompListener
        self.cgroup = cgroup
        self.hasTaskClock = hasTaskClock
        self.uid = uid
        self.gid = gid
        self.target = target
        self.paths = paths
    }
}

/// Who the command is, inside the jail and on the host.
public struct TargetUser: Sendable, Hashable {
    /// The ids that the command sees.
    public var insideUID: UInt32
    public var insideGID: UInt32
    /// The ids that the kernel checks against host files.
    public var outsideUID: UInt32
    public var outsideGID: UInt32
    public var name: String
    public var home: String

    public init(
        insideUID: UInt32, insideGID: UInt32, outsideUID: UInt32, outsideGID: UInt32, name: String, home: String
    ) {
        self.insideUID = insideUID
        self.insideGID = insideGID
        self.outsideUID = outsideUID
        self.outsideGID = outsideGID
        self.name = name
        self.home = home
    }

    /// Whether files of the workspace need an id-mapped mount to belong to this user.
    public var isMapped: Bool { insideUID != outsideUID }
}
