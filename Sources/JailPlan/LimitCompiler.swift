import JailModel
import JailPolicy

/// Turns budgets into what the kernel holds (rlimits, cgroup) and what the supervisor meters.
///
/// Guarantee F.
struct LimitCompiler {
    let policy: Policy
    let facts: HostFacts

    /// Processes beyond the budget that a kernel limit lets through, so that the breach is seen and not only felt.
    static let processSlack: UInt64 = 8
    /// The largest single file where no budget names one: the contract's default of `max_bytes_written`.
    static let defaultFileSize: UInt64 = 1 << 30

    var cgroup: CgroupPlan? {
        switch facts.cgroup {
        case .none: return nil
        case .v1(let directories):
            guard !directories.isEmpty else { return nil }
            return CgroupPlan(
                memory: directories["memory"] == nil ? nil : policy.budgets[.memory],
                processes: directories["pids"] == nil ? nil : policy.budgets[.processes].map { $0 + 1 },
                metersCPU: directories["cpuacct"] != nil, version: 1)
        case .v2(_, let controllers):
            return CgroupPlan(
                memory: controllers.contains("memory") ? policy.budgets[.memory] : nil,
                processes: controllers.contains("pids") ? policy.budgets[.processes].map { $0 + 1 } : nil,
                metersCPU: true, version: 2)
        }
    }

    func plan(tmpfsCount: UInt64) -> LimitPlan {
        LimitPlan(
            budgets: policy.budgets.limits, cgroup: cgroup, tmpfsBytes: tmpfsCount * policy.filesystem.tmp.value)
    }

    /// Limits for setrlimit(2).
    ///
    /// Inside a user namespace RLIMIT_NPROC counts this jail only; elsewhere it would count every process of the user.
    func rlimits(hasUserNamespace: Bool) -> [ResourceLimit] {
        var out: [ResourceLimit] = [
            ResourceLimit(resource: .core, value: 0),
            ResourceLimit(resource: .messageQueues, value: 0),
            ResourceLimit(resource: .nice, value: 0),
            ResourceLimit(resource: .realtimePriority, value: 0),
            // One byte more than allowed: a file that has it has passed the budget, and is seen.
            ResourceLimit(resource: .fileSize, value: (policy.budgets[.bytesWritten] ?? Self.defaultFileSize) + 1),
        ]
        if let cpu = policy.budgets[.cpu] {
            // One process alone may not pass the budget even if the supervisor is slow; the tree is metered.
            out.append(ResourceLimit(resource: .cpu, value: cpu + 1))
        }
        if let files = policy.budgets[.openFiles] {
            // One more than allowed: a process that holds it has passed the budget, and is seen.
            out.append(ResourceLimit(resource: .openFiles, value: files + 1))
        }
        if let processes = policy.budgets[.processes], hasUserNamespace {
            out.append(ResourceLimit(resource: .processes, value: processes + 1 + Self.processSlack))
        }
        if let memory = policy.budgets[.memory], cgroup?.memory == nil {
            // Above the budget, so that the breach is seen and told; below what would hurt the host before that.
            let (twice, isHuge) = memory.multipliedReportingOverflow(by: 2)
            out.append(ResourceLimit(resource: .data, value: isHuge ? memory : twice + (1 << 30)))
        }
        return out
    }

    func claim(hasPIDNamespace: Bool, hasUserNamespace: Bool) -> EnforcementClaim {
        var mechanisms: [String] = ["supervisor-clock", "rlimit:cpu", "rlimit:nofile", "rlimit:fsize"]
        var level = EnforcementLevel.kernel
        var notes: [String] = []
        if let cgroup {
            if cgroup.memory != nil { mechanisms.append("cgroup\(cgroup.version):memory") }
            if cgroup.processes != nil { mechanisms.append("cgroup\(cgroup.version):pids") }
            if cgroup.metersCPU { mechanisms.append("cgroup\(cgroup.version):cpu") }
        }
        if policy.workspace.mode == .direct, policy.budgets[.bytesWritten] != nil {
            notes.append(
                "max_bytes_written holds for each file alone: workspace.mode direct keeps no account of writes")
        }
        if cgroup?.memory == nil, policy.budgets[.memory] != nil {
            level = .supervisor
            mechanisms.append("rlimit:data")
            mechanisms.append("supervisor:memory")
            notes.append(
                "max_memory is sampled from /proc: memory that no process maps (a written memfd, a detached SysV segment), "
                    + "socket buffers and pipes are not counted")
        }
        if cgroup?.processes == nil, policy.budgets[.processes] != nil {
            mechanisms.append(hasUserNamespace ? "rlimit:nproc" : "supervisor:processes")
            if !hasUserNamespace { level = .supervisor }
        }
        if cgroup?.metersCPU != true {
            mechanisms.append(facts.hasTaskClock ? "perf:task-clock" : "rusage")
        }
        mechanisms.append(hasPIDNamespace ? "kill:pid-ns" : "kill:subreaper")
        return EnforcementClaim(level: level, mechanisms: mechanisms, notes: notes)
    }
}
