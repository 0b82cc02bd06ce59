internal import Glibc
internal import JailModel

/// One group behind either interface of the kernel: which file holds what.
enum CgroupInterface: Sendable {
    /// Directories by controller; two controllers may share one (`cpu,cpuacct` mounts).
    case v1(directories: [String: String])
    case v2(directory: String, controllers: Set<String>, leaf: SupervisorLeaf?)

    var directories: [String] {
        switch self {
        case .v1(let directories): Set(directories.values).sorted()
        case .v2(let directory, _, _): [directory]
        }
    }

    var mechanisms: [String] {
        switch self {
        case .v1(let directories): directories.keys.sorted().map { "cgroup1:\($0)" }
        case .v2(_, let controllers, _): (controllers.union(["cpu.stat"])).sorted().map { "cgroup2:\($0)" }
        }
    }

    var limitsMemory: Bool { has("memory") }
    var limitsProcesses: Bool { has("pids") }
    var countsCPU: Bool {
        switch self {
        case .v1(let directories): directories["cpuacct"] != nil
        case .v2: true
        }
    }

    private func has(_ controller: String) -> Bool {
        switch self {
        case .v1(let directories): directories[controller] != nil
        case .v2(_, let controllers, _): controllers.contains(controller)
        }
    }

    func limit(_ limits: Cgroup.Limits) throws(SystemError) {
        switch self {
        case .v1(let directories):
            if let memory = limits.memory, let path = directories["memory"] {
                try Files.writeValue("\(memory.value)", to: "\(path)/memory.limit_in_bytes")
                // ORDER: memory and swap together may not be below memory alone. Without swap accounting the file is
                // not there, and then swap is not limited; the reading of the peak still counts it.
                try Self.writeIfPresent("\(memory.value)", to: "\(path)/memory.memsw.limit_in_bytes")
            }
            if let processes = limits.processes, let path = directories["pids"] {
                try Files.writeValue("\(processes)", to: "\(path)/pids.max")
            }
        case .v2(let path, let controllers, _):
            if let memory = limits.memory, controllers.contains("memory") {
                try Files.writeValue("\(memory.value)", to: "\(path)/memory.max")
                try Self.writeIfPresent("0", to: "\(path)/memory.swap.max")
                try Self.writeIfPresent("1", to: "\(path)/memory.oom.group")
            }
            if let processes = limits.processes, controllers.contains("pids") {
                try Files.writeValue("\(processes)", to: "\(path)/pids.max")
            }
        }
    }

    func read() -> Cgroup.Reading {
        var reading = Cgroup.Reading()
        switch self {
        case .v1(let directories):
            if let path = directories["memory"] {
                reading.memory = Self.number("\(path)/memory.usage_in_bytes").map { ByteCount($0) }
                reading.memoryPeak = Self.number("\(path)/memory.max_usage_in_bytes").map { ByteCount($0) }
                // With swap accounting the kernel charges memory and swap together first, so that limit is the one hit.
                let hits = [Self.number("\(path)/memory.failcnt"), Self.number("\(path)/memory.memsw.failcnt")]
                reading.memoryLimitHits = hits.compactMap { $0 }.reduce(nil) { ($0 ?? 0) + $1 }
                reading.memoryKills = Self.value("oom_kill", in: "\(path)/memory.oom_control")
            }
            if let path = directories["pids"] { readPids(path, &reading) }
            if let path = directories["cpuacct"] {
                reading.cpu = Self.number("\(path)/cpuacct.usage").map { .nanoseconds(Int64(clamping: $0)) }
            }
        case .v2(let path, let controllers, _):
            if controllers.contains("memory") {
                reading.memory = Self.number("\(path)/memory.current").map { ByteCount($0) }
                reading.memoryPeak = Self.number("\(path)/memory.peak").map { ByteCount($0) }
                reading.memoryLimitHits = Self.value("max", in: "\(path)/memory.events")
                reading.memoryKills = Self.value("oom_kill", in: "\(path)/memory.events")
            }
            if controllers.contains("pids") { readPids(path, &reading) }
            reading.cpu = Self.value("usage_usec", in: "\(path)/cpu.stat").map { .microseconds(Int64(clamping: $0)) }
        }
        return reading
    }

    /// The pids controller has the same files in both interfaces; `pids.peak` came with 6.1.
    private func readPids(_ path: String, _ reading: inout Cgroup.Reading) {
        reading.processes = Self.number("\(path)/pids.current")
        reading.processPeak = Self.number("\(path)/pids.peak")
        reading.processLimitHits = Self.value("max", in: "\(path)/pids.events")
    }

    /// Removes the directories, and leaves the supervisor where it was.
    func remove() -> [SystemError] {
        let deadline = SystemClock.now() + .seconds(1)
        var problems: [SystemError] = []
        for path in directories {
            do throws(SystemError) {
                try Self.removeDirectory(path, until: deadline)
            } catch {
                problems.append(error)
            }
        }
        if case .v2(_, _, let leaf) = self { leaf?.restore() }
        return problems
    }

    /// A killed process leaves its group a little after its parent has reaped it, so EBUSY is asked again.
    private static func removeDirectory(_ path: String, until deadline: Duration) throws(SystemError) {
        var pause = Duration.milliseconds(1)
        while true {
            do throws(SystemError) {
                return try Files.remove(path, isDirectory: true)
            } catch {
                if error.errno == ENOENT { return }
                guard error.errno == EBUSY, SystemClock.now() < deadline else {
                    throw SystemError(
                        "remove the cgroup", errno: error.errno, subject: path.forMessage,
                        hint: error.errno == EBUSY ? "a process is still in it: see \(path)/cgroup.procs" : "")
                }
                Poller.pause(pause)
                pause = min(pause * 2, .milliseconds(50))
            }
        }
    }

    private static func writeIfPresent(_ text: String, to path: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.writeValue(text, to: path)
        } catch {
            guard error.errno == ENOENT || error.errno == EOPNOTSUPP else { throw error }
        }
    }

    /// A counter; a missing file means that this host does not count it.
    private static func number(_ path: String) -> UInt64? {
        (try? Files.read(path, limit: 4096)).flatMap { KernelText.numbers($0).first }
    }

    private static func value(_ key: String, in path: String) -> UInt64? {
        (try? Files.read(path, limit: 65536)).flatMap { KernelText.value(of: key, in: $0) }
    }
}
