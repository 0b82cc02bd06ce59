import JailLedger
import JailModel
import JailPolicy
import JailReport
import JailSystem
import JailWorkspace

/// A run directory whose changes are still open, so that a further step continues them: one transaction of many steps.
///
/// The evidence of each earlier step moves to `steps/NNN`; the directory's own report is the last one's.
enum RunContinuation {
    private static let evidence = [
        "report.json", "events.ndjson", "stdout.log", "stderr.log", "validation_report.json", "changes.patch", "gates",
        "issues", "lock",
    ]

    /// Finds open changes in the run directory that was asked for, and counts the attempts at this command.
    ///
    /// - Throws: ``StepRefused`` (exit 3) when `max_patch_attempts` is used up, exit 2 when the workspace is another one.
    static func open(_ options: StepOptions) throws(StepRefused) -> StepOptions {
        guard let path = options.runDirectory, let directory = try? Files.open(path, [.read, .directory, .noFollow]),
            let file = try? ChangeFile.load(from: directory.rawValue), file.state == .pending,
            (try? Files.statusIfPresent("report.json", at: directory.rawValue)) ?? nil != nil
        else { return options }
        guard options.policy.workspace.mode == .overlay else {
            throw StepRefused(
                .invalid, .pathNotAllowed,
                "the run directory holds open changes, which only workspace.mode overlay continues",
                hint: "launch-jail commit or discard \(SafeText.escape(path))")
        }
        let places = try Places(workspace: options.workspace, cwd: options.cwd)
        guard file.workspace == places.workspace.description else {
            throw StepRefused(
                .invalid, .pathNotAllowed,
                "the run directory holds open changes of another workspace, \(SafeText.escape(file.workspace))")
        }
        // What a failed gate or an interruption held back is not published by a later step that passes.
        guard let verdict = file.verdict, [.pass, .childFailed, .external].contains(verdict), file.obstacles.isEmpty
        else {
            throw StepRefused(
                .violation, .pathNotAllowed,
                "the step before in this run directory ended with \(file.verdict?.rawValue ?? "an interruption"): its "
                    + "changes cannot be continued",
                hint: "launch-jail diff shows them; launch-jail discard, or commit --force, \(SafeText.escape(path))")
        }
        var out = options
        out.openChanges = file
        let earlier = reports(directory.rawValue)
        out.earlierWrites = UInt64(clamping: earlier.last?.usage.counts["file_writes"] ?? 0)
        let attempts = UInt64(earlier.count { $0.command.argv == options.argv.map { $0.string ?? "" } }) + 1
        if let limit = options.policy.budgets[.patchAttempts], attempts > limit {
            throw StepRefused(
                .violation, .budgetPatchAttempts,
                "max_patch_attempts: \(limit) allowed, this would be attempt \(attempts) at the same step",
                hint: "budgets: {max_patch_attempts: \(attempts)}")
        }
        return out
    }

    /// Moves the evidence of the step before out of the way.
    static func archive(_ options: StepOptions) throws(StepRefused) {
        guard options.openChanges != nil, let path = options.runDirectory else { return }
        do throws(SystemError) {
            let run = try Files.open(path, [.read, .directory, .noFollow])
            if try Files.statusIfPresent("steps", at: run.rawValue) == nil {
                try Files.makeDirectory("steps", at: run.rawValue)
            }
            let steps = try Files.open("steps", [.read, .directory, .noFollow], at: run.rawValue)
            let digits = String(try Files.names(steps.rawValue).count + 1)
            let name = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
            try Files.makeDirectory(name, at: steps.rawValue)
            let step = try Files.open(name, [.read, .directory, .noFollow], at: steps.rawValue)
            for file in evidence where try Files.statusIfPresent(file, at: run.rawValue) != nil {
                try Files.rename(file, at: run.rawValue, to: file, at: step.rawValue)
            }
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "the step before cannot be archived: \(error)")
        }
    }

    /// The reports of the steps so far, oldest first.
    private static func reports(_ run: Int32) -> [ReportDocument] {
        var paths: [String] = []
        if let steps = try? Files.open("steps", [.read, .directory, .noFollow], at: run),
            let names = try? Files.names(steps.rawValue)
        {
            paths = names.compactMap(\.string).sorted().map { "steps/\($0)/report.json" }
        }
        return (paths + ["report.json"]).compactMap { path in
            guard let bytes = try? Files.read(path, limit: 1 << 28, at: run) else { return nil }
            return try? ReportDocument(decoding: bytes)
        }
    }
}
