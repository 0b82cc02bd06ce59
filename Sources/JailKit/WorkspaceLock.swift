import JailModel
import JailPolicy
import JailSystem
import JailWorkspace

/// Says that a run is using a workspace, so that no other run takes a held place away under its mounts (flock(2)).
final class WorkspaceLock: Sendable {
    private let directory: OwnedFD

    /// When the workspace became ours: what others change in it later is told apart by that.
    let began: Int64
    /// Who works on the workspace; only a run that has it for itself writes it.
    let registry: WorkspaceRegistry

    /// Takes the workspace: for itself where changes are published to it, else shared with other runs that write to it
    /// directly or only read it.
    ///
    /// - Throws: ``StepRefused`` (exit 2) when another run is in the way, with its name.
    init(
        _ workspace: AbsolutePath, isExclusive: Bool, _ environment: [String: String]
    ) throws(StepRefused) {
        do throws(SystemError) {
            directory = try Files.open(workspace.description, [.read, .directory])
        } catch {
            throw StepRefused(.invalid, .pathNotAllowed, "the workspace cannot be opened: \(error)")
        }
        registry = WorkspaceRegistry(workspace, directory: directory.rawValue, environment)
        let deadline = SystemClock.now() + .seconds(2)
        while !Files.lock(directory.rawValue, isExclusive: isExclusive) {
            guard SystemClock.now() < deadline else {
                let who = registry.owner.map { "by run \(SafeText.escape($0.id))" } ?? "by another run"
                throw StepRefused(
                    .invalid, .pathNotAllowed, "the workspace \(workspace) is in use \(who)",
                    hint: "wait until it ends; steps of one transaction share a --run-dir, one after the other")
            }
            Poller.pause(.milliseconds(20))
        }
        if isExclusive { try registry.recover() }
        // ORDER: after what an earlier run left is finished, which changes the workspace.
        began = ChangeFence.moment()
    }

    /// Whether no other run uses the workspace; if so none can begin until this value goes.
    func isAlone() -> Bool { Files.lock(directory.rawValue, isExclusive: true) }

    var descriptor: Int32 { directory.rawValue }
}
