import JailModel
import JailPolicy
import JailSystem

/// Says that a run is using a workspace, so that no other run takes a held place away under its mounts (flock(2)).
final class WorkspaceLock: Sendable {
    private let directory: OwnedFD

    /// Shares the workspace with other runs.
    ///
    /// - Throws: ``StepRefused`` when somebody keeps the directory locked for more than two seconds.
    init(_ workspace: AbsolutePath) throws(StepRefused) {
        do throws(SystemError) {
            directory = try Files.open(workspace.description, [.read, .directory])
        } catch {
            throw StepRefused(.invalid, .pathNotAllowed, "the workspace cannot be opened: \(error)")
        }
        let deadline = SystemClock.now() + .seconds(2)
        while !Files.lock(directory.rawValue, isExclusive: false) {
            guard SystemClock.now() < deadline else {
                throw StepRefused(
                    .invalid, .pathNotAllowed, "the workspace \(workspace) is locked by another process",
                    hint: "wait for it, or find it with `fuser`")
            }
            Poller.pause(.milliseconds(20))
        }
    }

    /// Whether no other run uses the workspace; if so none can begin until this value goes.
    func isAlone() -> Bool { Files.lock(directory.rawValue, isExclusive: true) }

    var descriptor: Int32 { directory.rawValue }
}
