internal import Glibc
public import JailModel

/// What a tree of processes holds at one moment.
public struct TreeSample: Sendable, Hashable {
    /// Private memory of all processes plus the largest shared mapping of one; a lower bound, without double counting.
    public var memory: ByteCount
    /// Processes including zombies and the jail's init.
    public var processes: Int
    /// Threads of all of them, which is what RLIMIT_NPROC and pids.max count.
    public var tasks: Int

    public init(memory: ByteCount, processes: Int, tasks: Int) {
        self.memory = memory
        self.processes = processes
        self.tasks = tasks
    }
}

/// Measures the memory and the number of processes of a jail from /proc, where no cgroup can.
///
/// It polls, so a burst between two samples overshoots; memory that was written to a memfd and never mapped is not seen
/// (workspace.md 8.2). proc_pid_statm(5): about 10 microseconds a process. Guarantee F: `max_memory`, level supervisor.
public struct ProcessTreeMeter: ~Copyable {
    private enum Scope {
        /// Every process that the proc directory lists.
        case everything
        /// The descendants of a process, without itself.
        case descendants(of: Int32)
    }

    private let proc: OwnedFD
    private let scope: Scope
    private let pageSize: UInt64
    private var buffer = [UInt8](repeating: 0, count: 4096)

    /// Above this much shared memory in one process, its part that is not file pages is looked up.
    private static let sharedThreshold: UInt64 = 8 << 20

    /// Measures every process that a jail's own /proc lists.
    public init(jailProc: consuming OwnedFD) {
        proc = jailProc
        scope = .everything
        pageSize = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Measures the descendants of a process in the host's /proc, for a jail without a pid namespace.
    ///
    /// proc_tid_children(5) is exact only for a tree that stands still; a process that forks meanwhile may be missed
    /// in one sample.
    public init(descendantsOf pid: Int32) throws(SystemError) {
        proc = try Files.open("/proc", [.read, .directory])
        scope = .descendants(of: pid)
        pageSize = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    }

    /// Measures now.
    ///
    /// A process that ends meanwhile counts as gone.
    public mutating func sample() throws(SystemError) -> TreeSample {
        var total: UInt64 = 0
        var largestShared: UInt64 = 0
        let pids = try processes()
        var count = 0
        var tasks = 0
        for pid in pids {
            guard let usage = measure(pid) else { continue }
            count += 1
            tasks += self.tasks(of: pid)
            total += usage.own
            largestShared = max(largestShared, usage.shared)
        }
        return TreeSample(memory: ByteCount(total + largestShared), processes: count, tasks: tasks)
    }

    /// The numbers of the processes in scope.
    public mutating func processes() throws(SystemError) -> [Int32] {
        switch scope {
        case .everything:
            var listing = DirectoryListing(proc.rawValue)
            try listing.rewind()
            var pids: [Int32] = []
            while let pid = try listing.nextNumber() { pids.append(pid) }
            return pids
        case .descendants(let root):
            var found: Set<Int32> = []
            var pending = [root]
            while let pid = pending.popLast() {
                for child in children(of: pid) where found.insert(child).inserted { pending.append(child) }
            }
            found.remove(root)
            return found.sorted()
        }
    }

    /// The link count of /proc/PID/task is two more than the threads (proc(5)).
    private func tasks(of pid: Int32) -> Int {
        guard let status = try? Files.status("\(pid)/task", at: proc.rawValue), status.links > 2 else { return 1 }
        return Int(clamping: status.links - 2)
    }

    private mutating func measure(_ pid: Int32) -> (own: UInt64, shared: UInt64)? {
        guard let statm = contents("\(pid)/statm") else { return nil }
        let fields = KernelText.numbers(statm)
        guard fields.count >= 3 else { return nil }
        let own = (fields[1] - min(fields[1], fields[2])) * pageSize
        guard fields[2] * pageSize >= Self.sharedThreshold, let status = contents("\(pid)/status") else {
            return (own, 0)
        }
        let shmem = KernelText.value(of: "RssShmem", in: status) ?? 0
        return (own, shmem * 1024)
    }

    private mutating func children(of pid: Int32) -> [Int32] {
        guard let tasks = try? Files.open("\(pid)/task", [.read, .directory], at: proc.rawValue) else { return [] }
        var listing = DirectoryListing(tasks.rawValue, bufferSize: 2048)
        var found: [Int32] = []
        // A process that ends while it is read has no children any more.
        while let thread = (try? listing.nextNumber()) ?? nil {
            guard let text = contents("\(pid)/task/\(thread)/children") else { continue }
            found += KernelText.numbers(text).compactMap { Int32(exactly: $0) }
        }
        return found
    }

    /// A small file of /proc, `nil` when its process is gone.
    private mutating func contents(_ path: String) -> [UInt8]? {
        guard let file = try? Files.open(path, .read, at: proc.rawValue) else { return nil }
        var content: [UInt8] = []
        while let count = try? Files.read(file.rawValue, into: &buffer), count > 0 {
            content += buffer[..<count]
        }
        return content.isEmpty ? nil : content
    }
}
