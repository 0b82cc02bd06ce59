public import JailModel

/// One finding as a file of its own, in the closed shape that compatible readers accept (guarantees.md, section 2.5).
public enum IssueFile {
    /// The members; keys without a value are left out, since null is invalid there.
    public static func json(_ finding: Finding) -> JSONValue {
        let issue = finding.issue
        var members: [String: JSONValue] = [
            "error_code": .string(issue.code.rawValue), "gate": .string(issue.gate.rawValue),
            "issue_id": .string(finding.id), "message": .string(issue.message),
            "severity": .string(issue.severity.rawValue), "status": "OPEN",
        ]
        if !issue.files.isEmpty { members["files"] = .strings(issue.files) }
        if let fix = issue.suggestedFix, !fix.isEmpty { members["suggested_fix"] = .string(fix) }
        return .object(members)
    }

    /// The bytes of `issues/*.issue.json`.
    public static func encoded(_ finding: Finding) -> [UInt8] {
        json(finding).encoded(.indented) + [UInt8(ascii: "\n")]
    }
}

/// The verdicts in the closed shape of validation_report.json (guarantees.md, section 2.6).
///
/// `ok` is true for a pass only: a gate that was not judged is not ok there, whatever the profile, because that format
/// has no third value and a gate that did not run is never a pass. The exit code is decided elsewhere.
public enum ValidationReport {
    /// The members; deterministic, without a time.
    public static func json(_ report: Report) -> JSONValue {
        let gates = report.verdicts.map { verdict -> JSONValue in
            [
                "log_path": .string("gates/\(verdict.gate.rawValue).log"), "name": .string(verdict.gate.rawValue),
                "ok": .bool(verdict.status == .pass),
            ]
        }
        return [
            "gates": .array(gates), "issues": .array(report.findings.map(IssueFile.json)),
            "ok": .bool(report.verdicts.allSatisfy { $0.status == .pass }),
            "profile": .string(report.record.profile.rawValue), "schema_version": "1.0",
        ]
    }

    /// The bytes of the file.
    public static func encoded(_ report: Report) -> [UInt8] {
        json(report).encoded(.indented) + [UInt8(ascii: "\n")]
    }
}

/// The log of one gate: the first line is `OK` or starts with `ERROR`, and there is no time in it.
public enum GateLog {
    /// The bytes of `gates/NAME.log`.
    public static func encoded(_ verdict: GateVerdict) -> [UInt8] {
        var lines: [String] = []
        switch verdict.status {
        case .pass: lines.append("OK")
        case .fail, .blocked, .notApplicable:
            lines.append("ERROR \(verdict.status.rawValue): \(SafeText.keepingEscapes(verdict.reason))")
        }
        lines.append("gate \(verdict.gate.rawValue), guarantee \(verdict.gate.guarantee.letter)")
        for issue in verdict.issues {
            lines.append(
                "\(issue.severity.rawValue) \(issue.code.rawValue) \(SafeText.keepingEscapes(issue.message))")
            if let fix = issue.suggestedFix { lines.append("  fix: \(SafeText.keepingEscapes(fix))") }
        }
        for gap in verdict.enforcement.gaps { lines.append("gap: \(SafeText.keepingEscapes(gap))") }
        for line in verdict.evidence { lines.append(SafeText.keepingEscapes(line)) }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }
}

extension SafeText {
    /// Makes text safe to print that may already hold escapes of ``escape(_:)``: a backslash stays one.
    static func keepingEscapes(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).map { escape(String($0)) }.joined(separator: "\\")
    }
}
