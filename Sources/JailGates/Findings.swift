import JailModel

/// What a run-time gate found in the record, before the host's limits and the profile are weighed in.
struct Findings {
    let gate: GateName
    /// What broke the guarantee.
    var violations: [Issue] = []
    /// Worth telling, but not against the policy.
    var warnings: [Issue] = []
    /// Evidence that should be there and is not, one phrase each.
    var missing: [String] = []
    /// What the gate log says; no timestamps.
    var evidence: [String] = []
    /// Said even when the gate passes.
    var remark = ""

    init(_ gate: GateName) { self.gate = gate }

    mutating func violate(_ code: ErrorCode, _ message: String, fix: String? = nil) {
        violations.append(Issue(gate: gate, severity: .blocker, code: code, message: message, suggestedFix: fix))
    }

    /// Weighs the findings: what could not be judged, then what was broken, then what the host leaves open, then what
    /// is not proven; only what is left is a pass.
    ///
    /// - Parameters:
    ///   - claim: What enforced the guarantee in this launch.
    ///   - minimum: The weakest level that counts as enforced.
    func verdict(_ record: StepRecord, claim: EnforcementClaim, atLeast minimum: EnforcementLevel) -> GateVerdict {
        // ORDER: a broken rule is told even where the host could not have enforced it; a gap is told before missing
        // evidence, because a mechanism that this host lacks leaves none.
        if let why = record.whyNothingToJudge {
            return GateVerdict(gate: gate, status: .blocked, enforcement: claim, reason: why, evidence: evidence)
        }
        if !violations.isEmpty {
            return GateVerdict(
                gate: gate, status: .fail, enforcement: claim, reason: violations[0].message,
                issues: violations + warnings, evidence: evidence)
        }
        let gaps = claim.openings(atLeast: minimum)
        if !gaps.isEmpty { return unenforced(record.profile, claim: claim, gaps: gaps) }
        if !missing.isEmpty {
            let message = "evidence is missing: " + missing.joined(separator: "; ")
            let issue = Issue(
                gate: gate, severity: .blocker, code: .evidenceIncomplete, message: message,
                suggestedFix: "run `launch-jail doctor`, and run the step again")
            return GateVerdict(
                gate: gate, status: .blocked, enforcement: claim, reason: message, issues: [issue] + warnings,
                evidence: evidence)
        }
        return GateVerdict(
            gate: gate, status: .pass, enforcement: claim,
            reason: (remark.isEmpty ? claim.notes : [remark] + claim.notes).joined(separator: "; "), issues: warnings,
            evidence: evidence)
    }

    /// The same finding counts by profile: told in `local`, a failure in `ci` and `prod` (guarantees.md, section 2.1).
    private func unenforced(_ profile: Profile, claim: EnforcementClaim, gaps: [String]) -> GateVerdict {
        let what = gaps.joined(separator: "; ")
        switch profile {
        case .local:
            return GateVerdict(
                gate: gate, status: .notApplicable, enforcement: claim,
                reason: "not enforced on this host: \(what); the policy does not require it", issues: warnings,
                evidence: evidence)
        case .ci, .prod:
            let message = "\(gate.guarantee.rawValue) is not enforced on this host: \(what)"
            let issue = Issue(
                gate: gate, severity: .blocker, code: .notEnforceable, message: message,
                suggestedFix: "run `launch-jail doctor`: it names what this host lacks and the remedy")
            return GateVerdict(
                gate: gate, status: .blocked, enforcement: claim, reason: message, issues: [issue] + warnings,
                evidence: evidence)
        }
    }
}

extension EnforcementClaim {
    /// Why this claim is not a whole one; empty when the guarantee holds.
    func openings(atLeast minimum: EnforcementLevel) -> [String] {
        if !gaps.isEmpty { return gaps }
        if level >= minimum { return [] }
        return [level == .none ? "nothing enforces it" : "it is only \(level.rawValue)"]
    }

    /// One line for a gate log.
    var evidenceLine: String {
        let how = mechanisms.isEmpty ? "" : " (" + mechanisms.joined(separator: ", ") + ")"
        return "enforced by: \(level.rawValue)\(how)"
    }
}

extension StepRecord {
    /// Why there is nothing for a run-time gate to judge; `nil` when the step ran to its end.
    var whyNothingToJudge: String? {
        switch outcome {
        case .ended: nil
        case .refused(let refusal): "the step did not start: \(SafeText.escape(refusal.message))"
        case .failed(let fault, started: false): "the step did not start: \(SafeText.escape(fault.message))"
        case .failed(let fault, started: true):
            "launch-jail failed while the step ran: \(SafeText.escape(fault.message))"
        }
    }

    /// What enforced a guarantee in this launch; nothing, when nobody claimed it.
    func claim(_ guarantee: Guarantee) -> EnforcementClaim { enforcement[guarantee] ?? .none }
}
