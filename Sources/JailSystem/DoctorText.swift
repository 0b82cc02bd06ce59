internal import JailModel

extension DoctorReport {
    /// The report for a person who has never seen one.
    public var text: String {
        var lines = [
            "launch-jail doctor: Linux \(findings.settings.kernel) on \(findings.settings.arch), "
                + "uid \(findings.settings.uid)",
            "", Self.headline(tier), "",
            "What would enforce each guarantee here:",
        ]
        for guarantee in Guarantee.allCases {
            switch guarantees[guarantee] {
            case .enforced(let claim):
                let by = claim.mechanisms.isEmpty ? "" : claim.mechanisms.joined(separator: ", ")
                lines.append(Self.row(guarantee, claim.level.rawValue) + by)
                for gap in claim.gaps { lines.append(Self.pad("", 34) + "open: \(gap)") }
            case .later(let what): lines.append(Self.row(guarantee, "not yet") + what)
            case nil: break
            }
        }
        lines += ["", "What was tried, each in a process of its own that is gone now:"]
        for result in ProbeName.allCases.compactMap({ findings.results[$0] }) {
            var line = "  " + Self.pad(result.isOK ? "ok" : Errno.name(result.errno), 11) + result.name.operation
            if result.name == .landlockABI, result.isOK { line += ": \(result.value)" }
            if !result.isOK, !result.step.isEmpty { line += " (failed: \(SafeText.escape(result.step)))" }
            lines.append(line)
        }
        lines += notes
        if remedies.isEmpty {
            lines += ["", "Nothing to improve."]
        } else {
            lines += ["", "What can be improved:"]
            for (index, remedy) in remedies.enumerated() {
                lines.append("  \(index + 1). \(remedy.symptom)")
                lines.append("     why:   \(remedy.cause)")
                for step in remedy.steps { lines.append("     do:    \(step)") }
                lines.append("     gains: \(remedy.gain)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func headline(_ tier: Tier?) -> String {
        switch tier {
        case .t1: "Tier T1: the whole jail. Namespaces, a fresh /proc and seccomp hold here."
        case .t2: "Tier T2: the whole jail, but the container's /proc is shown instead of a fresh one."
        case .t3: "Tier T3: no namespaces. Landlock and seccomp hold; what they leave open is listed below."
        case .t4: "Tier T4: seccomp only. Files are not walled off; a policy that requires that is refused (exit 6)."
        case nil: "No tier: a seccomp filter cannot be loaded here, and launch-jail refuses to run anything (exit 6)."
        }
    }

    /// Settings that are worth knowing and need no action.
    private var notes: [String] {
        var out: [String] = []
        let settings = findings.settings
        if settings.legacyTIOCSTI == 1 {
            out.append("dev.tty.legacy_tiocsti is 1; the jail's own session and its filter hold against it")
        }
        if let scope = settings.yamaScope, scope >= 2 {
            out.append("kernel.yama.ptrace_scope is \(scope): recording of program starts may need root")
        }
        if findings.failure(.memfdSysctl) != nil {
            out.append("vm.memfd_noexec cannot be set by this user; the filter seals memfds instead")
        }
        if findings.failure(.execveCheck) != nil || findings.failure(.mdwe) != nil {
            out.append("newer kernels bring optional hardening that nothing above rests on (docs/kernel-matrix.md)")
        }
        return out.isEmpty ? [] : ["", "Good to know:"] + out.map { "  - \($0)" }
    }

    private static func row(_ guarantee: Guarantee, _ level: String) -> String {
        "  " + guarantee.letter + "  " + pad(guarantee.rawValue, 17) + pad(level, 12)
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
