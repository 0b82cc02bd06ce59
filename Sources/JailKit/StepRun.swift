import JailGates
import JailLaunch
import JailLedger
import JailModel
import JailPlan
import JailPolicy
import JailReport
import JailSystem

/// The straight line: options -> plan -> jail -> record -> verdicts -> report.
public enum StepRun {
    /// The version in every report.
    public static let version = "0.1.0"

    /// Runs one step and leaves its run directory behind.
    ///
    /// - Throws: ``StepRefused`` when nothing was started: exit 2, 3 or 6, or 5 when no evidence could be kept.
    public static func run(_ options: StepOptions) throws(StepRefused) -> StepResult {
        let began = SystemClock.now()
        let id = RunID.fresh()
        let path = try runPath(options, id)
        let status = StatusLines(descriptor: options.statusDescriptor)
        // ORDER: before the first thing that a sudden end would leave behind, and until the report is written.
        let signals = try stopSignals()
        defer { withExtendedLifetime(signals) {} }
        HeldPlaceJournal.recover(options.environment)

        if options.policy.profile == .prod, !Gates.unjudged.isEmpty {
            // The verdict is known before the start, and a step whose writes would stay is not started for it.
            throw StepRefused(
                .violation, .gateNotImplemented,
                "profile prod wants all twelve guarantees judged, and this version does not judge "
                    + Gates.unjudged.map(\.rawValue).joined(separator: ", "), hint: "use --policy ci")
        }
        let options = try RunContinuation.open(options)
        let planned = try PlannedStep.make(options, runDirectory: path, willRun: true)
        let planning = SystemClock.now() - began
        try RunContinuation.archive(options)
        let directory = try open(path)
        if options.policy.workspace.mode == .overlay {
            planned.lock?.registry.claim(id.text, run: planned.request.runDirectory.description)
        }
        let evidence = try RunEvidence(directory: directory, id: id)
        evidence.emit(Event(.runCreated, ["version": .string(version), "policy": .string(options.policy.name)]))
        status.write(["event": "created", "run_id": .string(id.text), "run_directory": .string(path)])

        var attempt = LaunchAttempt(options: options, planned: planned, id: id, evidence: evidence, signals: signals)
        let outcome = attempt.launch()
        var record = attempt.record(outcome, version: version)
        record.timings["plan"] = planning
        record.evidenceGaps += evidence.gaps

        attempt.readChanges(&record, outcome)
        // ORDER: the last moment at which a stop can keep the changes from being published.
        if record.interruptedBy == nil { record.interruptedBy = signals.pending() }
        // ORDER: the first judgement decides what becomes of the changes, the second one judges that as well.
        attempt.dispose(&record, outcome, Gates.decide(record, Gates.judge(record)))
        let verdicts = Gates.judge(record)
        let verdict = Gates.decide(record, verdicts)
        if options.policy.workspace.mode == .overlay { planned.lock?.registry.release() }
        record.timings["total"] = SystemClock.now() - began
        return try ReportWriter(evidence: evidence, options: options, status: status)
            .write(record, verdicts, verdict, path)
    }

    private static func stopSignals() throws(StepRefused) -> StopSignals {
        do throws(SystemError) {
            return try StopSignals()
        } catch {
            throw StepRefused(.internal, .launchFailed, "signals cannot be read: \(error)")
        }
    }

    private static func runPath(_ options: StepOptions, _ id: RunID) throws(StepRefused) -> String {
        if let given = options.runDirectory {
            guard !given.isEmpty, given.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw StepRefused(
                    .invalid, .pathNotAllowed,
                    "the run directory \(SafeText.escape(given)) is empty or holds a control character")
            }
            return given
        }
        do throws(LedgerError) {
            return try RunStore.standard(options.environment).path(for: id)
        } catch {
            throw StepRefused(error)
        }
    }

    private static func open(_ path: String) throws(StepRefused) -> RunDirectory {
        do throws(LedgerError) {
            return try RunDirectory(creating: path)
        } catch {
            throw StepRefused(error)
        }
    }
}

extension StepRefused {
    /// A run directory that cannot be used.
    init(_ error: LedgerError) {
        self.init(error.verdict, .evidenceIncomplete, error.message, hint: error.hint)
    }
}
