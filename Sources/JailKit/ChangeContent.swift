import JailModel
import JailSystem
import JailWorkspace

/// Reads and publishes the changes of a run, by what its ``ChangeFile`` says about them: the one way for `run` and for
/// `commit` later.
enum ChangeContent {
    /// Computes the change set.
    static func scan(
        _ file: ChangeFile, content: borrowing WorkspaceTree, workspace: borrowing WorkspaceTree, run: Int32,
        since: Int64? = nil, readLimit: UInt64? = nil
    ) throws(SystemError) -> ScanResult {
        let request = ScanRequest(
            excluded: file.excluded.map { ByteString($0) }, placeholders: file.placeholders, fence: file.fence,
            since: since, owners: file.owners, readLimit: readLimit)
        guard file.content == .copy else {
            return try ChangeScanner.scan(upper: content, lower: workspace, marks: .user, request)
        }
        let pending = try Files.open(WorkspaceChanges.folder, [.read, .directory, .noFollow], at: run)
        let baseline = try CopyBaseline.load("baseline", at: pending.rawValue)
        return try ChangeScanner.scan(copy: content, original: workspace, baseline: baseline, request)
    }

    /// Opens the content of pending changes in a run directory.
    static func open(_ file: ChangeFile, run: Int32) throws(SystemError) -> WorkspaceTree {
        let name = file.content == .copy ? "copy" : "upper"
        return WorkspaceTree(
            taking: try Files.open(WorkspaceChanges.folder + "/" + name, [.read, .directory, .noFollow], at: run))
    }

    /// Publishes a change set with its undo in the run directory.
    static func publish(
        _ set: ChangeSet, _ file: ChangeFile, run: Int32,
        content openContent: () throws(SystemError) -> WorkspaceTree
    ) -> Publication {
        do throws(SystemError) {
            let content = try openContent()
            let workspace = try WorkspaceTree(file.workspace)
            let undo = try openUndo(run)
            // ORDER: the commit that HEAD names before the change is the one to go back to.
            let base = RollbackMetadata.head(workspace)
            let publication = try publish(set, file, content, workspace, undo.rawValue)
            if let base, case .published = publication {
                try RollbackMetadata.write(run: run, runID: file.runID, base: base, changes: set)
            }
            return publication
        } catch {
            return .failed("\(error)")
        }
    }

    private static func publish(
        _ set: ChangeSet, _ file: ChangeFile, _ content: borrowing WorkspaceTree,
        _ workspace: borrowing WorkspaceTree, _ undo: Int32
    ) throws(SystemError) -> Publication {
        do throws(PublishError) {
            let receipt = try Publisher.commit(
                set, content: content, workspace: workspace, undo: undo, owners: file.owners, runID: file.runID)
            let problems = try Publisher.verify(workspace: workspace, undo: undo)
            return .published(
                treeBefore: receipt.treeBefore, treeAfter: receipt.treeAfter, operations: receipt.operations,
                problems: problems.map { problem in "\(problem.path.map { "\($0): " } ?? "")\(problem.what.rawValue)" })
        } catch {
            switch error {
            case .conflict(let paths), .contentChanged(let paths): return .conflict(paths)
            default: return .failed("\(error)")
            }
        }
    }

    /// The directory that holds what a rollback needs.
    static func openUndo(_ run: Int32) throws(SystemError) -> OwnedFD {
        do throws(SystemError) {
            try Files.makeDirectory("undo", at: run)
            try Files.sync(run)
        } catch {
            guard error.errno == 17 else { throw error }
        }
        return try Files.open("undo", [.read, .directory, .noFollow], at: run)
    }
}
