import JailModel
import JailSystem
import JailWorkspace
import Synchronization
import Testing

/// A workspace, a changed copy of it, and the change set between them.
final class PublishFixture {
    private let home: PublishDirectory
    private let undoHome: PublishDirectory?
    let workspace: WorkspaceTree
    let content: WorkspaceTree
    let undo: WorkspaceTree
    let workspacePath: String
    let changes: ChangeSet
    let old: TreeSnapshot
    let new: TreeSnapshot
    let keepsLinks: Bool

    /// - Parameters:
    ///   - undoParent: Another mount for the undo directory.
    ///   - prepare: Fills the workspace.
    ///   - change: Changes the copy.
    init(
        in parent: String = "/dev/shm", undoIn undoParent: String? = nil,
        prepare: (String) throws -> Void, change: (String) throws -> Void
    ) throws {
        home = try PublishDirectory(in: parent)
        workspace = try home.folder("workspace")
        content = try home.folder("content")
        undoHome = try undoParent.map { try PublishDirectory(in: $0) }
        undo = try (undoHome ?? home).folder("undo")
        keepsLinks = undoParent == nil
        workspacePath = home.path + "/workspace"
        try prepare(workspacePath)
        try copyTree(workspace, to: content)
        try change(home.path + "/content")
        old = try TreeSnapshot(workspace)
        var after = try TreeSnapshot(content)
        changes = old.changes(to: after)
        // The top's own time is no change by itself, only with a name that comes or goes in it.
        let isTopTouched = changes.paths.contains { change in
            change.path.bytes.split(separator: UInt8(ascii: "/")).count == 1
                && !(change.before?.kind == .directory && change.after?.kind == .directory)
        }
        if !isTopTouched { after.objects[""] = old.objects[""] }
        new = after
    }

    /// A random tree and random changes.
    convenience init(
        seed: UInt64, objects: Int = 14, changes: Int = 8, in parent: String = "/dev/shm", undoIn: String? = nil
    ) throws {
        try self.init(in: parent, undoIn: undoIn) { path in
            var mutator = TreeMutator(path, seed: seed)
            try mutator.run(objects)
            try mutator.age()
        } change: { path in
            var mutator = TreeMutator(path, seed: seed &+ 1)
            try mutator.run(changes)
        }
    }

    @discardableResult
    func commit(_ faults: FaultPoint = .none, runID: String = "run-1") throws(PublishError) -> CommitReceipt {
        try Publisher.commit(
            changes, content: content, workspace: workspace, undo: undo.descriptor, runID: runID, faults: faults)
    }

    @discardableResult
    func rollback(_ faults: FaultPoint = .none) throws(PublishError) -> CommitReceipt {
        try Publisher.rollback(workspace: workspace, undo: undo.descriptor, faults: faults)
    }

    @discardableResult
    func recover(_ faults: FaultPoint = .none) throws(PublishError) -> PublishState {
        try Publisher.recover(workspace: workspace, undo: undo.descriptor, faults: faults)
    }

    func verify() throws -> [UndoProblem] { try Publisher.verify(workspace: workspace, undo: undo.descriptor) }

    func snapshot() throws -> TreeSnapshot { try TreeSnapshot(workspace) }

    /// Expects the tree to be exactly this one, and the journal to be at rest.
    func expect(_ expected: TreeSnapshot, _ state: PublishState, _ what: Comment) throws {
        let found = try snapshot()
        let isSame = keepsLinks ? found == expected : found.unlinked == expected.unlinked
        #expect(isSame, "\(what): \(found.difference(expected))")
        #expect(try Publisher.state(undo: undo.descriptor) == state, what)
        if state == .nothing { #expect(try Files.names(undo.descriptor) == [], what) }
        if !isSame { throw Mismatch() }
    }

    struct Mismatch: Error {}
}

/// Counts the steps of a commit or a rollback, and stops before one of them.
final class StepCounter: Sendable {
    private let state = Mutex((count: 0, steps: [PublishStep]()))
    private let limit: Int

    /// - Parameter limit: How many steps are done before the stop.
    init(stopAfter limit: Int = .max) { self.limit = limit }

    var steps: [PublishStep] { state.withLock { $0.steps } }

    var faults: FaultPoint {
        FaultPoint { step throws(PublishError) in
            let isOver = self.state.withLock { state in
                state.count += 1
                state.steps.append(step)
                return state.count > self.limit
            }
            if isOver { throw .stopped }
        }
    }
}
