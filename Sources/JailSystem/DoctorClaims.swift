internal import JailModel

/// Says for each guarantee what would enforce it on this host, for a policy with `network.mode: none`.
///
/// The plan of a real run decides anew from its own policy (`launch-jail plan`); the words are the same.
struct DoctorClaims {
    let findings: DoctorFindings

    private var hasNamespaces: Bool { (findings.tier ?? .t4) >= .t2 }
    private var landlock: [String] { findings.landlockABI >= 1 ? ["landlock:\(findings.landlockABI)"] : [] }

    func outlook(_ guarantee: Guarantee) -> GuaranteeOutlook {
        switch guarantee {
        case .hermeticPaths: .enforced(claim(paths))
        case .networkEgress: .enforced(claim(egress))
        case .budgets: .enforced(claim(budgets))
        case .untrustedExec: .enforced(claim(execution))
        case .changeBudget: .enforced(claim(layered(["change-set"])))
        case .rollback: .enforced(claim(layered(["journal", "undo"])))
        case .secretHygiene: .later("comes with secret scanning and redaction")
        case .pinnedInputs, .supplyChain, .ciParity, .stableTests, .versionLocks:
            .later("comes with jobs and static gates")
        }
    }

    /// Without a seccomp filter launch-jail starts nothing, so nothing is claimed.
    private func claim(_ found: EnforcementClaim) -> EnforcementClaim {
        guard findings.tier != nil else {
            return EnforcementClaim(level: .none, gaps: ["no seccomp filter can be loaded: launch-jail refuses to run"])
        }
        return found
    }

    private var paths: EnforcementClaim {
        if hasNamespaces {
            var gaps: [String] = []
            if findings.landlockABI < 1 { gaps.append("Landlock is absent: mounts are the only wall") }
            if findings.tier == .t2 {
                gaps.append("the container's /proc is shown: command lines of its other processes can be read")
            }
            return EnforcementClaim(
                level: .kernel, mechanisms: ["mount-ns", "pivot-root"] + landlock + ["seccomp", "no-capabilities"],
                gaps: gaps)
        }
        guard findings.landlockABI >= 1 else {
            return EnforcementClaim(
                level: .none, mechanisms: ["seccomp"],
                gaps: ["neither a mount namespace nor Landlock: every file of the user can be read and written"])
        }
        var gaps = [
            "no mount namespace: names and metadata outside the granted paths can be seen, and mode, owner, times and "
                + "extended attributes of the user's own files can be changed"
        ]
        if findings.landlockABI < 3 { gaps.append("Landlock before ABI 3: files that can be read can be truncated") }
        return EnforcementClaim(level: .kernel, mechanisms: landlock + ["seccomp"], gaps: gaps)
    }

    /// A run finds out whether overlayfs can be mounted, and takes a private copy where it cannot: both need mounts.
    private func layered(_ mechanisms: [String]) -> EnforcementClaim {
        guard hasNamespaces else {
            return EnforcementClaim(
                level: .none, gaps: ["no mounts: workspace.mode overlay is refused, direct keeps no account of writes"])
        }
        return EnforcementClaim(
            level: .supervisor, mechanisms: ["overlayfs or private copy"] + mechanisms,
            notes: ["a layer on tmpfs also has the kernel's ceiling"])
    }

    private var egress: EnforcementClaim {
        hasNamespaces
            ? EnforcementClaim(level: .kernel, mechanisms: ["netns", "seccomp:sockets"])
            : EnforcementClaim(level: .kernel, mechanisms: ["seccomp:no-sockets"])
    }

    private var execution: EnforcementClaim {
        guard hasNamespaces else {
            guard findings.landlockABI >= 1 else {
                return EnforcementClaim(level: .none, gaps: ["nothing limits what may be executed"])
            }
            return EnforcementClaim(
                level: .kernel, mechanisms: landlock + ["seccomp"],
                gaps: ["no noexec mounts: a file that can be read can be run through the dynamic loader"])
        }
        var gaps: [String] = []
        if findings.landlockABI < 1 { gaps.append("Landlock is absent: exec.allow is not held") }
        if !findings.works(.seccompListener) {
            gaps.append("seccomp notification is taken: starts of programs are not recorded one by one")
        }
        return EnforcementClaim(
            level: .kernel, mechanisms: ["noexec-mounts"] + landlock + ["no-new-privs", "no-user-ns"],
            gaps: gaps)
    }

    private var budgets: EnforcementClaim {
        var mechanisms = ["supervisor-clock", "rlimit:cpu", "rlimit:nofile", "rlimit:fsize"]
        var gaps: [String] = []
        var level = EnforcementLevel.kernel
        let group = controllers
        mechanisms += group.words
        if !group.memory {
            level = .supervisor
            mechanisms += ["rlimit:data", "supervisor:memory"]
            gaps.append("no memory cgroup: memory is polled, a short burst can pass the budget before it is stopped")
        }
        if !group.processes {
            mechanisms.append(hasNamespaces ? "rlimit:nproc" : "supervisor:processes")
            if !hasNamespaces { level = .supervisor }
        }
        if !group.cpu {
            let hasClock = findings.works(.taskClock)
            mechanisms.append(hasClock ? "perf:task-clock" : "rusage")
            if !hasClock {
                gaps.append("neither a cgroup nor perf counts CPU time: a tree that hides its children reads low")
            }
        }
        mechanisms.append(hasNamespaces ? "kill:pid-ns" : "kill:subreaper")
        if !hasNamespaces {
            gaps.append("no pid namespace: the process tree is not killed in one step")
        }
        return EnforcementClaim(level: level, mechanisms: mechanisms, gaps: gaps)
    }

    /// What the writable cgroup brings, when making one was tried and worked.
    private var controllers: (words: [String], memory: Bool, processes: Bool, cpu: Bool) {
        guard findings.works(.cgroup) else { return ([], false, false, false) }
        switch findings.settings.cgroup {
        case .none: return ([], false, false, false)
        case .v1(let directories):
            let names = Set(directories.keys)
            let words = [("memory", "memory"), ("pids", "pids"), ("cpuacct", "cpu")]
                .filter { names.contains($0.0) }.map { "cgroup1:\($0.1)" }
            return (words, names.contains("memory"), names.contains("pids"), names.contains("cpuacct"))
        case .v2(_, let names):
            let words = ["memory", "pids"].filter(names.contains).map { "cgroup2:\($0)" } + ["cgroup2:cpu"]
            return (words, names.contains("memory"), names.contains("pids"), true)
        }
    }
}
