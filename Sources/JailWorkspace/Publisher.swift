public import JailModel
internal import JailSystem

/// Publishes a change set to the real workspace as one transaction, and takes it back.
///
/// A kill or a power cut at any instant leaves a journal from which ``recover(workspace:undo:faults:)`` makes exactly the
/// old or exactly the new tree. Other processes that read the workspace meanwhile see each path change at once, but
/// not all paths at one instant. The caller makes sure that one process at a time works on an undo directory.
/// Guarantees B and L.
public enum Publisher {
    /// Publishes a change set.
    ///
    /// It may be called again: what was cut off is finished first, and a commit that is done is only reported.
    /// - Parameters:
    ///   - content: Holds each changed path's new object at that path: an overlay's upper layer, or a private copy.
    ///   - undo: A directory of ours, mode 0700, where the journal and the undo objects are kept; its own name is on disk
    ///     already (the caller has fsynced the directories above it).
    ///   - owners: Makes the ids of the jail's user those of the workspace; `after` states already have the latter.
    ///   - runID: Names the transaction, and is a part of a file name while it runs.
    /// - Throws: ``PublishError``; the workspace is then as it was before.
    public static func commit(
        _ changes: ChangeSet, content: borrowing WorkspaceTree, workspace: borrowing WorkspaceTree, undo: Int32,
        owners: OwnerMap = .identity, runID: String, faults: FaultPoint = .none
    ) throws(PublishError) -> CommitReceipt {
        if let refused = changes.refused.first { throw .refused(refused.path, refused.reason.rawValue) }
        guard changes.conflicts.isEmpty else { throw .conflict(changes.conflicts) }
        let context = try PublishContext(workspace, undo: undo, faults)
        let recovery = PublishRecovery(context)
        switch try recovery.run() {
        case .committed:
            let manifest = try present(context)
            guard manifest.runID == ByteString(runID) else { throw .damaged("it is of the run \(manifest.runID)") }
            return manifest.receipt
        case .rolledBack: try recovery.reset()
        case .nothing, .interrupted: break
        }
        let commit = PublishCommit(
            context: try PublishContext(workspace, undo: undo, faults), entries: try UndoEntry.entries(of: changes),
            owners: owners, runID: ByteString(runID))
        do throws(PublishError) {
            return try commit.run(content: content, nearWorkspace: false)
        } catch {
            // One mount may still hold what cannot be renamed into each other: project quotas.
            guard case .system(let cause) = error, cause.isCrossing else { throw error }
            return try commit.run(content: content, nearWorkspace: true)
        }
    }

    /// Finishes what was cut off: a commit or a rollback with a plan forwards, anything before that is dropped.
    ///
    /// - Returns: Where the changes stand now. Repeating it is harmless.
    @discardableResult
    public static func recover(
        workspace: borrowing WorkspaceTree, undo: Int32, faults: FaultPoint = .none
    ) throws(PublishError) -> PublishState {
        try PublishRecovery(PublishContext(workspace, undo: undo, faults)).run()
    }

    /// Puts the tree back that stood before the commit.
    ///
    /// - Throws: ``PublishError/conflict(_:)`` with every path that is not as the commit left it, and nothing is written;
    ///   ``PublishError/damaged(_:)`` when an undo object is not what stood there.
    @discardableResult
    public static func rollback(
        workspace: borrowing WorkspaceTree, undo: Int32, faults: FaultPoint = .none
    ) throws(PublishError) -> CommitReceipt {
        switch try PublishRecovery(PublishContext(workspace, undo: undo, faults)).run() {
        case .nothing, .interrupted: throw .refused("", "nothing was committed")
        case .rolledBack: return try present(PublishContext(workspace, undo: undo, faults)).receipt
        case .committed: break
        }
        let context = try PublishContext(workspace, undo: undo, faults)
        let manifest = try present(context)
        try UndoRollback(context: context, manifest: manifest).run()
        return manifest.receipt
    }

    /// Proves, without writing anything, that a rollback would give the tree before: reads every undo object and every
    /// published path and compares them with the manifest, and runs the swaps forwards and backwards as values.
    ///
    /// After a rollback it compares the tree with the states before instead.
    /// - Returns: What does not match; empty is the proof.
    public static func verify(
        workspace: borrowing WorkspaceTree, undo: Int32
    ) throws(PublishError) -> [UndoProblem] {
        let context = try PublishContext(workspace, undo: undo, .none)
        let state = try state(undo: undo)
        guard state != .nothing else { throw .refused("", "nothing was committed") }
        guard state != .interrupted else { return [UndoProblem(path: nil, what: .interrupted)] }
        let manifest = try present(context)
        try manifest.requireWorkspace(context)
        var problems: [UndoProblem] = []
        if !manifest.isReversible { problems.append(UndoProblem(path: nil, what: .notReversible)) }
        if state == .rolledBack {
            var check = PublishCheck(manifest.entries, .before)
            for swap in manifest.swaps { try check.check(swap, in: context.workspace) }
            return problems + check.differing.map { UndoProblem(path: $0, what: .notRestored) }
        }
        let findings = try UndoRollback(context: context, manifest: manifest).inspect()
        problems += findings.conflicts.map { UndoProblem(path: $0, what: .changedSince) }
        problems += findings.damaged.map { UndoProblem(path: $0, what: .damaged) }
        return problems
    }

    /// Where the changes of an undo directory stand; reads only which records there are.
    public static func state(undo: Int32) throws(PublishError) -> PublishState {
        let (commit, rollback) = (JournalLeg.commit, JournalLeg.rollback)
        if try Journal.has(rollback.done, undo) { return .rolledBack }
        for name in rollback.leftovers where try Journal.has(name, undo) { return .interrupted }
        if try Journal.has(commit.done, undo) { return .committed }
        for name in commit.leftovers where try Journal.has(name, undo) { return .interrupted }
        return .nothing
    }

    private static func present(_ context: PublishContext) throws(PublishError) -> UndoManifest {
        guard let manifest = try UndoManifest.read(undo: context.undo.rawValue) else {
            throw .damaged("the manifest is gone")
        }
        return manifest
    }
}

/// Something that keeps a rollback from giving the tree before.
public struct UndoProblem: Sendable, Hashable {
    public enum What: String, Sendable, Hashable, CaseIterable {
        case interrupted = "a commit or a rollback was cut off and is to be recovered first"
        case notReversible = "the recorded swaps do not give the tree before"
        case changedSince = "changed since the commit"
        case damaged = "the undo object is not what stood there before the commit"
        case notRestored = "not what stood there before the commit"
    }
    /// `nil` when it is about the records.
    public var path: ByteString?
    public var what: What

    public init(path: ByteString?, what: What) {
        self.path = path
        self.what = what
    }
}
