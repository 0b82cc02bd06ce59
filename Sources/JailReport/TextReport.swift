import JailModel

/// A report for people: what ran, what was denied and what would allow it, gate by gate, and what was used.
public enum TextReport {
    /// The whole text, ending in a newline.
    ///
    /// - Parameters:
    ///   - location: Where report.json is; left out when `nil`.
    ///   - colour: Whether escape sequences for colour are used.
    ///   - width: Columns of the terminal; at least 40 are used.
    public static func render(
        _ report: ReportDocument, location: String? = nil, colour: Bool = false, width: Int = 100
    ) -> String {
        var out = TextLines(style: TextStyle(isColoured: colour), width: width)
        headline(report, &out)
        failures(report, &out)
        denials(report, &out)
        changes(report, &out)
        gates(report, &out)
        usage(report, &out)
        remarks(report, &out)
        if let location {
            out.add()
            out.add("Report: \(SafeText.escape(location))")
        }
        return out.text
    }

    private static func headline(_ report: ReportDocument, _ out: inout TextLines) {
        let verdict = out.style.paint("\(report.verdict.word) (exit \(report.exitCode))", report.verdict.colour)
        out.add("launch-jail \(SafeText.escape(report.version)): \(verdict)")
        out.wrap(report.meaning, head: "", indent: 0)
        if !report.cause.isEmpty {
            out.wrap(report.cause, head: "", indent: 0)
            if !report.outcome.hint.isEmpty {
                out.wrap(SafeText.keepingEscapes(report.outcome.hint), head: "What to do: ", indent: 2)
            }
        }
        out.add()
        out.field("command", report.commandLine)
        let duration = report.child.isStarted ? " after \(secondsText(report.usage.wall))" : ""
        out.field("ended", report.ending + duration + orphans(report))
        if !report.command.executable.isEmpty {
            let digest = report.command.sha256.isEmpty ? "" : "  sha256 \(report.command.sha256.prefix(16))…"
            out.field("program", SafeText.escape(report.command.executable) + digest)
        }
        out.field("directory", SafeText.escape(report.command.cwd))
        out.field("policy", "\(SafeText.escape(report.policyName)), profile \(report.profile.rawValue)")
        out.field(
            "host",
            "Linux \(SafeText.escape(report.host.kernel)) \(SafeText.escape(report.host.arch)), "
                + "tier \(report.host.tier.rawValue), Landlock ABI \(report.host.landlockABI)")
        out.field("run", SafeText.escape(report.runID))
    }

    private static func orphans(_ report: ReportDocument) -> String {
        switch report.child.orphansKilled {
        case 0: ""
        case 1: "; 1 process that it left behind was killed"
        case let count: "; \(count) processes that it left behind were killed"
        }
    }

    private static func failures(_ report: ReportDocument, _ out: inout TextLines) {
        let failed = report.ownFailures
        guard !failed.isEmpty else { return }
        out.heading("What failed")
        for gate in failed {
            let head = "  \(gate.name.guarantee.letter)  "
            out.add(head + out.style.paint("\(gate.name.title): \(gate.status.word)", gate.status))
            for issue in report.issues(of: gate) where issue.severity >= .error {
                out.wrap(
                    "\(SafeText.keepingEscapes(issue.message)) [\(SafeText.escape(issue.code))]", head: "     - ",
                    indent: 7)
                guard !issue.suggestedFix.isEmpty else { continue }
                out.wrap(SafeText.keepingEscapes(issue.suggestedFix), head: "       what would change it: ", indent: 9)
            }
        }
    }

    private static func denials(_ report: ReportDocument, _ out: inout TextLines) {
        guard report.child.isStarted || !report.denials.isEmpty else { return }
        out.heading("Denied")
        if !report.areDenialsItemised {
            out.wrap(
                "Refused attempts cannot be listed one by one on this host; they were refused all the same.",
                head: "  ", indent: 2)
        }
        if report.denials.isEmpty && report.areDenialsItemised { out.add("  nothing") }
        for denial in report.denials {
            out.wrap(
                "\(SafeText.escape(denial.subject)), \(times(denial.count))",
                head: "  " + padded(denial.kind.rawValue, to: 9), indent: 11)
            out.field("by", SafeText.keepingEscapes(denial.rule), indent: 11, column: 20)
            if !denial.remedy.isEmpty {
                out.field("allow it", SafeText.keepingEscapes(denial.remedy), indent: 11, column: 20)
            }
        }
        if report.denialsDropped > 0 { out.add("  and \(report.denialsDropped) more that were counted only") }
    }

    private static func changes(_ report: ReportDocument, _ out: inout TextLines) {
        guard !report.changes.layer.isEmpty else { return }
        out.heading("Changes")
        for line in report.changes.summary(width: out.width).split(separator: "\n").prefix(40) { out.add(" \(line)") }
        if report.changes.files.count > 39 { out.add("  … `launch-jail diff --stat` has all") }
        for path in report.changes.conflicts { out.add("  changed outside meanwhile: \(SafeText.escape(path))") }
    }

    private static func gates(_ report: ReportDocument, _ out: inout TextLines) {
        out.heading("Gates")
        let titleWidth = (report.gates.map { $0.name.title.count }.max() ?? 0) + 2
        for gate in report.gates {
            let words = [
                "  \(gate.name.guarantee.letter)  ", padded(gate.name.title, to: titleWidth),
                padded(gate.status.word, to: 12), padded(gate.enforcement.rawValue, to: 12),
            ]
            let headWidth = words.reduce(0) { $0 + $1.count }
            let head = words[0] + words[1] + out.style.paint(words[2], gate.status) + words[3]
            let text = detail(gate, report)
            if out.width - headWidth >= 30 || text.isEmpty {
                out.wrap(text, head: head, indent: headWidth, headWidth: headWidth)
            } else {
                out.add(head)
                out.wrap(text, head: "     ", indent: 5)
            }
        }
    }

    private static func detail(_ gate: ReportDocument.Gate, _ report: ReportDocument) -> String {
        if gate.status == .blocked, gate.issues.isEmpty, !report.child.isStarted {
            return "not reached: the step did not start"
        }
        let parts = [gate.mechanisms.joined(separator: ", "), gate.reason].filter { !$0.isEmpty }
        return SafeText.keepingEscapes(parts.joined(separator: "; "))
    }

    private static func remarks(_ report: ReportDocument, _ out: inout TextLines) {
        if let signal = report.interruptedBy {
            out.heading("Interrupted")
            out.add("  launch-jail was stopped by signal \(signal)")
        }
        for (title, lines) in [
            ("Missing evidence", report.evidenceGaps), ("Warnings", report.allWarnings),
            ("Not prevented", report.child.isStarted ? report.residual : []),
        ] where !lines.isEmpty {
            out.heading(title)
            for line in lines { out.wrap(SafeText.keepingEscapes(line), head: "  - ", indent: 4) }
        }
    }
}
