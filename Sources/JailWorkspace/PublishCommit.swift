internal import JailModel
internal import JailSystem

/// One commit from the look at the tree to the last record.
struct PublishCommit {
    let context: PublishContext
    let entries: [UndoEntry]
    let owners: OwnerMap
    let runID: ByteString

    /// - Parameter nearWorkspace: Whether the slots are made in the workspace although the undo directory seems to be on
    ///   its mount.
    func run(content: borrowing WorkspaceTree, nearWorkspace: Bool) throws(PublishError) -> CommitReceipt {
        // ORDER: everything up to the staging record only reads.
        var preflight = try PublishPreflight(entries, context)
        let place = try SwapSlots.place(context, runID: runID, nearWorkspace: nearWorkspace)
        if let name = place.name, let taken = entries.first(where: { $0.path.firstName.elementsEqual(name.bytes) }) {
            throw .refused(taken.path, "the name is used while changes are published")
        }
        try preflight.touch(content: content, withTop: place != .undo)
        let manifest = try manifest(preflight, place, content)
        let recovery = PublishRecovery(context)
        let incoming = PublishStager(
            manifest.entries, manifest.swaps, .after, owners: owners, step: .stage, context)
        let outgoing = PublishStager(
            manifest.entries, manifest.swaps, .before, owners: .identity, step: .keep, context)
        do throws(PublishError) {
            try recovery.begin(.commit, place)
            let slots = try SwapSlots.make(place, context)
            try incoming.run(from: content, isSlots: false, to: slots)
            try incoming.sync(slots)
            if place != .undo { try keep(outgoing) }
            try publish(manifest, preflight.inodes, place, slots, recovery)
        } catch {
            if error == .stopped { throw error }
            try recovery.abandon(.commit)
            if case .system(let cause) = error, cause.isFull {
                throw .noSpace(needed: incoming.bytes &+ (place == .undo ? 0 : outgoing.bytes))
            }
            throw error
        }
        return manifest.receipt
    }

    /// Copies what will go out to the undo directory, since the slots will be dropped.
    private func keep(_ outgoing: PublishStager) throws(PublishError) {
        let undo = try SwapSlots.make(.undo, context)
        do throws(PublishError) {
            try outgoing.run(from: context.workspace, isSlots: false, to: undo)
        } catch {
            // The preflight has just seen it otherwise.
            if case .contentChanged(let paths) = error { throw .conflict(paths.sorted()) }
            throw error
        }
        try outgoing.sync(undo)
    }

    /// The records that make the work one that is finished whatever happens, and then the swaps.
    private func publish(
        _ manifest: UndoManifest, _ inodes: [UInt64?], _ place: SlotsPlace, _ slots: borrowing WorkspaceTree,
        _ recovery: PublishRecovery
    ) throws(PublishError) {
        let bytes = manifest.encoded
        guard try UndoManifest(decoding: bytes) == manifest else { throw .damaged("the manifest cannot be read back") }
        try Journal.write(Journal.manifest, bytes, context.undo.rawValue, context.faults)
        var plan = JournalPlan(from: .before, place: place, manifest: Array(bytes.suffix(32)), steps: [], settles: [])
        for (index, swap) in manifest.swaps.enumerated() {
            let slot = try onDisk { () throws(SystemError) in
                try Files.statusIfPresent(SwapSlots.name(index), at: slots.descriptor)?.inode
            }
            plan.steps.append(.init(here: inodes[index], there: swap.kind == .meta ? inodes[index] : slot))
        }
        plan.settles = manifest.touched.map {
            .init(
                path: $0.path, inode: $0.inode, mode: ($0.modeBefore, $0.modeAfter),
                modified: ($0.modifiedBefore, $0.modifiedAfter))
        }
        // ORDER: everything that the plan names is on disk before the plan is; from here on it is carried out.
        try Journal.write(JournalLeg.commit.plan, plan.encoded, context.undo.rawValue, context.faults)
        try recovery.complete(.commit, plan, manifest, isResumed: false)
    }

    private func manifest(
        _ preflight: PublishPreflight, _ place: SlotsPlace, _ content: borrowing WorkspaceTree
    ) throws(PublishError) -> UndoManifest {
        var marks: [Int: UndoManifest.AttributeChange] = [:]
        for swap in preflight.swaps where swap.kind == .meta {
            let entry = preflight.entries[swap.entries.lowerBound]
            guard entry.before?.attributes != entry.after?.attributes else { continue }
            marks[swap.entries.lowerBound] = UndoManifest.AttributeChange(
                before: try Self.attributes(swap.path, in: context.workspace),
                after: try Self.attributes(swap.path, in: content))
        }
        let path = try? Files.readLink("/proc/self/fd/\(context.workspace.descriptor)")
        return UndoManifest(
            runID: runID, workspacePath: path ?? "", workspaceDevice: context.top.device,
            workspaceInode: context.top.inode, entries: preflight.entries, swaps: preflight.swaps, marks: marks,
            touched: preflight.touched, holdsCopies: place != .undo)
    }

    private static func attributes(
        _ path: ByteString, in tree: borrowing WorkspaceTree
    ) throws(PublishError) -> [UndoManifest.Attribute] {
        do throws(SystemError) {
            let entry = try tree.openParent(of: path)
            let file = try Files.open(entry.name, [.read, .noFollow, .nonBlocking], at: entry.directory.rawValue)
            return try ExtendedAttributes.all(of: file.rawValue).filter { ObjectReader.isCarried($0.name) }
                .map { UndoManifest.Attribute(name: $0.name, value: $0.value) }
        } catch {
            throw .system(error)
        }
    }
}

extension UndoManifest {
    var receipt: CommitReceipt {
        CommitReceipt(treeBefore: treeBefore, treeAfter: treeAfter, operations: swaps.count)
    }
}
