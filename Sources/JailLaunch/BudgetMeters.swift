internal import Glibc
internal import JailModel
internal import JailPlan
internal import JailPolicy
internal import JailSystem

/// The meters of a running step: cgroup counters where there are any, else /proc and perf, sampled between events.
struct BudgetMeters: ~Copyable {
    private let limits: LimitPlan
    private let cgroup: Holder<Cgroup>
    private let clock: Holder<TaskClock>
    private let tree: Holder<ProcessTreeMeter>
    private let openFiles: Holder<OpenFileMeter>
    private var temporary: [Int32] = []
    private let layerLimits: LayerLimits?
    private var layer: LayerHandle?
    private var nextWalk: Duration = .zero
    private var startedAt: Duration = .zero
    private(set) var nextSample: Duration?
    private var reading = Cgroup.Reading()
    private var clockValue: Duration?
    private var peakMemory: UInt64 = 0
    private var rusageCPU: Duration = .zero
    private var rusageRSS = ByteCount(0)
    private var outputBytes: UInt64 = 0

    init(
        limits: LimitPlan, layer: WorkspaceLayer?, cgroup: Holder<Cgroup>, clock: Holder<TaskClock>, rootPID: Int32
    ) {
        self.limits = limits
        var copy: LayerHandle?
        if case .copy(let path) = layer, let top = try? Files.open(path.description, [.read, .directory, .noFollow]) {
            copy = LayerHandle(top)
        }
        self.layer = copy
        layerLimits = layer.map {
            LayerLimits(budgets: limits.budgets, layer: $0, copy: copy?.descriptor)
        }
        self.cgroup = cgroup
        self.clock = clock
        // Replaced by the jail's own /proc where it has one.
        tree = Holder(try? ProcessTreeMeter(descendantsOf: rootPID))
        openFiles = Holder(nil)
    }

    deinit {
        for fd in temporary { close(fd) }
    }

    mutating func watchProcesses(in proc: consuming OwnedFD) {
        // The second user of the directory gets a descriptor of its own: each has its own position.
        openFiles.value = try? OpenFileMeter(proc: Files.open(".", [.read, .directory], at: proc.rawValue))
        tree.value = ProcessTreeMeter(jailProc: proc)
    }

    mutating func watchTemporary(_ fd: consuming OwnedFD) { temporary.append(fd.release()) }

    mutating func watchLayer(_ handle: LayerHandle) { layer = handle }

    mutating func start(at now: Duration) {
        startedAt = now
        nextSample = now + .milliseconds(20)
    }

    /// Bytes of output that may still be stored; one more is a breach.
    var outputLeft: UInt64 {
        guard let limit = limits.budgets[.output] else { return .max }
        return limit - min(limit, outputBytes)
    }

    mutating func noteOutput(_ bytes: UInt64) { outputBytes = bytes }

    mutating func noteRusage(cpu: Duration, maxRSS: ByteCount) {
        rusageCPU = cpu
        rusageRSS = maxRSS
    }

    /// Reads every meter when its time has come.
    mutating func sample(at now: Duration, isRunning: Bool) -> [BudgetBreach] {
        guard isRunning, let due = nextSample, now >= due else { return [] }
        // Fine at first, when most steps end or go wrong; coarser for the long ones.
        nextSample = now + (now - startedAt < .seconds(2) ? .milliseconds(20) : .milliseconds(100))
        return readMeters()
    }

    private mutating func readMeters() -> [BudgetBreach] {
        var found: [BudgetBreach] = []
        if let group = limits.cgroup, cgroup.value != nil {
            reading = cgroup.value?.read() ?? reading
            found += cgroupBreaches(group)
        }
        if limits.cgroup?.memory == nil || limits.cgroup?.processes == nil { found += treeBreaches() }
        if limits.cgroup?.metersCPU != true, clock.value != nil {
            clockValue = (try? clock.value?.read()) ?? clockValue
        }
        if let limit = limits.budgets[.cpu], let (used, meter) = cpu, used > .seconds(Int64(clamping: limit)) {
            found.append(breach(.cpu, limit, UInt64(used.components.seconds) + 1, meter))
        }
        if let limit = limits.budgets[.openFiles], let most = openFiles.value?.largest(), most > limit {
            found.append(breach(.openFiles, limit, most, "proc fd"))
        }
        found += layerBreaches()
        return found
    }

    /// A walk of a layer on disk costs time: the next one waits twenty times as long as the last one took.
    private mutating func layerBreaches() -> [BudgetBreach] {
        guard let layer, let layerLimits else { return [] }
        if layerLimits.isMemory { return layerLimits.breaches(of: layer.descriptor) }
        let began = SystemClock.now()
        guard began >= nextWalk else { return [] }
        let found = layerLimits.breaches(of: layer.descriptor)
        let ended = SystemClock.now()
        nextWalk = ended + (ended - began) * 20
        return found
    }

    private func cgroupBreaches(_ group: CgroupPlan) -> [BudgetBreach] {
        var found: [BudgetBreach] = []
        if let limit = group.memory, (reading.memoryKills ?? 0) > 0 {
            found.append(
                breach(
                    .memory, limit, reading.memoryPeak?.value ?? limit,
                    "cgroup\(group.version) memory, where the kernel stopped it"))
        }
        if group.processes != nil, (reading.processLimitHits ?? 0) > 0, let limit = limits.budgets[.processes] {
            found.append(breach(.processes, limit, limit, "cgroup\(group.version) pids, where a fork was refused"))
        }
        return found
    }

    private mutating func treeBreaches() -> [BudgetBreach] {
        guard tree.value != nil, let sample = try? tree.value?.sample() else { return [] }
        var found: [BudgetBreach] = []
        let memory = sample.memory.value + temporaryBytes
        peakMemory = max(peakMemory, memory)
        if limits.cgroup?.memory == nil, let limit = limits.budgets[.memory], memory > limit {
            found.append(breach(.memory, limit, memory, "proc statm"))
        }
        // Init is one of them where there is a pid namespace.
        let count = UInt64(max(0, sample.tasks - 1))
        if limits.cgroup?.processes == nil, let limit = limits.budgets[.processes], count > limit {
            found.append(breach(.processes, limit, count, "proc"))
        }
        return found
    }

    private var temporaryBytes: UInt64 {
        var sum = temporary.reduce(0) { $0 + ((try? Files.filesystem($1))?.used.value ?? 0) }
        if let layer, let layerLimits, layerLimits.isMemory {
            sum += (try? Files.filesystem(layer.descriptor))?.used.value ?? 0
        }
        return sum
    }

    /// The CPU time of the whole tree and what read it.
    private var cpu: (Duration, String)? {
        if let group = limits.cgroup, group.metersCPU, let used = reading.cpu {
            return (used, group.version == 2 ? "cgroup2 cpu.stat" : "cgroup1 cpuacct")
        }
        if let clockValue { return (clockValue, "perf task-clock") }
        return rusageCPU > .zero ? (rusageCPU, "rusage (lower bound)") : nil
    }

    /// Breaches of what is counted rather than sampled.
    func countBreaches(denials: UInt64) -> [BudgetBreach] {
        var found: [BudgetBreach] = []
        if let limit = limits.budgets[.output], outputBytes > limit {
            found.append(breach(.output, limit, outputBytes, "supervisor"))
        }
        if let limit = limits.budgets[.denials], denials > limit {
            found.append(breach(.denials, limit, denials, "supervisor"))
        }
        return found
    }

    /// What the counters show when everything is over: a breach between two samples is a breach.
    mutating func finalBreaches(end: ChildEnd?) -> [BudgetBreach] {
        var found: [BudgetBreach] = []
        if let group = limits.cgroup, cgroup.value != nil {
            reading = cgroup.value?.read() ?? reading
            found += cgroupBreaches(group)
        }
        if clock.value != nil { clockValue = (try? clock.value?.read()) ?? clockValue }
        if let limit = limits.budgets[.cpu] {
            if let (used, meter) = cpu, used > .seconds(Int64(clamping: limit)) {
                found.append(breach(.cpu, limit, UInt64(used.components.seconds) + 1, meter))
            } else if end == .signaled(SIGXCPU) {
                found.append(breach(.cpu, limit, limit + 1, "rlimit cpu"))
            }
        }
        nextWalk = .zero
        found += layerBreaches()
        if end == .signaled(SIGXFSZ) {
            let limit = limits.budgets[.bytesWritten] ?? LimitPlan.defaultFileSize
            found.append(breach(.bytesWritten, limit, limit + 1, "rlimit fsize"))
        }
        return found + countBreaches(denials: 0)
    }

    /// Writes the totals into the usage of the report.
    mutating func fill(_ usage: inout Usage) {
        if let (used, meter) = cpu {
            usage.cpu = used
            usage.cpuMeter = meter
        } else {
            usage.cpu = rusageCPU
            usage.cpuMeter = "rusage (lower bound)"
        }
        if let group = limits.cgroup, let peak = reading.memoryPeak {
            usage.maxRSS = peak
            usage.memoryMeter = "cgroup\(group.version) memory"
        } else if peakMemory > rusageRSS.value {
            usage.maxRSS = ByteCount(peakMemory)
            usage.memoryMeter = "proc statm (sampled)"
        } else {
            usage.maxRSS = rusageRSS
            usage.memoryMeter = "rusage (largest process)"
        }
    }

    /// Removes the group; a sentence for each part that stays.
    mutating func removeCgroup() -> [String] {
        guard let group = cgroup.value.take() else { return [] }
        return group.remove().map(\.description)
    }

    private func breach(_ kind: BudgetKind, _ limit: UInt64, _ observed: UInt64, _ meter: String) -> BudgetBreach {
        BudgetBreach(kind: kind, limit: limit, observed: observed, meter: meter)
    }
}
