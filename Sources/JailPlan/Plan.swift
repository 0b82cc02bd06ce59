public import JailModel
public import JailPolicy

/// Everything that one launch will do, decided before anything is touched.
///
/// Pure data: equal policy, facts and command give equal plans, byte for byte. `jail-init` replays ``steps`` in order
/// and then the fixed tail; the supervisor enforces ``limits``; the report says what ``enforcement`` claims.
public struct Plan: Sendable, Hashable {
    /// The namespaces that the clone makes.
    public var namespaces: Namespaces
    /// Id maps that the supervisor writes for the new user namespace; `nil` where there is none.
    public var idMap: IDMap?
    /// Trees that only a privileged parent can prepare; they arrive in slots 0, 1, … before the first step.
    public var idmappedTrees: [IDMappedTree]
    public var steps: [PlanStep]
    public var tail: PlanTail
    public var filter: SyscallFilter
    public var limits: LimitPlan
    /// Directories and files that are made in the workspace before the launch so that a mount can hold their place,
    /// and removed after it when nobody filled them.
    ///
    /// Relative to the workspace.
    public var heldPlaces: [HeldPlace]
    public var enforcement: [Guarantee: EnforcementClaim]
    /// What a reader of the report should know, a sentence each.
    public var warnings: [String]
    public var tier: Tier
    /// Whether the command gets a terminal of its own.
    public var hasTerminal: Bool
    /// A directory that the supervisor makes for the step and removes after it, where no private /tmp can be mounted.
    public var temporaryDirectory: AbsolutePath?
    /// Where the step's changes land; `nil` where they go straight to the workspace or nowhere.
    public var layer: WorkspaceLayer?
    /// Directories of the run directory that take what is written below `workspace.scratch`, thrown away after the run.
    public var scratch: [ScratchPlace]
}

/// The namespaces of a launch, by their clone(2) flags.
public struct Namespaces: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let mount = Namespaces(rawValue: 0x0002_0000)
    public static let cgroup = Namespaces(rawValue: 0x0200_0000)
    public static let uts = Namespaces(rawValue: 0x0400_0000)
    public static let ipc = Namespaces(rawValue: 0x0800_0000)
    public static let user = Namespaces(rawValue: 0x1000_0000)
    public static let pid = Namespaces(rawValue: 0x2000_0000)
    public static let network = Namespaces(rawValue: 0x4000_0000)

    static let names: [(Namespaces, String)] = [
        (.user, "user"), (.pid, "pid"), (.mount, "mount"), (.network, "network"), (.ipc, "ipc"), (.uts, "uts"),
        (.cgroup, "cgroup"),
    ]
}

/// One uid and one gid, inside and outside (user_namespaces(7)).
public struct IDMap: Sendable, Hashable {
    public let insideUID: UInt32
    public let outsideUID: UInt32
    public let insideGID: UInt32
    public let outsideGID: UInt32
}

/// A tree of the host that is shown with other ids; `identity` is what the planner saw at its path.
public struct IDMappedTree: Sendable, Hashable {
    public let path: String
    public let identity: FileIdentity
}

/// A place in the workspace that must exist for a mount to protect it.
public struct HeldPlace: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case directory
        /// A file with this content, which whoever reads it takes for "nothing special".
        case file(String)

        var name: String { self == .directory ? "directory" : "file" }
    }
    public let path: [String]
    public let kind: Kind

    public init(path: [String], kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

/// Attributes of a mount, by their mount_setattr(2) bits.
public struct MountAttributes: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: 0x1)
    public static let noSetuid = MountAttributes(rawValue: 0x2)
    public static let noDevices = MountAttributes(rawValue: 0x4)
    public static let noExec = MountAttributes(rawValue: 0x8)

    static let names: [(MountAttributes, String)] = [
        (.readOnly, "ro"), (.noSetuid, "nosuid"), (.noDevices, "nodev"), (.noExec, "noexec"),
    ]

    /// `rw,nosuid,…` as mount(8) writes it.
    public var text: String {
        let words = Self.names.compactMap { contains($0.0) ? $0.1 : nil }
        return (contains(.readOnly) ? words : ["rw"] + words).joined(separator: ",")
    }
}

/// Landlock file rights (landlock(7)), by bit.
public struct FileRights: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let execute = FileRights(rawValue: 1 << 0)
    public static let writeFile = FileRights(rawValue: 1 << 1)
    public static let readFile = FileRights(rawValue: 1 << 2)
    public static let readDirectory = FileRights(rawValue: 1 << 3)
    public static let truncate = FileRights(rawValue: 1 << 14)
    public static let ioctlDevice = FileRights(rawValue: 1 << 15)

    /// Reading files and listing directories.
    public static let read: FileRights = [.readFile, .readDirectory]
    /// Everything a writer needs below a directory: make, remove, rename, truncate.
    ///
    /// Never a device node.
    public static let write = FileRights(
        rawValue: 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 14)
    /// What a rule on a file (not a directory) may hold.
    public static let onFile: FileRights = [.execute, .writeFile, .readFile, .truncate, .ioctlDevice]

    /// Every right that an ABI handles, so that what is not granted is denied.
    public static func handled(abi: Int) -> FileRights {
        var bits: UInt64 = (1 << 13) - 1
        if abi >= 2 { bits |= 1 << 13 }
        if abi >= 3 { bits |= 1 << 14 }
        if abi >= 5 { bits |= 1 << 15 }
        return FileRights(rawValue: bits)
    }

    static let names: [(FileRights, String)] = [
        (.read, "read"), (.write, "write"), (.execute, "execute"), (.ioctlDevice, "ioctl"),
    ]
}

/// A descriptor that init keeps between steps.
public struct Slot: Sendable, Hashable {
    public let index: Int
}

/// A descriptor that init sends to the supervisor.
public enum DescriptorTag: UInt32, Sendable, Hashable { case proc = 1, tmp, shm, home, pty, listener, upper }

/// One system-call sized step of the set-up, replayed by init inside the new namespaces.
public enum PlanStep: Sendable, Hashable {
    case setIDs(uid: UInt32, gid: UInt32)
    case privateMounts
    /// A detached copy of a tree of the host; `identity` is what the supervisor verified.
    case openTree(path: String, slot: Slot, identity: FileIdentity?, optional: Bool)
    case tmpfs(target: String, options: String, attributes: MountAttributes)
    case changeDirectory(String)
    case makeDirectory(String, mode: UInt32)
    case makeFile(String, mode: UInt32)
    case symlink(text: String, path: String)
    case attach(slot: Slot, target: String, attributes: MountAttributes, keepSlot: Bool, optional: Bool)
    case proc(target: String)
    case devpts(target: String, options: String)
    case setAttributes(path: String, set: MountAttributes, recursive: Bool)
    case pivotRoot
    case write(path: String, text: String)
    case loopbackUp
    case hostname(String)
    case sendDescriptor(path: String, tag: DescriptorTag)
    case pty
    case landlockRuleset(files: FileRights, tcp: Bool, scopes: Bool)
    case landlockPath(String, FileRights, optional: Bool)
    case subreaper
    case overlay(target: String, options: String, attributes: MountAttributes)
    case unmount(String)
    case removeDirectory(String)
    /// Fails where the file system of a directory cannot hold an overlay's marks.
    case probeAttribute(String)
}

/// Device and inode: what a path meant when the supervisor looked.
public struct FileIdentity: Sendable, Hashable {
    public let device: UInt64
    public let inode: UInt64
}

/// What the job half needs for its fixed tail.
public struct PlanTail: Sendable, Hashable {
    public var argv: [ByteString]
    public var environment: [ByteString]
    public var executable: String
    public var cwd: String
    public var cwdIdentity: FileIdentity?
    public var umask: UInt32
    public var rlimits: [ResourceLimit]
    public var canaries: [Canary]
    public var usesLandlock: Bool
    public var landlockFlags: UInt32
    public var hasPIDNamespace: Bool
    /// Whether the job half becomes the target user itself: there is no user namespace that did it.
    public var dropsIDs: Bool
    /// Whether CAP_SETPCAP is held, so that securebits and the bounding set can be locked.
    public var locksSecureBits: Bool
    public var uid: UInt32
    public var gid: UInt32
}

/// A limit that setrlimit(2) sets, soft and hard alike.
public struct ResourceLimit: Sendable, Hashable {
    public enum Resource: UInt32, Sendable, Hashable {
        case cpu = 0, fileSize = 1, data = 2, core = 4, processes = 6, openFiles = 7, messageQueues = 12
        case nice = 13, realtimePriority = 14

        var name: String {
            switch self {
            case .cpu: "cpu"
            case .fileSize: "fsize"
            case .data: "data"
            case .core: "core"
            case .processes: "nproc"
            case .openFiles: "nofile"
            case .messageQueues: "msgqueue"
            case .nice: "nice"
            case .realtimePriority: "rtprio"
            }
        }
    }
    public let resource: Resource
    public let value: UInt64
}

/// An operation that must be refused in the finished jail, and the guarantee that it stands for.
public struct Canary: Sendable, Hashable {
    public enum Attempt: Sendable, Hashable {
        case createFile(String)
        case readFile(String)
        case connect
        case mount(String)
        case unshareUser
        case ptraceInit
        case setHostname
        case executableMapping(String)
    }
    public let attempt: Attempt
    public let guarantee: Guarantee

    /// The stable name in reports.
    public var name: String {
        switch attempt {
        case .createFile: "create-outside"
        case .readFile: "read-hidden"
        case .connect: "connect-out"
        case .mount: "mount"
        case .unshareUser: "unshare-user"
        case .ptraceInit: "ptrace-init"
        case .setHostname: "set-hostname"
        case .executableMapping: "execute-written-file"
        }
    }
}

/// What the supervisor enforces and with which meters.
public struct LimitPlan: Sendable, Hashable {
    public var budgets: [BudgetKind: UInt64]
    /// Which limits a cgroup holds.
    public var cgroup: CgroupPlan?
    /// Bytes of the private tmpfs mounts together, which count as memory.
    public var tmpfsBytes: UInt64

    /// The largest single file where no budget names one.
    public static let defaultFileSize = LimitCompiler.defaultFileSize
}

/// Limits written into a control group of this run.
public struct CgroupPlan: Sendable, Hashable {
    public var memory: UInt64?
    public var processes: UInt64?
    public var metersCPU: Bool
    /// `1` or `2`.
    public var version: Int
}
