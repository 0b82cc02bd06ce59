import JailModel

/// Guarantee G: the step changed no more than its budget, counted on what it left behind.
enum ChangeBudgetGate {
    private static let gate = GateName.changeBudget
    /// Above this share of formatting-only lines a diff hides what it does (guarantees.md, section G).
    private static let formattingPercent: UInt64 = 80

    /// How many files are told one by one.
    private static let shown = 20

    static func judge(_ record: StepRecord) -> GateVerdict {
        var findings = Findings(gate)
        let claim = record.claim(.changeBudget)
        findings.evidence.append(claim.evidenceLine)
        switch record.workspaceMode {
        case .readonly: findings.remark = "the workspace is read-only"
        case .direct: break
        case .overlay:
            guard let changes = record.changes else {
                findings.missing.append("the changes of the step were not read")
                break
            }
            judge(changes, record, &findings)
        }
        for breach in record.breaches where breach.kind.guarantee == .changeBudget { findings.violate(breach) }
        return findings.verdict(record, claim: claim, atLeast: .supervisor)
    }

    private static func judge(_ changes: ChangeRecord, _ record: StepRecord, _ findings: inout Findings) {
        findings.evidence.append(
            "changes: \(changes.set.filesChanged) files, \(changes.fileWrites) writes, "
                + "\(changes.set.bytesWritten) bytes, by \(changes.layer)")
        if !changes.isComplete {
            findings.violate(
                .changeBudget, "what is beyond max_bytes_written was not read, so its lines are not counted",
                fix: "budgets: {max_bytes_written: …} with room for what the step writes")
        }
        let breached = Set(record.breaches.map(\.kind))
        for (kind, used) in [
            (BudgetKind.filesChanged, changes.set.filesChanged), (.fileWrites, changes.fileWrites),
        ] where !breached.contains(kind) {
            guard let limit = record.budgets[kind] else { continue }
            findings.evidence.append("limit: \(kind.rawValue) \(limit)")
            if used > limit {
                findings.violate(BudgetBreach(kind: kind, limit: limit, observed: used, meter: "the change set"))
            }
        }
        judgeLines(changes, record, &findings)
        judgeFormatting(changes, record, &findings)
    }

    private static func judgeLines(_ changes: ChangeRecord, _ record: StepRecord, _ findings: inout Findings) {
        guard let limit = record.budgets[.linesPerFile] else { return }
        findings.evidence.append("limit: max_lines_per_file \(limit)")
        for change in changes.set.paths where change.hasUncountedLines {
            findings.violate(
                .changeBudget, "max_lines_per_file: \(change.path) is too large to be compared line by line",
                fix: "leave it out of the change, or write it below workspace.scratch")
        }
        let over = changes.set.paths.filter { ($0.lines?.budget ?? 0) > limit }
        if over.count > Self.shown {
            findings.violate(.changeBudget, "max_lines_per_file: \(over.count) files are above \(limit)")
        }
        for change in over.prefix(Self.shown) {
            guard let lines = change.lines else { continue }
            findings.violate(
                .changeBudget,
                "max_lines_per_file: \(limit) allowed, \(lines.budget) changed in \(change.path) "
                    + "(+\(lines.added) -\(lines.removed))",
                fix: "budgets: {max_lines_per_file: \(lines.budget)}")
        }
    }

    private static func judgeFormatting(_ changes: ChangeRecord, _ record: StepRecord, _ findings: inout Findings) {
        let counted = changes.set.paths.compactMap(\.lines)
        let total = counted.reduce(UInt64(0)) { $0 &+ $1.total }
        let formatting = counted.reduce(UInt64(0)) { $0 &+ $1.formatting }
        guard total > 0 else { return }
        findings.evidence.append("lines: \(total), formatting only: \(formatting)")
        // Dividing first would let 80.9 % pass as 80.
        guard formatting.multipliedFullWidth(by: 100) > total.multipliedFullWidth(by: formattingPercent) else { return }
        let message = "\(formatting) of \(total) changed lines are formatting only"
        if record.profile == .prod {
            findings.violate(.formattingOnlyDiff, message, fix: "keep formatting and meaning in separate steps")
        } else {
            findings.warnings.append(
                Issue(gate: gate, severity: .warn, code: .formattingOnlyDiff, message: message))
        }
    }
}

extension ChangedPath {
    /// Whether this is text whose lines nobody counted.
    fileprivate var hasUncountedLines: Bool {
        guard lines == nil, !isBinary, kind != .mode else { return false }
        return (before?.kind ?? .file) == .file && (after?.kind ?? .file) == .file && !(before == nil && after == nil)
    }
}
