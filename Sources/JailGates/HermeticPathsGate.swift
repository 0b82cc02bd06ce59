import JailModel

/// Guarantee B: the command touched only the files that the policy grants.
///
/// Passes when the kernel walls stand whole, the jailed process read back that it has no privilege left, and the
/// canaries were refused. What the walls refused silently cannot be listed, and does not have to be: they held.
enum HermeticPathsGate {
    private static let gate = GateName.hermeticPaths

    static func judge(_ record: StepRecord) -> GateVerdict {
        var findings = Findings(gate)
        let claim = record.claim(.hermeticPaths)
        findings.evidence.append(claim.evidenceLine)
        if let applied = record.applied {
            judge(applied, &findings)
        } else {
            findings.missing.append("the jailed process did not read back its state")
        }
        judgeUser(record, &findings)
        findings.judgeCanaries(record, of: [.hermeticPaths, .untrustedExec], required: .hermeticPaths)
        judgeDenials(record, &findings)
        judgeProtectedPaths(record, &findings)
        judgeChanges(record, &findings)
        findings.judgeHandoffs(record)
        return findings.verdict(record, claim: claim, atLeast: .kernel)
    }

    /// SECBIT_NOROOT and its lock: uid 0 inside never regains capabilities (capabilities(7)).
    private static let lockedNoRoot: UInt32 = 0b11

    private static func judge(_ applied: AppliedState, _ findings: inout Findings) {
        let sets = [
            ("effective", applied.effectiveCapabilities), ("permitted", applied.permittedCapabilities),
            ("inheritable", applied.inheritableCapabilities), ("ambient", applied.ambientCapabilities),
        ]
        for (name, bits) in sets where bits != 0 {
            broken("the \(name) capability set is not empty: \(CapabilitySet(bits))", &findings)
        }
        if !applied.hasNoNewPrivileges { broken("no_new_privs is not set", &findings) }
        if applied.seccompFilters < 1 { broken("no seccomp filter is installed", &findings) }
        // A host without user namespaces cannot do these; the claim then has a gap, which is weighed before them.
        if applied.boundingCapabilities != 0 {
            let left = CapabilitySet(applied.boundingCapabilities)
            findings.missing.append("the bounding capability set is not empty: \(left)")
        }
        if applied.secureBits & lockedNoRoot != lockedNoRoot {
            findings.missing.append("the securebits are not locked: 0x" + String(applied.secureBits, radix: 16))
        }
        if applied.landlockABI < 1 { findings.missing.append("Landlock is not in force") }
        let held = (sets + [("bounding", applied.boundingCapabilities)]).filter { $0.1 != 0 }
        let capabilities = held.map { "\($0.0) \(CapabilitySet($0.1))" }
        findings.evidence.append(
            "read back: capabilities \(held.isEmpty ? "none" : capabilities.joined(separator: "; ")), no_new_privs "
                + (applied.hasNoNewPrivileges ? "on" : "off") + ", securebits 0x"
                + String(applied.secureBits, radix: 16)
                + ", seccomp filters \(applied.seccompFilters), landlock ABI \(applied.landlockABI), "
                + "uid \(applied.uid), gid \(applied.gid)")
    }

    private static func judgeUser(_ record: StepRecord, _ findings: inout Findings) {
        let user = record.host.target
        findings.evidence.append("user: \(user.insideUID) inside, \(user.outsideUID) on the host")
        if user.outsideUID == 0 { broken("the command ran as uid 0 of the host", &findings) }
    }

    private static func broken(_ what: String, _ findings: inout Findings) {
        findings.violate(
            .launchFailed, "the finished jail is not the planned one: \(what)",
            fix: "run `launch-jail doctor`; report this as a defect of launch-jail")
    }

    /// The mounts hold protected paths; a difference after the step means that they did not, or that a link was changed.
    private static func judgeProtectedPaths(_ record: StepRecord, _ findings: inout Findings) {
        for violation in record.pathViolations {
            findings.violate(
                .pathNotAllowed, "a protected path changed: \(violation)",
                fix: "restore it; drop it from workspace.protect only if the step may change it")
        }
    }

    /// Where writes land in a layer, what it holds is the proof of what was written.
    private static func judgeChanges(_ record: StepRecord, _ findings: inout Findings) {
        guard let changes = record.changes else {
            if record.workspaceMode == .overlay, record.whyNothingToJudge == nil {
                findings.missing.append("the changes of the step were not read")
            }
            return
        }
        findings.evidence.append(
            "changed paths compared with workspace.write and workspace.protect: \(changes.set.paths.count)")
        let shown = 50
        if changes.violations.count > shown {
            findings.violate(
                .pathNotAllowed,
                "\(changes.violations.count) paths were changed that must not be; the first \(shown) follow")
        }
        for violation in changes.violations.prefix(shown) {
            findings.violate(
                .pathNotAllowed, "\(violation.path) \(violation.reason)",
                fix: violation.remedy.isEmpty ? nil : violation.remedy)
        }
    }

    private static func judgeDenials(_ record: StepRecord, _ findings: inout Findings) {
        findings.violateDenials(record, kind: .file, code: .pathNotAllowed) { "\($0) is not granted by the policy" }
        let refused = record.denials.filter { $0.kind == .syscall }.reduce(UInt64(0)) { $0 &+ $1.count }
        if refused > 0 {
            findings.evidence.append("system calls refused: \(refused); the jail held, the report lists them")
        }
        if !record.areDenialsItemised {
            findings.remark = "refused attempts are not itemised on this host; they were refused all the same"
            findings.evidence.append("denials: not itemised")
        }
    }
}
