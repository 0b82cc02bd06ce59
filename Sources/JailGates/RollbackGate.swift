import JailModel

/// Guarantee L: what the step changed is either not in the workspace, or can be taken back, and that was checked.
enum RollbackGate {
    private static let gate = GateName.rollbackCapability

    static func judge(_ record: StepRecord) -> GateVerdict {
        var findings = Findings(gate)
        let claim = record.claim(.rollback)
        findings.evidence.append(claim.evidenceLine)
        switch record.workspaceMode {
        case .readonly: findings.remark = "the workspace is read-only: there is nothing to take back"
        case .direct: break
        case .overlay:
            guard let changes = record.changes else {
                findings.missing.append("the changes of the step were not read")
                break
            }
            judge(changes, &findings)
        }
        return findings.verdict(record, claim: claim, atLeast: .supervisor)
    }

    private static func judge(_ changes: ChangeRecord, _ findings: inout Findings) {
        findings.evidence.append("changes are \(changes.state.rawValue)")
        switch changes.publication {
        case .notTried:
            findings.remark =
                changes.set.isEmpty ? "nothing changed" : "nothing was published: the workspace is as it was"
        case .published(let before, let after, let operations, let problems):
            findings.evidence.append("tree before \(before.hex), after \(after.hex), \(operations) operations")
            for problem in problems { findings.missing.append(problem) }
        case .conflict(let paths):
            for path in paths {
                findings.violate(
                    .commitConflict, "\(path) was changed outside the jail while the step ran; nothing was published",
                    fix: "look at `launch-jail diff`, then run the step again")
            }
        case .failed(let why): findings.missing.append("publishing failed: \(why)")
        }
    }
}
