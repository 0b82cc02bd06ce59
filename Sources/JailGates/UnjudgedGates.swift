import JailModel

/// The gates that this version does not judge, in one table: an issue that builds one deletes its line here.
///
/// None of them is ever a pass: told in `local`, a warning in `ci`, blocked in `prod` (guarantees.md, section 2.1).
enum UnjudgedGates {
    /// Gates by name, each with the reason in words.
    static let reasons: [GateName: String] = [
        .pinnedRefs: "this version does not verify pinned inputs",
        .supplyChainPinning: "this version does not verify lock files and tool digests",
        .secretsHygiene: "this version does not scan for secrets",
        .ciParity: "this version does not compare local and CI runs",
        .testDeterminism: "this version does not repeat runs",
        .versionLocks: "this version does not verify version locks",
    ]

    static func judge(_ gate: GateName, _ record: StepRecord) -> GateVerdict {
        let reason = reasons[gate] ?? "this version does not judge it"
        var findings = Findings(gate)
        for breach in record.breaches where breach.kind.guarantee == gate.guarantee { findings.violate(breach) }
        if !findings.violations.isEmpty {
            return GateVerdict(
                gate: gate, status: .fail, enforcement: .none, reason: findings.violations[0].message,
                issues: findings.violations)
        }
        let isBinding = record.profile == .prod
        let issue = Issue(
            gate: gate, severity: isBinding ? .blocker : .warn, code: .gateNotImplemented,
            message: "\(gate.guarantee.rawValue): \(reason)")
        return GateVerdict(
            gate: gate, status: isBinding ? .blocked : .notApplicable, enforcement: .none, reason: reason,
            issues: record.profile == .local ? [] : [issue])
    }
}
