public import JailModel

/// An issue with the id that it keeps in every file of the run.
public struct Finding: Sendable, Hashable {
    /// `jail-<run>-<4 digits>`.
    public let id: String
    /// Counted from 1 in the order of the gates.
    public let number: Int
    public let issue: Issue
}

/// Everything that is said about a run, closed: the evidence, the judgement, and where the event chain ends.
///
/// Its JSON is report.json (contract, section 6): the same run gives the same bytes.
public struct Report: Sendable, Hashable {
    public let record: StepRecord
    public let verdicts: [GateVerdict]
    public let verdict: Verdict
    /// What launch-jail exits with, which is the verdict's code unless `--exit-code child` was asked for.
    public let exitCode: Int32
    /// How many events the log holds and the hash of the last one: what `verify` checks the log against.
    public let eventCount: UInt64
    public let eventHead: String
    /// The issues of all gates, the most severe first.
    public let findings: [Finding]

    /// Closes the report.
    public static func make(
        record: StepRecord, verdicts: [GateVerdict], verdict: Verdict, exitCode: Int32, eventCount: UInt64,
        eventHead: String
    ) -> Report {
        let issues = verdicts.flatMap(\.issues)
        let findings = issues.indices.map { index in
            Finding(id: "jail-\(record.runID)-\(fourDigits(index + 1))", number: index + 1, issue: issues[index])
        }
        return Report(
            record: record, verdicts: verdicts, verdict: verdict, exitCode: exitCode, eventCount: eventCount,
            eventHead: eventHead,
            findings: findings.sorted { lhs, rhs in
                if lhs.issue.severity != rhs.issue.severity { return lhs.issue.severity > rhs.issue.severity }
                if lhs.issue.gate != rhs.issue.gate { return lhs.issue.gate.rawValue < rhs.issue.gate.rawValue }
                return lhs.number < rhs.number
            })
    }

    /// The bytes of report.json: indented, and ASCII only, so that printing the file cannot steer a terminal.
    public func encoded() -> [UInt8] { json().encoded(.indented, asciiOnly: true) + [UInt8(ascii: "\n")] }

    /// What the renderers read; the same as when report.json is read back.
    public func document() throws(ReportError) -> ReportDocument { try ReportDocument(json()) }

    private static func fourDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
