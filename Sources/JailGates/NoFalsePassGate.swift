import JailModel

/// Guarantee E, its second half: the report claims nothing that its evidence does not carry.
///
/// Judges the run and the other verdicts. It is also where the run's own troubles stand: an interruption, a refusal to
/// start, a fault of launch-jail.
enum NoFalsePassGate {
    private static let gate = GateName.noFalsePass

    static func judge(_ record: StepRecord, _ others: [GateVerdict]) -> GateVerdict {
        var issues = runIssues(record)
        if case .ended = record.outcome { issues += gaps(record).map(incomplete) }
        issues += record.evidenceGaps.map { incomplete(SafeText.escape($0)) }
        issues += escapes(record, others)
        issues += unfoundedPasses(others).map(incomplete)
        return GateVerdict(
            gate: gate, status: issues.isEmpty ? .pass : .blocked,
            enforcement: EnforcementClaim(level: .static, mechanisms: ["report"]),
            reason: issues.first?.message ?? "", issues: issues, evidence: evidence(record, others))
    }

    private static func evidence(_ record: StepRecord, _ others: [GateVerdict]) -> [String] {
        func count(_ status: GateStatus) -> Int { others.count { $0.status == status } }
        var lines = [
            "gates: \(count(.pass)) pass, \(count(.fail)) fail, \(count(.blocked)) blocked, "
                + "\(count(.notApplicable)) not judged",
            "end of the process tree: \(record.noSurvivors.map { "proven by " + $0 } ?? "not proven")",
        ]
        if record.denialsDropped > 0 {
            lines.append("denials beyond the cap: \(record.denialsDropped), counted but not listed")
        }
        return lines
    }

    /// What stopped the run itself.
    private static func runIssues(_ record: StepRecord) -> [Issue] {
        var issues: [Issue] = []
        switch record.outcome {
        case .ended: break
        case .refused(let refusal):
            issues.append(
                Issue(
                    gate: gate, severity: .blocker, code: refusal.code, message: SafeText.escape(refusal.message),
                    suggestedFix: refusal.hint.isEmpty ? nil : refusal.hint))
        case .failed(let fault, _):
            let number = fault.errno == 0 ? "" : " (errno \(fault.errno))"
            issues.append(
                Issue(
                    gate: gate, severity: .blocker, code: .launchFailed,
                    message: "\(SafeText.escape(fault.step)): \(SafeText.escape(fault.message))\(number)"))
        }
        if let signal = record.interruptedBy {
            issues.append(
                Issue(
                    gate: gate, severity: .blocker, code: .runInterrupted,
                    message: "launch-jail was stopped by signal \(signal); the step was stopped and nothing counts",
                    suggestedFix: "run the step again"))
        }
        return issues
    }

    /// What a step that ended must have left and did not.
    private static func gaps(_ record: StepRecord) -> [String] {
        var found: [String] = []
        if record.noSurvivors == nil { found.append("the end of the whole process tree is not proven") }
        if record.planDigest == nil { found.append("the plan's digest is unknown") }
        let isOutputSpent = record.breaches.contains { $0.kind == .output }
        for (name, stream) in [("stdout", record.stdout), ("stderr", record.stderr)] {
            if stream.isTruncated && !isOutputSpent {
                found.append("\(name) was cut off without an output budget breach")
            }
            if stream.stored > 0 && stream.sha256 == nil { found.append("the digest of \(name) is unknown") }
            if !stream.isTruncated && stream.stored < stream.bytes {
                found.append("\(name) holds \(stream.stored) of \(stream.bytes) bytes")
            }
        }
        return found
    }

    /// Canaries that succeeded and that no gate of their guarantee told.
    private static func escapes(_ record: StepRecord, _ others: [GateVerdict]) -> [Issue] {
        let told = Set(
            others.filter { $0.issues.contains { $0.code == .canaryEscaped } }.map(\.gate.guarantee))
        return record.canaries.filter { !$0.wasDenied && !told.contains($0.guarantee) }.map { canary in
            Issue(
                gate: gate, severity: .blocker, code: .canaryEscaped,
                message: "the canary \(SafeText.escape(canary.name)) succeeded in the finished jail",
                suggestedFix: "run `launch-jail doctor`; report this as a defect of launch-jail")
        }
    }

    private static func unfoundedPasses(_ others: [GateVerdict]) -> [String] {
        others.filter { $0.status == .pass }.compactMap { verdict in
            if verdict.evidence.isEmpty { return "\(verdict.gate.rawValue) passes without evidence" }
            if verdict.enforcement.level <= .observed || !verdict.enforcement.gaps.isEmpty {
                return "\(verdict.gate.rawValue) passes although nothing enforces it whole"
            }
            return nil
        }
    }

    private static func incomplete(_ message: String) -> Issue {
        Issue(gate: gate, severity: .blocker, code: .evidenceIncomplete, message: message)
    }
}
