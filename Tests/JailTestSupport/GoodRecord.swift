public import JailModel

extension SHA256Value {
    /// A value of one repeated byte: fixed, and told apart at a glance.
    public static func repeating(_ byte: UInt8) -> SHA256Value {
        guard let value = SHA256Value(bytes: [UInt8](repeating: byte, count: 32)) else {
            preconditionFailure("32 bytes are a digest")
        }
        return value
    }
}

extension StepRecord {
    /// A step that passed on a host that can do everything; tests weaken one thing at a time.
    public static func good(profile: Profile = .local) -> StepRecord {
        let target = TargetUser(
            insideUID: 1000, insideGID: 1000, outsideUID: 1000, outsideGID: 1000, name: "dev", home: "/home/dev")
        let host = HostFacts(
            kernel: "6.18.44", arch: "x86_64", tier: .t1, landlockABI: 7, hasSeccompListener: true,
            cgroup: .v2(directory: "/sys/fs/cgroup/user.slice", controllers: ["memory", "pids", "cpu"]),
            hasTaskClock: true, uid: 1000, gid: 1000, target: target, paths: [:])
        let command = CommandRecord(
            argv: ["git", "status"], cwd: "/work/project", executable: "/usr/bin/git", sha256: .repeating(0xaa))
        var record = StepRecord(
            runID: "20260101T000000Z-0badcafe", version: "0.1.0", profile: profile, policyName: "default",
            policyDigest: .repeating(0x11), command: command, outcome: .ended(.exited(0)), host: host)
        record.noSurvivors = "pid-ns"
        record.planDigest = .repeating(0x22)
        record.areDenialsItemised = true
        record.applied = AppliedState(
            effectiveCapabilities: 0, permittedCapabilities: 0, inheritableCapabilities: 0, boundingCapabilities: 0,
            ambientCapabilities: 0, hasNoNewPrivileges: true, secureBits: 0xef, seccompFilters: 1, landlockABI: 7,
            uid: 1000, gid: 1000)
        record.canaries = [
            CanaryResult(name: "write outside", errno: 30, guarantee: .hermeticPaths),
            CanaryResult(name: "mount", errno: 1, guarantee: .hermeticPaths),
            CanaryResult(name: "connect 192.0.2.1:443", errno: 101, guarantee: .networkEgress),
            CanaryResult(name: "exec from /tmp", errno: 13, guarantee: .untrustedExec),
        ]
        record.enforcement = [
            .hermeticPaths: EnforcementClaim(level: .kernel, mechanisms: ["mount-ns", "landlock:7", "seccomp"]),
            .networkEgress: EnforcementClaim(level: .kernel, mechanisms: ["netns", "seccomp"]),
            .budgets: EnforcementClaim(level: .supervisor, mechanisms: ["cgroup2:memory", "rlimit:nofile"]),
            .untrustedExec: EnforcementClaim(level: .kernel, mechanisms: ["noexec", "landlock:7"]),
            .changeBudget: EnforcementClaim(
                level: .kernel, mechanisms: ["overlayfs", "tmpfs-ceiling", "change-set"]),
            .rollback: EnforcementClaim(level: .supervisor, mechanisms: ["overlayfs", "journal", "undo"]),
        ]
        record.budgets = [
            .runtime: 3600, .cpu: 3600, .memory: 4 << 30, .processes: 256, .openFiles: 1024, .output: 64 << 20,
            .bytesWritten: 1 << 30, .filesChanged: 100, .linesPerFile: 500, .fileWrites: 100, .patchAttempts: 5,
        ]
        record.usage.wall = .milliseconds(12)
        record.usage.cpu = .milliseconds(7)
        record.usage.cpuMeter = "cgroup2 cpu.stat"
        record.usage.maxRSS = ByteCount(5 << 20)
        record.usage.memoryMeter = "cgroup2 memory.peak"
        record.usage.outputBytes = 120
        record.usage.execs = 3
        record.execs = [
            ExecRecord(
                path: "/usr/bin/git", sha256: SHA256Value.repeating(0xaa).hex, argv: ["git", "status"],
                cwd: "/work/project", count: 1)
        ]
        record.stdout = StreamRecord(bytes: 120, stored: 120, sha256: .repeating(0x33))
        record.stderr = StreamRecord(bytes: 0, stored: 0, sha256: .repeating(0x44))
        record.timings = ["launch": .microseconds(3_200)]
        record.workspaceMode = .overlay
        record.changes = .good
        record.usage.filesChanged = 1
        record.usage.fileWrites = 1
        record.usage.bytesWritten = 240
        return record
    }

    /// The same as it stands when nothing was started: without the evidence that only a run leaves.
    public func neverRan() -> StepRecord {
        with {
            $0.applied = nil
            $0.canaries = []
            $0.usage = Usage()
            $0.execs = []
            $0.timings = [:]
            $0.changes = nil
        }
    }

    /// The same with one thing changed.
    public func with(_ change: (inout StepRecord) -> Void) -> StepRecord {
        var copy = self
        change(&copy)
        return copy
    }
}

extension ObjectState {
    /// A file of the made-up workspace.
    public static func file(_ byte: UInt8, size: UInt64, mode: UInt32 = 0o644) -> ObjectState {
        ObjectState(
            kind: .file, mode: mode, uid: 1000, gid: 1000, modified: 1_767_225_600_000_000_000, size: size,
            digest: .repeating(byte))
    }
}

extension ChangedPath {
    /// A text file whose lines changed.
    public static func modified(_ path: ByteString, _ lines: LineCounts) -> ChangedPath {
        ChangedPath(
            path: path, kind: .modified, before: .file(0x51, size: 200), after: .file(0x52, size: 240), lines: lines)
    }
}

extension ChangeRecord {
    /// One modified file, published.
    public static let good = ChangeRecord(
        layer: "overlay on tmpfs",
        set: ChangeSet(paths: [.modified("src/main.c", LineCounts(added: 3, removed: 1))]), fileWrites: 1,
        state: .committed,
        publication: .published(
            treeBefore: .repeating(0x61), treeAfter: .repeating(0x62), operations: 1, problems: []),
        patch: StreamRecord(bytes: 310, stored: 310, sha256: .repeating(0x63)))
}
