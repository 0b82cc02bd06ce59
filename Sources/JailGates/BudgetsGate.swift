import JailModel

/// Guarantee F, in the run: the step stayed within its budgets, by meters that it could not evade.
enum BudgetsGate {
    private static let gate = GateName.budgets

    static func judge(_ record: StepRecord) -> GateVerdict {
        var findings = Findings(gate)
        var claim = record.claim(.budgets)
        findings.evidence.append(claim.evidenceLine)
        for kind in BudgetKind.allCases where kind.guarantee == .budgets {
            guard let limit = record.budgets[kind] else { continue }
            findings.evidence.append("limit: \(kind.rawValue) \(limit)\(kind.unitSuffix)")
        }
        for breach in record.breaches + overruns(record) where breach.kind.guarantee == .budgets {
            findings.violate(breach)
        }
        judgeMeters(record, &claim, &findings)
        return findings.verdict(record, claim: claim, atLeast: .supervisor)
    }

    /// What no breach was recorded for although the usage is above the limit: a meter and a stopper that disagree
    /// never make a pass.
    private static func overruns(_ record: StepRecord) -> [BudgetBreach] {
        let recorded = Set(record.breaches.map(\.kind))
        return BudgetKind.allCases.compactMap { kind in
            guard !recorded.contains(kind), let limit = record.budgets[kind],
                let used = record.usage.amount(of: kind), used > limit
            else { return nil }
            return BudgetBreach(kind: kind, limit: limit, observed: used, meter: "usage at the end")
        }
    }

    private static func judgeMeters(_ record: StepRecord, _ claim: inout EnforcementClaim, _ findings: inout Findings) {
        if record.budgets[.cpu] != nil {
            let meter = record.usage.cpuMeter
            findings.evidence.append("cpu meter: \(meter.isEmpty ? "none" : meter)")
            if meter.isEmpty { findings.missing.append("nothing metered the CPU time") }
            if meter.hasPrefix("rusage") {
                claim.level = min(claim.level, .observed)
                claim.gaps.append("CPU time is only known from \(meter), which a child that is never waited for evades")
            }
        }
        if record.budgets[.memory] != nil {
            let meter = record.usage.memoryMeter
            findings.evidence.append("memory meter: \(meter.isEmpty ? "none" : meter)")
            if meter.isEmpty { findings.missing.append("nothing metered the memory") }
        }
    }
}

extension Findings {
    /// Tells a budget that ran out, with the policy line that would give more.
    mutating func violate(_ breach: BudgetBreach) {
        let unit = breach.kind.unitSuffix
        violate(
            breach.kind.errorCode,
            "\(breach.kind.rawValue): \(breach.limit)\(unit) allowed, \(breach.observed)\(unit) seen by "
                + SafeText.escape(breach.meter),
            fix:
                "budgets: {\(breach.kind.rawValue): \(breach.kind.policyText(max(doubled(breach.limit), breach.observed)))}"
        )
    }

    private func doubled(_ limit: UInt64) -> UInt64 {
        let (twice, overflow) = max(limit, 1).multipliedReportingOverflow(by: 2)
        return overflow ? limit : twice
    }
}

extension BudgetKind {
    /// ` s`, ` bytes`, or nothing for a count.
    var unitSuffix: String {
        switch self {
        case .runtime, .cpu: " s"
        case .memory, .output, .bytesWritten, .egress: " bytes"
        default: ""
        }
    }

    /// A limit as a policy writes it.
    func policyText(_ limit: UInt64) -> String {
        switch self {
        case .memory, .output, .bytesWritten, .egress: ByteCount(limit).description
        default: String(limit)
        }
    }
}

extension Usage {
    /// What was used of a budget, in its unit, times rounded up; `nil` where usage does not hold it.
    func amount(of kind: BudgetKind) -> UInt64? {
        switch kind {
        case .runtime: wall.secondsRoundedUp
        case .cpu: cpu.secondsRoundedUp
        case .memory: maxRSS.value
        case .output: outputBytes
        case .bytesWritten: bytesWritten
        case .filesChanged: filesChanged
        case .fileWrites: fileWrites
        case .connections: connections
        case .egress: egressBytes
        case .llmCalls: llmCalls
        case .llmTokens: llmTokens
        case .denials: denials
        case .processes, .openFiles, .linesPerFile, .patchAttempts: nil
        }
    }
}

extension Duration {
    fileprivate var secondsRoundedUp: UInt64 {
        let parts = components
        return UInt64(max(0, parts.seconds)) + (parts.attoseconds > 0 ? 1 : 0)
    }
}
