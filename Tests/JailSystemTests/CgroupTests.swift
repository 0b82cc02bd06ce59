import Glibc
import JailModel
import Testing

@testable import JailSystem

@Suite("Cgroups")
struct CgroupTests {
    @Test(
        "names tell the run and the process",
        arguments: [
            ("launch-jail-20250101-abc-42", "20250101-abc", 42), ("launch-jail-r-1", "r", 1),
            ("launch-jail-r-0", nil, 0), ("launch-jail-r-x", nil, 0), ("launch-jail-42", nil, 0),
            ("other-r-42", nil, 0), ("launch-jail-supervisor-9", "supervisor", 9),
        ] as [(String, String?, Int32)])
    func names(text: String, runID: String?, pid: Int32) {
        let name = CgroupName(ByteString(text))
        #expect(name?.runID == runID)
        if let name {
            #expect(name.pid == pid)
            #expect(name.text == text)
        }
    }

    @Test("groups of dead processes are cleared away; living, full and foreign ones stay")
    func stale() throws {
        // Removing an empty directory is the same call in a cgroup and here.
        let directory = try TemporaryDirectory()
        let dead = try { () throws -> Int32 in try IdleChild().pid }()
        for name in ["launch-jail-old-\(dead)", "launch-jail-own-\(getpid())", "other-old-\(dead)"] {
            try Files.makeDirectory("\(directory.path)/\(name)")
        }
        try directory.write("launch-jail-full-\(dead)/process", "")
        CgroupName.removeStale(in: directory.path, minimumAge: .seconds(3600))
        #expect(try Files.statusIfPresent("\(directory.path)/launch-jail-old-\(dead)") != nil)
        CgroupName.removeStale(in: directory.path, minimumAge: .zero)
        #expect(try Files.statusIfPresent("\(directory.path)/launch-jail-old-\(dead)") == nil)
        for name in ["launch-jail-own-\(getpid())", "other-old-\(dead)", "launch-jail-full-\(dead)"] {
            #expect(try Files.statusIfPresent("\(directory.path)/\(name)") != nil, "\(name)")
        }
    }

    @Test("v2: limits go to the right files, swap is closed and the group dies as one")
    func limitsV2() throws {
        let directory = try TemporaryDirectory()
        for file in ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"] { try directory.write(file, "") }
        let group = CgroupInterface.v2(directory: directory.path, controllers: ["memory", "pids"], leaf: nil)
        try group.limit(.init(memory: .mebibytes(64), processes: 7))
        #expect(try directory.read("memory.max") == "67108864")
        #expect(try directory.read("memory.swap.max") == "0")
        #expect(try directory.read("memory.oom.group") == "1")
        #expect(try directory.read("pids.max") == "7")
        #expect(group.mechanisms == ["cgroup2:cpu.stat", "cgroup2:memory", "cgroup2:pids"])
    }

    @Test("v2: a kernel without swap or oom.group files is not an error, a missing limit is")
    func missingFiles() throws {
        let directory = try TemporaryDirectory()
        try directory.write("memory.max", "")
        let group = CgroupInterface.v2(directory: directory.path, controllers: ["memory", "pids"], leaf: nil)
        try group.limit(.init(memory: .mebibytes(1)))
        #expect(throws: SystemError.self) { try group.limit(.init(processes: 1)) }
    }

    @Test("a limit without its controller is left to the caller")
    func noController() throws {
        let group = CgroupInterface.v2(directory: "/nowhere", controllers: [], leaf: nil)
        try group.limit(.init(memory: .mebibytes(1), processes: 1))
        #expect(!group.limitsMemory)
        #expect(!group.limitsProcesses)
        #expect(group.countsCPU)
        #expect(group.read() == Cgroup.Reading())
    }

    @Test("v2 counters are read")
    func readingV2() throws {
        let directory = try TemporaryDirectory()
        try directory.write("memory.current", "4096\n")
        try directory.write("memory.peak", "8192\n")
        try directory.write("memory.events", "low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\noom_group_kill 1\n")
        try directory.write("cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
        try directory.write("pids.current", "3\n")
        try directory.write("pids.events", "max 9\n")
        let reading = CgroupInterface.v2(directory: directory.path, controllers: ["memory", "pids"], leaf: nil).read()
        #expect(reading.memory == ByteCount(4096))
        #expect(reading.memoryPeak == ByteCount(8192))
        #expect(reading.memoryLimitHits == 5)
        #expect(reading.memoryKills == 1)
        #expect(reading.cpu == .microseconds(1500))
        #expect(reading.processes == 3)
        #expect(reading.processPeak == nil)
        #expect(reading.processLimitHits == 9)
    }

    @Test("v1 limits and counters, each controller in its own directory")
    func v1() throws {
        let directory = try TemporaryDirectory()
        for (file, text) in [
            ("m/memory.limit_in_bytes", ""), ("m/memory.memsw.limit_in_bytes", ""), ("p/pids.max", ""),
            ("m/memory.usage_in_bytes", "10\n"), ("m/memory.max_usage_in_bytes", "20\n"), ("m/memory.failcnt", "1\n"),
            ("m/memory.memsw.failcnt", "2\n"),
            ("m/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), ("c/cpuacct.usage", "2000000\n"),
            ("p/pids.current", "1\n"), ("p/pids.events", "max 6\n"),
        ] { try directory.write(file, text) }
        let group = CgroupInterface.v1(directories: [
            "memory": "\(directory.path)/m", "pids": "\(directory.path)/p", "cpuacct": "\(directory.path)/c",
        ])
        try group.limit(.init(memory: .mebibytes(2), processes: 5))
        #expect(try directory.read("m/memory.limit_in_bytes") == "2097152")
        #expect(try directory.read("m/memory.memsw.limit_in_bytes") == "2097152")
        #expect(try directory.read("p/pids.max") == "5")
        let reading = group.read()
        #expect(reading.memory == ByteCount(10))
        #expect(reading.memoryPeak == ByteCount(20))
        #expect(reading.memoryLimitHits == 3)
        #expect(reading.memoryKills == 4)
        #expect(reading.cpu == .milliseconds(2))
        #expect(reading.processLimitHits == 6)
        #expect(group.mechanisms == ["cgroup1:cpuacct", "cgroup1:memory", "cgroup1:pids"])
    }

    @Test("a host without a cgroup for us gives none")
    func none() throws {
        switch try Cgroup.create(under: .none, runID: "t") {
        case .some: Issue.record("a group was made out of nothing")
        case .none: break
        }
    }

    @Test("a failure half way leaves nothing behind")
    func atomic() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a/file", "")
        #expect(throws: SystemError.self) {
            _ = try Cgroup.create(
                under: .v1(["memory": "\(directory.path)/a", "pids": "\(directory.path)/missing"]), runID: "half")
        }
        let handle = try Files.open("\(directory.path)/a", [.read, .directory])
        #expect(try Files.names(handle.rawValue) == ["file"])
    }

    /// The group of this host, whatever it is: the honest answer of an ordinary user is often `none`.
    @Test("on this host a group counts its processes and goes away")
    func real() throws {
        let access = HostFactsReader.cgroupAccess()
        switch try Cgroup.create(under: access, runID: "test-real") {
        case .none: #expect(access == .none)
        case .some(let group):
            #expect(access != .none)
            let child = try IdleChild()
            try group.limit(.init(memory: .mebibytes(512), processes: 16))
            try group.add(child.pid)
            let reading = group.read()
            if group.limitsProcesses { #expect(reading.processes == 1) }
            if group.limitsMemory { #expect(reading.memory != nil) }
            if group.countsCPU { #expect(reading.cpu != nil) }
            let killed = try group.kill()
            if case .v1 = access { #expect(!killed) }
            _ = consume child
            #expect(group.remove() == [])
            #expect(try leftovers(access, runID: "test-real").isEmpty)
        }
    }

    @Test("on this host a memory limit kills, and the kill is counted")
    func memoryLimit() throws {
        let access = HostFactsReader.cgroupAccess()
        guard case .some(let group) = try Cgroup.create(under: access, runID: "test-memory") else {
            #expect(access == .none)
            return
        }
        // tail keeps what it reads: 64 MB of one line under a limit of 16 MiB.
        let child = try IdleChild(script: "head -c 64000000 /dev/zero | tail -n 1 >/dev/null; exit 0")
        try group.limit(.init(memory: .mebibytes(16)))
        try group.add(child.pid)
        child.finish()
        let reading = group.read()
        if group.limitsMemory {
            #expect((reading.memoryKills ?? 0) > 0)
            // v1 of Linux 6.18 leaves its count of hits at 0 (measured), so nothing may rest on it.
            #expect((reading.memoryPeak?.value ?? 0) <= 16 << 20)
        }
        if group.countsCPU { #expect((reading.cpu ?? .zero) > .zero) }
        _ = consume child
        #expect(group.remove() == [])
    }

    @Test("on this host a process limit refuses forks, and the refusals are counted")
    func processLimit() throws {
        let access = HostFactsReader.cgroupAccess()
        guard case .some(let group) = try Cgroup.create(under: access, runID: "test-pids") else {
            #expect(access == .none)
            return
        }
        let child = try IdleChild(script: "(true; true) 2>/dev/null; exit 0")
        try group.limit(.init(processes: 1))
        try group.add(child.pid)
        child.finish()
        if group.limitsProcesses { #expect((group.read().processLimitHits ?? 0) > 0) }
        _ = consume child
        #expect(group.remove() == [])
    }

    @Test("a v2 tree without controllers still counts CPU time, opens for clone, and kills the group in one write")
    func bareV2() throws {
        let mounts = MountEntry.parse(try Files.read("/proc/self/mountinfo", limit: 8 << 20)) { $0 == "cgroup2" }
        guard let tree = mounts.first?.mountPoint, Files.mayWrite(tree), Files.mayWrite("\(tree)/cgroup.procs") else {
            // An ordinary user without delegation, or a host without v2: then nothing of v2 may be offered at the root.
            if case .v2(let directory, _) = HostFactsReader.cgroupAccess() {
                #expect(directory != mounts.first?.mountPoint)
            }
            return
        }
        switch try Cgroup.create(under: .v2(directory: tree, controllers: []), runID: "test-v2") {
        case .none: Issue.record("a writable tree gave no group")
        case .some(let group):
            let child = try IdleChild()
            try group.add(child.pid)
            #expect(group.read().cpu != nil)
            #expect(try group.kill())
            var information = siginfo_t()
            #expect(waitid(P_PID, id_t(child.pid), &information, WEXITED | WNOWAIT) == 0)
            _ = consume child
            #expect(group.remove() == [])
        }
    }

    @Test("a group that is still in use is told, not forgotten, and its owner's end takes at most about a second")
    func busy() throws {
        let access = HostFactsReader.cgroupAccess()
        guard case .some(let group) = try Cgroup.create(under: access, runID: "test-busy") else {
            #expect(access == .none)
            return
        }
        let child = try IdleChild()
        try group.add(child.pid)
        let start = SystemClock.now()
        let problems = group.remove()
        #expect(!problems.isEmpty)
        #expect(problems.allSatisfy { $0.errno == EBUSY && !$0.hint.isEmpty })
        #expect(SystemClock.now() - start < .seconds(10))
        _ = consume child
        for path in try leftovers(access, runID: "test-busy") { try Files.remove(path, isDirectory: true) }
    }

    private func leftovers(_ access: CgroupAccess, runID: String) throws -> [String] {
        let parents: [String]
        switch access {
        case .none: parents = []
        case .v1(let directories): parents = Array(Set(directories.values))
        case .v2(let directory, _): parents = [directory]
        }
        var found: [String] = []
        for parent in parents {
            let path = "\(parent)/launch-jail-\(runID)-\(getpid())"
            if try Files.statusIfPresent(path) != nil { found.append(path) }
        }
        return found
    }
}
