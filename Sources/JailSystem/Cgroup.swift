internal import Glibc
public import JailModel

/// A control group of one jail, removed when its owner goes.
///
/// It accounts for the whole process tree, which rusage and polling cannot (workspace.md, section 8). cgroups(7);
/// guarantee F: `max_memory`, `max_processes`, `max_cpu_s`, level kernel.
public struct Cgroup: ~Copyable, Sendable {
    private let interface: CgroupInterface
    private var isRemoved = false

    /// Makes the group of one jail below the directories that the host grants, after clearing away those of dead runs.
    ///
    /// - Parameters:
    ///   - access: ``HostFacts/cgroup``.
    ///   - runID: Names the group: `launch-jail-RUNID-PID`, with this process's number.
    /// - Returns: `nil` when the host grants none.
    /// - Throws: what the kernel said; nothing is left behind.
    public static func create(under access: CgroupAccess, runID: String) throws(SystemError) -> Cgroup? {
        let name = CgroupName(runID: runID, pid: getpid()).text
        let parents: [String: String]
        switch access {
        case .none: return nil
        case .v1(let directories): parents = directories
        case .v2(let directory, _): parents = ["": directory]
        }
        for parent in Set(parents.values) { CgroupName.removeStale(in: parent) }
        var leaf: SupervisorLeaf?
        if case .v2(let directory, let controllers) = access {
            leaf = try SupervisorLeaf.enable(controllers, in: directory)
        }
        var made: [String] = []
        do throws(SystemError) {
            for parent in Set(parents.values).sorted() {
                try Files.makeDirectory("\(parent)/\(name)", mode: 0o755)
                made.append("\(parent)/\(name)")
            }
        } catch {
            // The first error is told; an empty group that stays is cleared away by the next run.
            for path in made { try? Files.remove(path, isDirectory: true) }
            leaf?.restore()
            throw error
        }
        switch access {
        case .none: return nil
        case .v1(let directories):
            return Cgroup(interface: .v1(directories: directories.mapValues { "\($0)/\(name)" }))
        case .v2(let directory, let controllers):
            return Cgroup(interface: .v2(directory: "\(directory)/\(name)", controllers: controllers, leaf: leaf))
        }
    }

    private init(interface: CgroupInterface) { self.interface = interface }

    /// Short words for a report: `cgroup1:memory`, `cgroup2:pids`.
    public var mechanisms: [String] { interface.mechanisms }

    /// Whether a limit of this kind can be set here.
    public var limitsMemory: Bool { interface.limitsMemory }
    public var limitsProcesses: Bool { interface.limitsProcesses }
    public var countsCPU: Bool { interface.countsCPU }

    /// Sets what the group's controllers can enforce; limits without their controller are left to the caller.
    ///
    /// Swap is closed as well, or the memory limit would only move pages there; on v2 the whole group is killed
    /// when memory runs out (memory.oom.group), so that no half-dead tree is left.
    public borrowing func limit(_ limits: Cgroup.Limits) throws(SystemError) { try interface.limit(limits) }

    /// Moves a process into the group, with what it starts from now on.
    public borrowing func add(_ pid: Int32) throws(SystemError) {
        for path in interface.directories { try Files.writeValue("\(pid)", to: "\(path)/cgroup.procs") }
    }

    /// Files of a v1 group into which a process writes `0` to join by itself; empty on v2.
    ///
    /// A process that moves itself alone spares the kernel a lock that waits for every CPU: 0.1 ms instead of up to 12.
    public borrowing func openForJoining() throws(SystemError) -> JoiningFiles {
        guard case .v1 = interface else { return JoiningFiles([]) }
        var paths: [String] = []
        for directory in interface.directories { paths.append("\(directory)/tasks") }
        return try JoiningFiles(opening: paths)
    }

    /// Reads the counters.
    public borrowing func read() -> Cgroup.Reading { interface.read() }

    /// Kills every process in the group with one write; false where the kernel cannot (v1, or before 5.14).
    public borrowing func kill() throws(SystemError) -> Bool {
        guard case .v2(let directory, _, _) = interface else { return false }
        do throws(SystemError) {
            try Files.writeValue("1", to: "\(directory)/cgroup.kill")
            return true
        } catch {
            guard error.errno == ENOENT else { throw error }
            return false
        }
    }

    /// Removes the group, waiting up to a second for its last processes to leave.
    ///
    /// - Returns: What could not be removed, with the reason.
    public consuming func remove() -> [SystemError] {
        isRemoved = true
        return interface.remove()
    }

    deinit {
        // Nobody is left to be told; the next run clears away what stays.
        if !isRemoved { _ = interface.remove() }
    }
}

extension Cgroup {
    /// What a cgroup is told to allow.
    ///
    /// `nil` leaves a limit to the host.
    public struct Limits: Sendable, Hashable {
        public var memory: ByteCount?
        /// Tasks, threads included.
        public var processes: UInt64?

        public init(memory: ByteCount? = nil, processes: UInt64? = nil) {
            self.memory = memory
            self.processes = processes
        }
    }

    /// What a cgroup has counted; `nil` where this host does not count it.
    public struct Reading: Sendable, Hashable {
        /// Memory charged now and at most, page cache included.
        public var memory: ByteCount?
        public var memoryPeak: ByteCount?
        /// How often the limit was hit; pages that could be given back are no breach.
        ///
        /// v1 of Linux 6.18 leaves it at 0.
        public var memoryLimitHits: UInt64?
        /// How many processes the kernel killed because the limit held: this is the breach.
        public var memoryKills: UInt64?
        /// CPU time of every process that was ever in the group, the ended ones included.
        public var cpu: Duration?
        public var processes: UInt64?
        public var processPeak: UInt64?
        /// How many forks were refused by the limit.
        public var processLimitHits: UInt64?

        public init() {}
    }
}
