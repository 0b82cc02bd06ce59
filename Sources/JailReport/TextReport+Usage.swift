import JailModel

extension TextReport {
    /// What was used of each budget, and budgets that usage does not meter.
    static func usage(_ report: ReportDocument, _ out: inout TextLines) {
        guard report.child.isStarted else { return }
        out.heading("Used")
        let used = report.usage
        line("wall time", secondsText(used.wall), report, .runtime, &out)
        line("CPU time", secondsText(used.cpu), report, .cpu, &out, meter: used.cpuMeter)
        line("memory", sizeText(used.memory), report, .memory, &out, meter: used.memoryMeter)
        line("output", sizeText(used.counts["output_bytes"] ?? 0), report, .output, &out)
        let rest: [(String, String, BudgetKind)] = [
            ("written", "bytes_written", .bytesWritten), ("files changed", "files_changed", .filesChanged),
            ("file writes", "file_writes", .fileWrites), ("connections", "connections", .connections),
            ("egress", "egress_bytes", .egress), ("LLM calls", "llm_calls", .llmCalls),
            ("LLM tokens", "llm_tokens", .llmTokens), ("denials", "denials", .denials),
        ]
        for (label, key, kind) in rest {
            let count = used.counts[key] ?? 0
            guard count > 0 || report.budgets[kind] != nil else { continue }
            line(label, amount(count, kind), report, kind, &out)
        }
        if let execs = used.counts["execs"], execs > 0 { out.field("programs", "\(execs) started", column: 17) }
        for kind in [BudgetKind.processes, .openFiles] {
            guard let limit = report.budgets[kind] else { continue }
            out.field(kind == .processes ? "processes" : "open files", "limited to \(limit)", column: 17)
        }
    }

    private static func line(
        _ label: String, _ text: String, _ report: ReportDocument, _ kind: BudgetKind, _ out: inout TextLines,
        meter: String = ""
    ) {
        let limit = report.budgets[kind].map { " of " + amount($0, kind) } ?? ", no limit"
        let source = meter.isEmpty ? "" : " (by \(SafeText.escape(meter)))"
        out.field(label, text + limit + source, column: 17)
    }

    private static func amount(_ value: Int64, _ kind: BudgetKind) -> String {
        switch kind {
        case .runtime, .cpu: "\(value) s"
        case .memory, .output, .bytesWritten, .egress: sizeText(value)
        default: String(value)
        }
    }
}
