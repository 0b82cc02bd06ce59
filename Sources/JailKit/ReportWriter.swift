import JailGates
import JailLedger
import JailModel
import JailReport
import JailSystem

/// Verdicts -> the files of the run directory.
struct ReportWriter {
    let evidence: RunEvidence
    let options: StepOptions
    let status: StatusLines

    /// Writes gate logs, issue files and the reports; report.json comes last, and its presence means "finished".
    func write(
        _ record: StepRecord, _ verdicts: [GateVerdict], _ verdict: Verdict, _ path: String
    ) throws(StepRefused) -> StepResult {
        emit(record, verdicts, verdict)
        var record = record
        var verdicts = verdicts
        var verdict = verdict
        if !evidence.gaps.isEmpty, record.evidenceGaps.isEmpty {
            // The last events could not be written: what was judged before is no longer the whole truth.
            record.evidenceGaps = evidence.gaps
            verdicts = Gates.judge(record)
            verdict = Gates.decide(record, verdicts)
        }
        let report = make(record, verdicts, verdict)
        do throws(LedgerError) {
            for gate in report.verdicts { try evidence.directory.write(GateLog.encoded(gate), to: .gateLog(gate.gate)) }
            for finding in report.findings where finding.issue.severity == .blocker {
                try evidence.directory.write(
                    IssueFile.encoded(finding), to: .issue(finding.number, finding.issue.gate))
            }
            try evidence.directory.write(ValidationReport.encoded(report), to: .validationReport)
            try evidence.directory.write(report.encoded(), to: .report)
        } catch {
            status.write(["event": "failed", "exit_code": .integer(Int64(Verdict.internal.exitCode))])
            throw StepRefused(
                .internal, .evidenceIncomplete, "the report could not be written: \(error.message)", hint: error.hint)
        }
        status.write([
            "event": "finished", "verdict": .string(report.verdict.rawValue),
            "exit_code": .integer(Int64(report.exitCode)), "run_id": .string(record.runID),
        ])
        return StepResult(report: report, exitCode: report.exitCode, runDirectory: path)
    }

    private func make(_ record: StepRecord, _ verdicts: [GateVerdict], _ verdict: Verdict) -> Report {
        var child: ChildEnd?
        if case .ended(let end) = record.outcome { child = end }
        return Report.make(
            record: record, verdicts: verdicts, verdict: verdict,
            exitCode: ExitDecision.code(verdict, mode: options.exitMode, child: child),
            eventCount: evidence.log.count, eventHead: evidence.log.head)
    }

    private func emit(_ record: StepRecord, _ verdicts: [GateVerdict], _ verdict: Verdict) {
        evidence.emit(Event(Self.endType(record), Self.endPayload(record)))
        for gate in verdicts {
            evidence.emit(
                Event(
                    .gateFinished, ["gate": .string(gate.gate.rawValue), "status": .string(gate.status.rawValue)]))
        }
        evidence.emit(
            Event(verdict == .pass ? .runCompleted : .runFailed, ["verdict": .string(verdict.rawValue)]))
    }

    private static func endType(_ record: StepRecord) -> EventType {
        if case .ended(.exited(0)) = record.outcome { .stepFinished } else { .stepFailed }
    }

    private static func endPayload(_ record: StepRecord) -> [String: JSONValue] {
        var payload: [String: JSONValue] = [
            "orphans_killed": .integer(Int64(record.orphansKilled)),
            "no_survivors": record.noSurvivors.map { .string($0) } ?? .null,
        ]
        switch record.outcome {
        case .ended(.exited(let code)): payload["exit_code"] = .integer(Int64(code))
        case .ended(.signaled(let signal)): payload["signal"] = .integer(Int64(signal))
        case .refused(let refusal): payload["refused"] = .string(refusal.message)
        case .failed(let fault, let started):
            payload["fault"] = .string(fault.message)
            payload["started"] = .bool(started)
        }
        return payload
    }
}
