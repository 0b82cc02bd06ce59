import JailModel

/// What `run` says on stderr at the end: one line for a pass; otherwise what failed, why, and what would change it.
public enum SummaryText {
    /// How many denials are shown; the report has all.
    private static let denialLimit = 10

    /// The text, ending in a newline.
    ///
    /// - Parameters:
    ///   - location: The run directory.
    ///   - colour: Whether escape sequences for colour are used.
    public static func render(
        _ report: ReportDocument, location: String? = nil, colour: Bool = false, width: Int = 100
    ) -> String {
        let style = TextStyle(isColoured: colour)
        let place = location.map { "  " + SafeText.escape($0) } ?? ""
        if report.verdict == .pass {
            return "launch-jail: \(style.paint("pass", .green))  \(counts(report))\(changes(report))  "
                + "\(secondsText(report.usage.wall))\(place)\n"
        }
        var out = TextLines(style: style, width: width)
        headline(report, &out)
        for gate in report.ownFailures { failure(gate, report, &out) }
        denials(report, &out)
        if report.child.isStarted {
            out.add("  \(counts(report))\(changes(report))  \(secondsText(report.usage.wall))\(place)")
            if report.changes.state == .pending {
                out.wrap(
                    "the workspace is untouched; `launch-jail diff \(SafeText.escape(report.runID))` shows what would have "
                        + "changed", head: "  ", indent: 2)
            }
        } else if let location {
            out.add("  report: \(SafeText.escape(location))/report.json")
        }
        return out.text
    }

    private static func counts(_ report: ReportDocument) -> String {
        let passed = report.count(.pass)
        var parts = ["\(passed) \(passed == 1 ? "gate passes" : "gates pass")"]
        let failed = report.count(.fail) + report.count(.blocked)
        if failed > 0 { parts.append("\(failed) failed") }
        let rest = report.count(.notApplicable)
        if rest > 0 { parts.append("\(rest) not judged") }
        let warnings = report.allWarnings.count
        if warnings > 0 { parts.append("\(warnings) \(warnings == 1 ? "warning" : "warnings")") }
        return parts.joined(separator: ", ")
    }

    private static func changes(_ report: ReportDocument) -> String {
        let changes = report.changes
        if changes.files.isEmpty { return "" }
        let directories = changes.files.count { $0.isDirectory }
        let what =
            changes.count == 0
            ? "\(directories) \(directories == 1 ? "directory" : "directories")"
            : changes.counted(changes.count, "file")
        return "  \(what) changed (\(changes.words))"
    }

    private static func headline(_ report: ReportDocument, _ out: inout TextLines) {
        let verdict = "\(report.verdict.word) (exit \(report.exitCode))"
        let head = "launch-jail: " + out.style.paint(verdict, report.verdict.colour)
        let why =
            report.cause.isEmpty ? "`\(report.commandLine)` \(report.ending)" : report.cause
        out.wrap(why, head: head + ": ", indent: 2, headWidth: verdict.count + 15)
        guard !report.outcome.hint.isEmpty else { return }
        out.wrap(SafeText.keepingEscapes(report.outcome.hint), head: "  what to do: ", indent: 4)
    }

    private static func failure(_ gate: ReportDocument.Gate, _ report: ReportDocument, _ out: inout TextLines) {
        out.add(
            "  " + out.style.paint("\(gate.status.word) \(gate.name.guarantee.letter) \(gate.name.title)", gate.status))
        let causes = report.issues(of: gate).filter { $0.severity >= .error }
        for issue in causes.prefix(3) {
            out.wrap(SafeText.keepingEscapes(issue.message), head: "    why:      ", indent: 14)
            if !issue.suggestedFix.isEmpty {
                out.wrap(SafeText.keepingEscapes(issue.suggestedFix), head: "    change:   ", indent: 14)
            }
        }
        if causes.count > 3 { out.add("    and \(causes.count - 3) more") }
        let proof = gate.evidence.first { $0.hasPrefix("enforced by: ") } ?? gate.evidence.first
        if let evidence = proof {
            out.wrap(
                "\(SafeText.keepingEscapes(evidence)); gates/\(gate.name.rawValue).log", head: "    evidence: ",
                indent: 14)
        }
    }

    private static func denials(_ report: ReportDocument, _ out: inout TextLines) {
        guard !report.denials.isEmpty else { return }
        out.add("  denied:")
        for denial in report.denials.prefix(denialLimit) {
            let remedy = denial.remedy.isEmpty ? "" : "; allowed by `\(SafeText.keepingEscapes(denial.remedy))`"
            out.wrap(
                "\(SafeText.escape(denial.subject)), \(times(denial.count)) (\(SafeText.keepingEscapes(denial.rule)))\(remedy)",
                head: "    \(padded(denial.kind.rawValue, to: 8))", indent: 12)
        }
        let rest = Int64(max(0, report.denials.count - denialLimit)) + report.denialsDropped
        if rest > 0 { out.add("    and \(rest) more") }
    }
}
