import JailModel

/// Guarantee D: nothing left over the network that the policy does not allow.
enum NetworkGate {
    private static let gate = GateName.networkAllowlist

    static func judge(_ record: StepRecord) -> GateVerdict {
        let claim = record.claim(.networkEgress)
        var findings = Findings(gate)
        findings.evidence += ["network.mode: \(record.networkMode.rawValue)", claim.evidenceLine]
        switch record.networkMode {
        case .none:
            judgeWall(record, &findings)
            return findings.verdict(record, claim: claim, atLeast: .supervisor)
        case .host:
            return givenAway(record, claim: claim, findings)
        case .allowlist:
            return notJudged(record, claim: claim, findings)
        }
    }

    private static func judgeWall(_ record: StepRecord, _ findings: inout Findings) {
        findings.judgeCanaries(record, of: [.networkEgress], required: .networkEgress)
        let severity: Severity = record.onDenied == .fail ? .blocker : .warn
        findings.violateDenials(record, kind: .network, code: .networkBlocked, severity: severity) {
            "a connection to \($0) was refused"
        }
        for entry in record.egress where entry.verdict == .allow {
            // Nothing is allowed in this mode, so an accepted connection is a hole and not a choice.
            findings.violate(
                .networkBlocked, "a connection to \(SafeText.escape(entry.host)):\(entry.port) was accepted")
        }
        if record.denialsDropped > 0 && record.onDenied == .fail {
            findings.missing.append(
                "\(record.denialsDropped) refused attempts beyond the cap are not listed, and any may be a connection")
        }
        guard !record.areDenialsItemised else { return }
        findings.remark = "refused attempts are not itemised on this host; they were refused all the same"
        findings.evidence.append("denials: not itemised")
    }

    /// `network.mode: host`: there is nothing to enforce, so it is never a pass.
    private static func givenAway(
        _ record: StepRecord, claim: EnforcementClaim, _ findings: Findings
    ) -> GateVerdict {
        if let why = record.whyNothingToJudge {
            return GateVerdict(
                gate: gate, status: .blocked, enforcement: claim, reason: why, evidence: findings.evidence)
        }
        let reason = "network.mode: host: the policy gives the network away; egress is not enforced"
        switch record.profile {
        case .local:
            return GateVerdict(
                gate: gate, status: .notApplicable, enforcement: claim, reason: reason, evidence: findings.evidence)
        case .ci, .prod:
            let issue = Issue(
                gate: gate, severity: .blocker, code: .networkAllowlistMissing, message: reason,
                suggestedFix: "network: {mode: none}")
            return GateVerdict(
                gate: gate, status: .blocked, enforcement: claim, reason: reason, issues: [issue],
                evidence: findings.evidence)
        }
    }

    private static func notJudged(
        _ record: StepRecord, claim: EnforcementClaim, _ findings: Findings
    ) -> GateVerdict {
        if let why = record.whyNothingToJudge {
            return GateVerdict(
                gate: gate, status: .blocked, enforcement: claim, reason: why, evidence: findings.evidence)
        }
        let reason = "network.mode: allowlist: this version does not judge an allowlist"
        let issue = Issue(
            gate: gate, severity: .blocker, code: .gateNotImplemented, message: reason,
            suggestedFix: "network: {mode: none}")
        return GateVerdict(
            gate: gate, status: .blocked, enforcement: claim, reason: reason, issues: [issue],
            evidence: findings.evidence)
    }
}
