import JailLedger
import JailModel
import JailSystem

/// The files that the parent writes while a step runs, outside the jail's reach.
final class RunEvidence {
    let id: RunID
    let directory: RunDirectory
    let log: EventLog
    let stdout: OwnedFD
    let stderr: OwnedFD
    /// Why evidence is missing, a sentence each; not empty makes the verdict internal.
    private(set) var gaps: [String] = []

    init(directory: consuming RunDirectory, id: RunID) throws(StepRefused) {
        self.id = id
        do throws(LedgerError) {
            log = try EventLog(in: directory, runID: id)
            stdout = try directory.create(.stdout)
            stderr = try directory.create(.stderr)
        } catch {
            throw StepRefused(error)
        }
        self.directory = directory
    }

    /// Appends an event; the first failure is remembered and told in the report.
    func emit(_ event: Event) {
        guard gaps.isEmpty else { return }
        do throws(LedgerError) {
            try log.append(event)
        } catch {
            gaps.append("events.ndjson is incomplete: \(error.message)")
        }
    }
}
