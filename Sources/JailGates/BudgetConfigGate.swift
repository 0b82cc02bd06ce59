import JailModel

/// Guarantee F, before the run: the policy sets every budget that stops a step which never ends or eats the host.
enum BudgetConfigGate {
    private static let gate = GateName.budgetConfig

    /// What every step needs; the rest bounds what only some steps do.
    static let needed: [BudgetKind] = [.runtime, .cpu, .memory, .processes, .openFiles, .output]

    static func judge(_ record: StepRecord) -> GateVerdict {
        let claim = EnforcementClaim(level: .static, mechanisms: ["policy"])
        if let why = record.whyNothingToJudge, record.budgets.isEmpty {
            return GateVerdict(gate: gate, status: .blocked, enforcement: claim, reason: why)
        }
        let evidence = BudgetKind.allCases.compactMap { kind in
            record.budgets[kind].map { "\(kind.rawValue): \($0)" }
        }
        let absent = needed.filter { record.budgets[$0] == nil }
        let isBinding = record.profile == .prod
        let issues = absent.map { kind in
            Issue(
                gate: gate, severity: isBinding ? .blocker : .warn, code: .budgetMissing,
                message: "the policy sets no \(kind.rawValue)",
                suggestedFix: "budgets: {\(kind.rawValue): \(example(kind))}")
        }
        guard !absent.isEmpty else {
            return GateVerdict(gate: gate, status: .pass, enforcement: claim, evidence: evidence)
        }
        return GateVerdict(
            gate: gate, status: isBinding ? .fail : .pass, enforcement: claim,
            reason: "not limited: " + absent.map(\.rawValue).joined(separator: ", "), issues: issues,
            evidence: evidence + absent.map { "\($0.rawValue): not set" })
    }

    private static func example(_ kind: BudgetKind) -> String {
        switch kind {
        case .memory: "4GiB"
        case .processes: "256"
        case .openFiles: "1024"
        case .output: "64MiB"
        default: "3600"
        }
    }
}
