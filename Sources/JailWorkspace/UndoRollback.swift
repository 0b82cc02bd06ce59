internal import JailModel
internal import JailSystem

/// Takes a commit back: the same swaps in reverse, with a journal of their own.
struct UndoRollback {
    let context: PublishContext
    let manifest: UndoManifest

    /// What is not as it must be for a rollback.
    struct Findings: Sendable, Hashable {
        /// Paths that were changed since the commit.
        var conflicts: [ByteString]
        /// Paths whose undo object is not what stood there before.
        var damaged: [ByteString]
    }

    /// Reads everything that a rollback moves, on both sides, and writes nothing.
    func inspect() throws(PublishError) -> Findings {
        var present = PublishCheck(manifest.entries, .after)
        present.mounts = context
        for swap in manifest.swaps { try present.check(swap, in: context.workspace) }
        var kept = PublishCheck(manifest.entries, .before)
        guard let slots = try SwapSlots.openUndo(context) else { throw .damaged("the undo objects are gone") }
        for (index, swap) in manifest.swaps.enumerated() where swap.kind != .meta {
            guard manifest.entries[swap.entries.lowerBound].before != nil else { continue }
            try kept.check(swap, in: slots, at: SwapSlots.name(index))
        }
        return Findings(
            conflicts: Array(Set(present.differing)).sorted(), damaged: Array(Set(kept.differing)).sorted())
    }

    func run() throws(PublishError) {
        try manifest.requireWorkspace(context)
        guard manifest.isReversible else { throw .damaged("the swaps cannot be taken back") }
        let findings = try inspect()
        guard findings.conflicts.isEmpty else { throw .conflict(findings.conflicts) }
        if let path = findings.damaged.first { throw .damaged("what stood at \(path) is not as it was recorded") }
        do throws(PublishError) {
            try attempt(nearWorkspace: false)
        } catch {
            guard case .system(let cause) = error, cause.isCrossing else { throw error }
            try attempt(nearWorkspace: true)
        }
    }

    private func attempt(nearWorkspace: Bool) throws(PublishError) {
        let place = try SwapSlots.place(context, runID: manifest.runID, nearWorkspace: nearWorkspace)
        let recovery = PublishRecovery(context)
        let outgoing = PublishStager(
            manifest.entries, manifest.swaps, .before, owners: .identity, step: .stage, context)
        do throws(PublishError) {
            let settles = try settles(place)
            try recovery.begin(.rollback, place)
            if place != .undo { try stage(outgoing, place) }
            guard let slots = try SwapSlots.open(place, context) else { throw .damaged("the undo objects are gone") }
            var plan = JournalPlan(
                from: .after, place: place, manifest: Array(manifest.encoded.suffix(32)), steps: [], settles: settles)
            plan.steps = try steps(slots)
            try Journal.write(JournalLeg.rollback.plan, plan.encoded, context.undo.rawValue, context.faults)
            try recovery.complete(.rollback, plan, manifest, isResumed: false)
        } catch {
            if error == .stopped { throw error }
            try recovery.abandon(.rollback)
            if case .system(let cause) = error, cause.isFull { throw .noSpace(needed: outgoing.bytes) }
            throw error
        }
        try SwapSlots.dropUndo(context)
    }

    /// Copies the undo objects to the workspace's mount.
    private func stage(_ outgoing: PublishStager, _ place: SlotsPlace) throws(PublishError) {
        guard let kept = try SwapSlots.openUndo(context) else { throw .damaged("the undo objects are gone") }
        let slots = try SwapSlots.make(place, context)
        try outgoing.run(from: kept, isSlots: true, to: slots)
        try outgoing.sync(slots)
    }

    private func steps(_ slots: borrowing WorkspaceTree) throws(PublishError) -> [JournalPlan.Step] {
        var steps: [JournalPlan.Step] = []
        let parents = PublishParents()
        for (index, swap) in manifest.swaps.enumerated() {
            do throws(SystemError) {
                let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
                let here = try Files.statusIfPresent(name, at: directory)?.inode
                let slot = try Files.statusIfPresent(SwapSlots.name(index), at: slots.descriptor)?.inode
                steps.append(.init(here: here, there: swap.kind == .meta ? here : slot))
            } catch {
                throw error.isMissingPath ? .conflict([swap.path]) : .system(error)
            }
        }
        return steps
    }

    /// The touched directories get their old time back, unless something else has changed there since.
    private func settles(_ place: SlotsPlace) throws(PublishError) -> [JournalPlan.Settle] {
        var settles: [JournalPlan.Settle] = []
        for directory in manifest.touched {
            do throws(SystemError) {
                let found = try context.workspace.openDirectory(directory.path.bytes[...])
                let status = try Files.status(found.rawValue)
                let modified = directory.path.bytes.isEmpty ? context.top.modified : status.modified
                let isAsLeft = modified == directory.modifiedAfter && status.inode == directory.inode
                settles.append(
                    JournalPlan.Settle(
                        path: directory.path, inode: status.inode, mode: (status.mode, directory.modeBefore),
                        modified: (modified, isAsLeft ? directory.modifiedBefore : modified)))
            } catch {
                throw error.isMissingPath ? .conflict([directory.path]) : .system(error)
            }
        }
        if place != .undo, settles.first?.path.bytes.isEmpty != true {
            let (mode, modified) = (context.top.mode, context.top.modified)
            let top = JournalPlan.Settle(
                path: "", inode: context.top.inode, mode: (mode, mode), modified: (modified, modified))
            settles.insert(top, at: 0)
        }
        return settles
    }
}
