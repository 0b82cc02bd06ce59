import JailLaunch
import JailLedger
import JailModel
import JailPlan
import JailPolicy
import JailSystem
import JailWorkspace

/// The changes of one run on disk: the layer before the step, the change set after it, and what becomes of it.
///
/// Guarantees B, G and L.
final class WorkspaceChanges {
    let layer: WorkspaceLayer
    private let run: OwnedFD
    private let plan: Plan
    private let target: TargetUser
    private let workspacePath: String
    private var fence: Int64 = 0
    private var baseline: CopyBaseline?
    private(set) var notes: [String] = []
    private let runID: RunID
    private let excluded: [ByteString]
    /// The run and state directories inside the workspace, which no copy of it takes along.
    private let own: [ByteString]
    private var earlierPlaces: [JailPlan.HeldPlace] = []
    private let rules: ChangeRules
    private let workspaceInode: UInt64
    /// When the step began, for what this step of several wrote.
    private var since: Int64?

    static let folder = LayerChoice.folder
    private static let baselineName = "baseline"

    init(
        _ planned: PlannedStep, _ policy: Policy, layer: WorkspaceLayer, run: Int32, id: RunID
    ) throws(SystemError) {
        rules = ChangeRules(rules: policy.workspace)
        workspaceInode = planned.facts.paths[planned.request.workspace.description]?.inode ?? 0
        self.layer = layer
        self.run = try Files.open(".", [.read, .directory], at: run)
        plan = planned.plan
        target = planned.facts.target
        workspacePath = planned.request.workspace.description
        runID = id
        let workspace = planned.request.workspace
        // The run directory may lie in the workspace; it is no part of it.
        let own = [planned.request.runDirectory, planned.request.stateDirectory].compactMap { $0 }
            .filter { workspace.contains($0) && $0 != workspace }
            .map { $0.components.dropFirst(workspace.components.count).joined(separator: "/") }
        let scratch = planned.plan.scratch.map { $0.path.joined(separator: "/") }
        self.own = own.map { ByteString($0) }
        excluded = (own + scratch).map { ByteString($0) }
    }

    // MARK: before the step

    /// Makes what the plan mounts.
    ///
    /// - Throws: ENOSPC, EACCES; what was made is removed with the run directory's ``discard()``.
    func prepare(mode: UInt32, earlier: ChangeFile?, began: Int64) throws(SystemError) {
        let isContinued = earlier != nil
        for number in plan.scratch.indices {
            try makeDirectory("scratch")
            let folder = try Files.open("scratch", [.read, .directory, .noFollow], at: run.rawValue)
            try TreeRemover.removeIfPresent(String(number), at: folder.rawValue)
            try Files.makeDirectory(String(number), at: folder.rawValue)
            let directory = try Files.open(String(number), [.read, .directory, .noFollow], at: folder.rawValue)
            try letThrough(directory.rawValue)
            try makeLayer(in: directory.rawValue, mode: 0o755)
        }
        switch layer {
        case .memory: break
        case .disk:
            try makeDirectory(Self.folder)
            let pending = try Files.open(Self.folder, [.read, .directory, .noFollow], at: run.rawValue)
            try letThrough(pending.rawValue)
            if isContinued {
                // A used work directory of a volatile overlay refuses to be mounted again.
                try TreeRemover.removeIfPresent("work", at: pending.rawValue)
                try makeOwned("work", 0o700, in: pending.rawValue)
            } else {
                for name in ["upper", "work"] { try TreeRemover.removeIfPresent(name, at: pending.rawValue) }
                try makeLayer(in: pending.rawValue, mode: mode)
            }
        case .copy: if !isContinued { try makeCopy(mode: mode) }
        }
        earlierPlaces = earlier?.heldPlaces ?? []
        since = isContinued ? ChangeFence.take() : nil
        // ORDER: the last thing before the launch, so that nothing that we did counts as a change of others.
        fence = earlier?.fence ?? ChangeFence.pass(began)
        // What a kill of launch-jail leaves can be dropped, or looked at, by what this says.
        if case .memory = layer { return }
        if !isContinued { try save(file(state: .pending)) }
    }

    private func makeDirectory(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeDirectory(name, at: run.rawValue)
        } catch {
            guard error.errno == 17 else { throw error }
        }
    }

    /// The jail's user goes through this directory to its layer; nobody else gets as far as this, below a directory of
    /// mode 0700.
    private func letThrough(_ directory: Int32) throws(SystemError) { try Files.setMode(directory, 0o711) }

    private func makeLayer(in directory: Int32, mode: UInt32) throws(SystemError) {
        try makeOwned("upper", mode, in: directory)
        try makeOwned("work", 0o700, in: directory)
    }

    /// A directory of the jail's user.
    private func makeOwned(_ name: String, _ mode: UInt32, in parent: Int32) throws(SystemError) {
        try Files.makeDirectory(name, at: parent)
        let directory = try Files.open(name, [.read, .directory, .noFollow], at: parent)
        if Files.userID == 0 {
            try Files.setOwner(directory.rawValue, uid: target.outsideUID, gid: target.outsideGID)
        }
        try Files.setMode(directory.rawValue, mode & 0o1777)
    }

    private func makeCopy(mode: UInt32) throws(SystemError) {
        try makeDirectory(Self.folder)
        let pending = try Files.open(Self.folder, [.read, .directory, .noFollow], at: run.rawValue)
        for name in ["upper", "work", "copy"] { try TreeRemover.removeIfPresent(name, at: pending.rawValue) }
        try Files.makeDirectory("copy", at: pending.rawValue)
        let copy = try Files.open("copy", [.read, .directory, .noFollow], at: pending.rawValue)
        let workspace = try WorkspaceTree(workspacePath)
        if Files.userID == 0 {
            try Files.setOwner(copy.rawValue, uid: target.outsideUID, gid: target.outsideGID)
        }
        let inward =
            target.isMapped
            ? OwnerMap(from: (target.insideUID, target.insideGID), to: (target.outsideUID, target.outsideGID))
            : .identity
        let result = try PrivateCopy.make(of: workspace, in: copy.rawValue, excluded: own, owners: inward)
        try Files.setMode(copy.rawValue, mode & 0o1777)
        baseline = result.baseline
        notes += result.notes
        try? Files.remove(Self.baselineName, at: pending.rawValue)
        try result.baseline.save(ByteString(Self.baselineName), at: pending.rawValue)
    }

    // MARK: after the step

    /// The ids of the jail's user become those of the workspace.
    private var owners: OwnerMap {
        guard target.isMapped else { return .identity }
        return OwnerMap(
            from: (target.outsideUID, target.outsideGID), to: (target.insideUID, target.insideGID))
    }

    private var content: ChangeFile.Content {
        switch layer {
        case .memory: .memory
        case .disk: .disk
        case .copy: .copy
        }
    }

    /// The places of this step and of those whose changes it continues: all of them lie in the layer.
    private var heldPlaces: [JailPlan.HeldPlace] {
        var seen = Set(plan.heldPlaces.map(\.path))
        return plan.heldPlaces + earlierPlaces.filter { seen.insert($0.path).inserted }
    }

    /// What a later command needs; `heldPlaces` of a copy were made in the copy.
    func file(state: ChangeState) -> ChangeFile {
        ChangeFile(
            runID: runID.text, workspace: workspacePath, content: content, fence: fence, owners: owners,
            heldPlaces: heldPlaces, excluded: excluded.compactMap(\.string), state: state, obstacles: [],
            verdict: nil, history: [], rules: rules, workspaceInode: workspaceInode)
    }

    /// Saves where the changes stand.
    func save(_ file: ChangeFile) throws(SystemError) { try file.save(in: run.rawValue) }

    /// Opens the tree that holds each changed object at its path.
    private func openContent(_ handle: LayerHandle?) throws(SystemError) -> WorkspaceTree {
        switch layer {
        case .memory:
            guard let handle else { throw SystemError("read the layer", errno: 2) }
            return WorkspaceTree(
                taking: try Files.open(".", [.read, .directory, .noFollow], at: handle.descriptor))
        case .disk:
            return WorkspaceTree(
                taking: try Files.open(Self.folder + "/upper", [.read, .directory, .noFollow], at: run.rawValue))
        case .copy:
            return WorkspaceTree(
                taking: try Files.open(Self.folder + "/copy", [.read, .directory, .noFollow], at: run.rawValue))
        }
    }

    /// Reads what the step changed and writes changes.patch.
    func read(
        _ handle: LayerHandle?, _ policy: Policy, earlierWrites: UInt64
    ) throws(SystemError) -> (record: ChangeRecord, handoffs: [TrustHandoff]) {
        let content = try openContent(handle)
        let workspace = try WorkspaceTree(workspacePath)
        let result = try ChangeContent.scan(
            file(state: .pending), content: content, workspace: workspace, run: run.rawValue, since: since,
            readLimit: policy.budgets[.bytesWritten])
        var record = ChangeRecord(
            layer: layer.name, set: result.changes, isComplete: result.isComplete,
            fileWrites: earlierWrites + result.writes)
        record.set.notes += notes + Self.splitLinks(record.set, in: workspace)
        let output = try Files.open(
            "changes.patch", [.write, .create, .truncate, .noFollow], mode: 0o600, at: run.rawValue)
        var patch = ChangePatch(output: output.rawValue)
        if result.isComplete {
            record.patch = try patch.run(&record.set, old: workspace, new: content)
        }
        record.violations = ChangeRules(rules: policy.workspace).violations(record.set)
        record.state = record.set.isEmpty ? .none : .pending
        let handoffs = HandoffReading.findings(record.set, old: workspace, new: content, workspace: workspacePath)
        return (record, handoffs)
    }

    /// Files that had several names before and of which one was written: an overlay gives that name a file of its own.
    private static func splitLinks(_ set: ChangeSet, in workspace: borrowing WorkspaceTree) -> [String] {
        var out: [String] = []
        for change in set.paths where change.before?.kind == .file && change.after?.kind == .file {
            guard out.count < 20, let entry = try? workspace.openParent(of: change.path),
                let status = try? Files.status(entry.name, at: entry.directory.rawValue), status.links > 1
            else { continue }
            out.append("\(change.path) had other names (hard links), which keep the old file")
        }
        return out
    }

    // MARK: what becomes of them

    /// Publishes, keeps or drops the changes, and tells it in the record.
    func dispose(_ disposal: Disposal, _ record: inout ChangeRecord, _ handle: LayerHandle?, verdict: Verdict) {
        var file = file(state: record.state)
        file.verdict = verdict
        file.obstacles = record.violations.map { "\($0.path) \($0.reason)" }
        if !record.isComplete { file.obstacles.append("not everything was read") }
        do throws(SystemError) {
            switch disposal {
            case .nothing:
                try drop()
                file.state = .none
                try save(file)
            case .discard:
                try drop()
                record.state = .discarded
                file.move(to: .discarded)
                try save(file)
            case .keep:
                try keep(handle, &file)
                file.move(to: .pending)
                try save(file)
            case .commit:
                try save(file)
                publish(&record, handle, &file)
            }
        } catch {
            record.publication = .failed("\(error)")
        }
    }

    private func publish(_ record: inout ChangeRecord, _ handle: LayerHandle?, _ file: inout ChangeFile) {
        record.publication = ChangeContent.publish(record.set, file, run: run.rawValue) {
            () throws(SystemError) in try self.openContent(handle)
        }
        do throws(SystemError) {
            guard case .published = record.publication else {
                // Swaps that were taken back are no change of somebody else's.
                if case .failed = record.publication { file.fence = ChangeFence.take() }
                // Nothing was published: the changes wait for a decision.
                try keep(handle, &file)
                file.move(to: .pending)
                return try save(file)
            }
            record.state = .committed
            file.move(to: .committed)
            try save(file)
            try drop()
        } catch {
            record.publication = .failed("\(error)")
        }
    }

    /// Makes changes that lie in memory outlive this process.
    private func keep(_ handle: LayerHandle?, _ file: inout ChangeFile) throws(SystemError) {
        guard case .memory = layer, let handle else { return }
        try makeDirectory(Self.folder)
        let pending = try Files.open(Self.folder, [.read, .directory, .noFollow], at: run.rawValue)
        for name in ["upper", "work"] { try TreeRemover.removeIfPresent(name, at: pending.rawValue) }
        try makeLayer(in: pending.rawValue, mode: 0o700)
        let upper = try Files.open("upper", [.read, .directory, .noFollow], at: pending.rawValue)
        try Files.setMode(upper.rawValue, try Files.status(handle.descriptor).mode & 0o1777)
        let source = WorkspaceTree(
            taking: try Files.open(".", [.read, .directory, .noFollow], at: handle.descriptor))
        _ = try UpperArchive.save(source, to: upper.rawValue, marks: .user)
        file.content = .disk
    }

    /// Removes what only the step needed.
    func drop() throws(SystemError) {
        for name in [Self.folder, "scratch"] { try TreeRemover.removeIfPresent(name, at: run.rawValue) }
    }

    /// Removes the scratch directories, which nobody keeps.
    func dropScratch() { try? TreeRemover.removeIfPresent("scratch", at: run.rawValue) }
}

extension TreeRemover {
    /// Removes a tree; that there is none is fine.
    static func removeIfPresent(_ name: String, at directory: Int32) throws(SystemError) {
        guard try Files.statusIfPresent(name, at: directory) != nil else { return }
        try remove(ByteString(name), at: directory)
    }
}
