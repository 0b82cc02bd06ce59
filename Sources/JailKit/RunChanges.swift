public import JailLedger
public import JailModel
import JailPolicy
import JailReport
import JailSystem
import JailWorkspace

/// What a person decides about the changes of a run that is over: `commit`, `discard`, `rollback`.
///
/// Each first finishes what a killed command left half done, and takes the workspace for itself while it works.
/// Guarantee L; contract, sections 1 and 7.
public struct RunChanges: ~Copyable {
    /// What a command came to.
    public enum Result: Sendable, Hashable {
        /// It is done now, or was done already; the paths that changed hands, as far as they were counted.
        case done(ChangeState, isRepeated: Bool, paths: Int)
        /// These paths are in the way; nothing was written.
        case conflict([ByteString])
        /// What keeps a rollback from being proven, a sentence each; empty is the proof.
        case checked([String])
    }

    private let run: OwnedFD
    private let path: String
    private let environment: [String: String]
    private var file: ChangeFile
    private let isFinished: Bool

    /// Opens the changes of a run.
    ///
    /// - Throws: ``StepRefused`` (exit 2) when it changed nothing that launch-jail knows of.
    public init(_ entry: RunEntry, _ environment: [String: String]) throws(StepRefused) {
        if entry.state == .running {
            throw StepRefused(.invalid, .pathNotAllowed, "run \(SafeText.escape(entry.name)) is still going on")
        }
        let opened = try Self.onDisk("the run directory cannot be opened") { () throws(SystemError) in
            try Files.open(entry.path, [.read, .directory])
        }
        let descriptor = opened.rawValue
        let found = try Self.onDisk("its changes cannot be read") { () throws(SystemError) in
            try ChangeFile.load(from: descriptor)
        }
        guard let found else {
            throw StepRefused(
                .invalid, .pathNotAllowed, "run \(SafeText.escape(entry.name)) has no changes of its own",
                hint: "only workspace.mode overlay keeps them; a layer in memory goes with a launch-jail that is killed"
            )
        }
        path = entry.path
        self.environment = environment
        isFinished = entry.state == .finished
        run = opened
        file = found
    }

    /// Where the changes stand.
    public var state: ChangeState { file.state }

    /// The number of hashes that prove the undo, and the affected paths, once committed.
    private func workspace() throws(StepRefused) -> (path: AbsolutePath, lock: WorkspaceLock) {
        guard let path = AbsolutePath(file.workspace) else {
            throw StepRefused(.internal, .evidenceIncomplete, "changes.json names no workspace")
        }
        let inode = (try? Files.status(path.description))?.inode
        guard file.workspaceInode == 0 || inode == file.workspaceInode else {
            throw StepRefused(
                .invalid, .pathNotAllowed,
                "\(path) is not the directory that the run worked on: another one stands in its place",
                hint: "put the old one back, or launch-jail discard")
        }
        let lock = try WorkspaceLock(path, isExclusive: true, environment)
        return (path, lock)
    }

    /// Publishes pending changes.
    ///
    /// - Parameter isForced: Also those of a run that was interrupted or failed a gate; recorded. Never what the policy
    ///   protects and what can never be published.
    public mutating func commit(isForced: Bool) throws(StepRefused) -> Result {
        let (place, lock) = try workspace()
        try recover(place)
        switch file.state {
        case .committed: return .done(.committed, isRepeated: true, paths: 0)
        case .none, .discarded, .rolledBack: throw impossible("committed", file.state)
        case .pending: break
        }
        if let obstacle = file.obstacles.first {
            throw StepRefused(
                .violation, .pathNotAllowed, "these changes can never be committed: \(obstacle)",
                hint: "launch-jail discard \(SafeText.escape(path))")
        }
        if !isForced, !isFinished || file.verdict == nil {
            throw StepRefused(
                .violation, .evidenceIncomplete, "the run was interrupted: what it changed was not judged",
                hint: "launch-jail discard, or commit --force, which is recorded")
        }
        if !isForced, let verdict = file.verdict, ![.pass, .childFailed, .external].contains(verdict) {
            throw StepRefused(
                .violation, .pathNotAllowed, "the run ended with \(verdict.rawValue): its changes failed a gate",
                hint: "launch-jail report says which; launch-jail discard, or commit --force, which is recorded")
        }
        guard file.content != .memory else {
            throw StepRefused(
                .invalid, .evidenceIncomplete,
                "the changes lay in memory and went with the launch-jail that was killed",
                hint: "launch-jail discard \(SafeText.escape(path)), and run the step again")
        }
        let set = try pendingSet()
        // ORDER: judged here again, since an interrupted run was never judged; no force goes past this.
        if let violation = file.rules.violations(set).first {
            throw StepRefused(
                .violation, .pathNotAllowed,
                "these changes can never be committed: \(violation.path) \(violation.reason)",
                hint: "launch-jail discard \(SafeText.escape(path))")
        }
        guard set.conflicts.isEmpty else { return .conflict(set.conflicts) }
        lock.registry.claim(file.runID, run: path)
        defer { lock.registry.release() }
        let current = file
        let descriptor = run.rawValue
        switch ChangeContent.publish(
            set, current, run: descriptor,
            content: { () throws(SystemError) in try ChangeContent.open(current, run: descriptor) })
        {
        case .published:
            try move(to: .committed, isForced: isForced)
            try? TreeRemover.removeIfPresent(WorkspaceChanges.folder, at: run.rawValue)
            return .done(.committed, isRepeated: false, paths: set.paths.count)
        case .conflict(let paths): return .conflict(paths)
        case .failed(let why):
            // Swaps that were taken back are no change of somebody else's.
            file.fence = ChangeFence.take()
            try? file.save(in: run.rawValue)
            throw StepRefused(.internal, .evidenceIncomplete, "the changes were not published: \(why)")
        case .notTried: throw StepRefused(.internal, .evidenceIncomplete, "nothing was tried")
        }
    }

    /// Drops pending changes.
    public mutating func discard() throws(StepRefused) -> Result {
        // The workspace may be gone, or another one by now: dropping what is pending touches nothing in it.
        if let (place, _) = try? workspace() { try recover(place) }
        switch file.state {
        case .discarded: return .done(.discarded, isRepeated: true, paths: 0)
        case .none, .committed, .rolledBack: throw impossible("discarded", file.state)
        case .pending: break
        }
        // ORDER: on a full disk the removal makes the room that the record needs.
        do throws(SystemError) {
            try TreeRemover.removeIfPresent(WorkspaceChanges.folder, at: run.rawValue)
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "the pending changes cannot be removed: \(error)")
        }
        try move(to: .discarded)
        return .done(.discarded, isRepeated: false, paths: 0)
    }

    /// Puts back what stood in the workspace before the commit; or only proves that this can be done.
    public mutating func rollback(onlyVerify: Bool) throws(StepRefused) -> Result {
        let (place, lock) = try workspace()
        if !onlyVerify { try recover(place) }
        switch file.state {
        case .rolledBack where !onlyVerify: return .done(.rolledBack, isRepeated: true, paths: 0)
        case .committed, .rolledBack: break
        case .none, .pending, .discarded: throw impossible("rolled back", file.state)
        }
        let (name, descriptor) = (file.workspace, run.rawValue)
        let tree = try Self.onDisk("the workspace cannot be opened") { () throws(SystemError) in
            try WorkspaceTree(name)
        }
        let undo = try Self.onDisk("the undo data cannot be opened") { () throws(SystemError) in
            try ChangeContent.openUndo(descriptor)
        }
        if onlyVerify { return .checked(try verify(tree, undo.rawValue)) }
        lock.registry.claim(file.runID, run: path)
        defer { lock.registry.release() }
        let count: Int
        do throws(PublishError) {
            count = try Publisher.rollback(workspace: tree, undo: undo.rawValue).operations
        } catch {
            if case .conflict(let paths) = error { return .conflict(paths) }
            throw StepRefused(.internal, .evidenceIncomplete, "the rollback did not finish: \(error)")
        }
        try move(to: .rolledBack)
        return .done(.rolledBack, isRepeated: false, paths: count)
    }

    /// The digest of the whole workspace as it is, without what is no part of it.
    public func treeHash() throws(StepRefused) -> SHA256Value {
        let current = file
        return try Self.onDisk("the workspace cannot be read") { () throws(SystemError) in
            try TreeHash.of(WorkspaceTree(current.workspace), excluded: current.excluded.map { ByteString($0) })
        }
    }

    private func verify(_ tree: borrowing WorkspaceTree, _ undo: Int32) throws(StepRefused) -> [String] {
        do throws(PublishError) {
            return try Publisher.verify(workspace: tree, undo: undo).map { problem in
                (problem.path.map { "\($0): " } ?? "") + problem.what.rawValue
            }
        } catch {
            return ["\(error)"]
        }
    }

    private func pendingSet() throws(StepRefused) -> ChangeSet {
        do throws(SystemError) {
            let content = try ChangeContent.open(file, run: run.rawValue)
            let workspace = try WorkspaceTree(file.workspace)
            return try ChangeContent.scan(file, content: content, workspace: workspace, run: run.rawValue).changes
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "the pending changes cannot be read: \(error)")
        }
    }

    private mutating func recover(_ place: AbsolutePath) throws(StepRefused) {
        try WorkspaceRegistry.recover(run: path, workspace: place)
        do throws(SystemError) {
            file = try ChangeFile.load(from: run.rawValue) ?? file
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "\(error)")
        }
    }

    private mutating func move(to state: ChangeState, isForced: Bool = false) throws(StepRefused) {
        file.move(to: state, isForced: isForced)
        do throws(SystemError) {
            try file.save(in: run.rawValue)
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "changes.json cannot be written: \(error)")
        }
    }

    private static func onDisk<Value: ~Copyable>(
        _ what: String, _ body: () throws(SystemError) -> Value
    ) throws(StepRefused) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "\(what): \(error)")
        }
    }

    private func impossible(_ what: String, _ state: ChangeState) -> StepRefused {
        let reason =
            switch state {
            case .none: "there are none"
            case .pending: "they were never committed"
            case .committed: "they are committed"
            case .discarded: "they were discarded"
            case .rolledBack: "they were rolled back"
            }
        return StepRefused(.invalid, .pathNotAllowed, "the changes cannot be \(what): \(reason)")
    }
}

extension RunChanges {
    /// Where the changes of a run stand now, which its report cannot know; `nil` when it has none.
    public static func currentState(_ entry: RunEntry) -> ChangeState? {
        guard let run = try? Files.open(entry.path, [.read, .directory]) else { return nil }
        return ((try? ChangeFile.load(from: run.rawValue)) ?? nil)?.state
    }
}
