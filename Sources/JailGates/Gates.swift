public import JailModel

/// The judgement of a run: evidence in, verdicts out, and nothing else is read.
///
/// Pure functions of the closed ``StepRecord``, so that an auditor can judge the same evidence again and must come to
/// the same verdict. Guarantees A to L; contract sections 2 and 4.
public enum Gates {
    /// The guarantees that this version does not judge; `prod` wants all twelve, so nothing can pass there.
    public static var unjudged: [Guarantee] { Set(UnjudgedGates.reasons.keys.map(\.guarantee)).sorted() }

    /// Judges every gate, in the order of `GateName.allCases`.
    ///
    /// A gate that could not be judged is `blocked`, one that this version does not judge is `not_applicable` (in the
    /// profile `prod`: blocked); neither is ever a pass.
    public static func judge(_ record: StepRecord) -> [GateVerdict] {
        // ORDER: the no-false-pass gate judges the other verdicts, so it comes last and is put in its place after.
        let others = GateName.allCases.filter { $0 != .noFalsePass }.map { judge($0, record) }
        let last = NoFalsePassGate.judge(record, others)
        return GateName.allCases.map { name in others.first { $0.gate == name } ?? last }
    }

    /// What the run came to, with the precedence 5, 6, 2, 3, 4, 1, 0.
    ///
    /// `verdicts` is what ``judge(_:)`` returned; a list that does not hold each gate once is itself an internal error.
    public static func decide(_ record: StepRecord, _ verdicts: [GateVerdict]) -> Verdict {
        var found = [outcomeVerdict(record)]
        if record.interruptedBy != nil || !record.evidenceGaps.isEmpty { found.append(.internal) }
        if record.canaries.contains(where: { !$0.wasDenied }) { found.append(.internal) }
        if verdicts.map(\.gate) != GateName.allCases { found.append(.internal) }
        if case .ended = record.outcome {
            for verdict in verdicts where verdict.isFailure {
                let causes = verdict.issues.filter { $0.severity >= .error }.map(\.code.verdict)
                found += causes.isEmpty ? [.violation] : causes
            }
        }
        return Verdict.worst(found)
    }

    private static func outcomeVerdict(_ record: StepRecord) -> Verdict {
        switch record.outcome {
        case .ended(.exited(0)): .pass
        case .ended: .childFailed
        case .failed: .internal
        case .refused(let refusal):
            switch refusal.verdict {
            case .invalid, .unenforceable, .violation, .internal: refusal.verdict
            // Nothing that did not start can have passed, failed by itself or lost a dependency.
            case .pass, .childFailed, .external: .internal
            }
        }
    }

    private static func judge(_ gate: GateName, _ record: StepRecord) -> GateVerdict {
        switch gate {
        case .hermeticPaths: HermeticPathsGate.judge(record)
        case .networkAllowlist: NetworkGate.judge(record)
        case .budgetConfig: BudgetConfigGate.judge(record)
        case .budgets: BudgetsGate.judge(record)
        case .untrustedCode: UntrustedCodeGate.judge(record)
        case .changeBudget: ChangeBudgetGate.judge(record)
        case .rollbackCapability: RollbackGate.judge(record)
        case .pinnedRefs, .supplyChainPinning, .secretsHygiene, .noFalsePass, .ciParity, .testDeterminism,
            .versionLocks:
            UnjudgedGates.judge(gate, record)
        }
    }
}
