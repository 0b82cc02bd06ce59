import JailLedger
import JailModel
import JailPolicy
import JailSystem
import JailWorkspace

/// Which run works on a workspace, kept in the state directory: names the run to whoever has to wait, and leads the next
/// one to what a killed run left half done.
///
/// One file for each workspace, `workspaces/DEVICE-INODE`: the run's id and its directory, a line each.
struct WorkspaceRegistry {
    private let file: String?
    private let workspace: AbsolutePath

    /// - Parameter directory: An open descriptor of the workspace.
    init(_ workspace: AbsolutePath, directory: Int32, _ environment: [String: String]) {
        self.workspace = workspace
        guard let store = try? RunStore.standard(environment), let end = store.root.lastIndex(of: "/"),
            let status = try? Files.status(directory)
        else {
            file = nil
            return
        }
        let folder = store.root[..<end] + "/workspaces"
        try? Files.makeDirectories(String(folder))
        file = "\(folder)/\(status.device)-\(status.inode)"
    }

    /// The run that works on the workspace, or did when it was killed.
    var owner: (id: String, run: String)? {
        guard let file, let input = try? Files.open(file, [.read, .noFollow, .nonBlocking]),
            let status = try? Files.status(input.rawValue), status.kind == .file, status.uid == Files.userID,
            let bytes = try? Files.readAll(input.rawValue, limit: 1 << 16)
        else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        return lines.count == 2 ? (lines[0], lines[1]) : nil
    }

    /// Writes down who works here.
    ///
    /// ORDER: with the workspace's lock, after ``recover()`` and before the first swap of a commit.
    func claim(_ id: String, run: String) {
        guard let file, !run.utf8.contains(UInt8(ascii: "\n")) else { return }
        try? Files.remove(file)
        guard let output = try? Files.open(file, [.write, .create, .exclusive, .noFollow], mode: 0o600) else { return }
        try? Files.writeAll(output.rawValue, Array("\(id)\n\(run)\n".utf8))
        try? Files.sync(output.rawValue)
    }

    /// The work is done: nothing is left half.
    func release() { if let file { try? Files.remove(file) } }

    /// Finishes what the last run on this workspace left half done, forwards or backwards, as its journal says.
    ///
    /// - Throws: ``StepRefused`` (exit 5) when the workspace is between two states and cannot be brought to one.
    func recover() throws(StepRefused) {
        guard let owner else { return }
        do throws(StepRefused) {
            try Self.recover(run: owner.run, workspace: workspace)
        } catch {
            throw StepRefused(
                .internal, .evidenceIncomplete,
                "the run \(SafeText.escape(owner.id)) was cut off while it published its changes: \(error.refusal.message)",
                hint: "`launch-jail commit \(SafeText.escape(owner.run))` tries to finish it again")
        }
        release()
    }

    /// Brings the changes of a run to the end that its journal names; harmless where there is nothing to do.
    static func recover(run path: String, workspace: AbsolutePath) throws(StepRefused) {
        let failure: String
        do throws(SystemError) {
            guard try Files.statusIfPresent(path) != nil else { return }
            let run = try Files.open(path, [.read, .directory, .noFollow])
            guard try Files.status(run.rawValue).uid == Files.userID,
                var file = try ChangeFile.load(from: run.rawValue),
                file.workspace == workspace.description,
                try Files.statusIfPresent("undo", at: run.rawValue) != nil
            else { return }
            let undo = try ChangeContent.openUndo(run.rawValue)
            let tree = try WorkspaceTree(workspace.description)
            switch (recovered(tree, undo.rawValue), file.state) {
            case (.failure(let error), _): throw SystemError("recover", errno: 5, hint: "\(error)")
            case (.success(.committed), .pending), (.success(.committed), .none): file.move(to: .committed)
            case (.success(.rolledBack), .committed): file.move(to: .rolledBack)
            default: return
            }
            return try file.save(in: run.rawValue)
        } catch {
            failure = "\(error)"
        }
        throw StepRefused(.internal, .evidenceIncomplete, failure)
    }

    private static func recovered(
        _ workspace: borrowing WorkspaceTree, _ undo: Int32
    ) -> Result<PublishState, PublishError> {
        do throws(PublishError) {
            return .success(try Publisher.recover(workspace: workspace, undo: undo))
        } catch {
            return .failure(error)
        }
    }
}
