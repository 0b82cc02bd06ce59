import JailModel

extension Findings {
    /// How many paths are told one by one; a step can change any number.
    static let handoffLimit = 50

    /// Counts the changes that make something run outside the jail: a violation, unless the policy allows the class.
    mutating func judgeHandoffs(_ record: StepRecord) {
        let allowed = Set(record.allowedHandoffs)
        for handoff in HandoffClass.allCases {
            let found = record.handoffs.filter { $0.handoff == handoff }
            if found.isEmpty { continue }
            if allowed.contains(handoff) {
                evidence.append("workspace.handoff allows \(handoff.rawValue): \(found.count) found")
                continue
            }
            tell(found, of: handoff, fix: Self.fix(allowed.union([handoff])))
        }
    }

    private mutating func tell(_ found: [TrustHandoff], of handoff: HandoffClass, fix: String) {
        let severity: Severity = handoff.isBlocking ? .blocker : .warn
        var issues = found.prefix(Self.handoffLimit).map { item in
            let name = item.path.bytes.isEmpty ? "." : item.path.description
            return Issue(
                gate: gate, severity: severity, code: .trustHandoff,
                message: "\(name) \(item.reason); this takes effect outside the jail (\(handoff.rawValue))",
                files: [name],
                suggestedFix: fix)
        }
        let rest = found.count - Self.handoffLimit
        if rest > 0 {
            issues.append(
                Issue(
                    gate: gate, severity: severity, code: .trustHandoff,
                    message: "\(rest) more changes of the class \(handoff.rawValue); the report lists them",
                    suggestedFix: fix))
        }
        if handoff.isBlocking { violations += issues } else { warnings += issues }
        evidence.append("handed over: \(handoff.rawValue), \(found.count) found")
    }

    private static func fix(_ allowed: Set<HandoffClass>) -> String {
        "workspace: {handoff: [\(allowed.sorted().map(\.rawValue).joined(separator: ", "))]}"
    }
}
