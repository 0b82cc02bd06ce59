internal import JailModel
internal import JailSystem

/// Brings a commit or a rollback that was cut off to its end, forwards or backwards as the journal says.
///
/// | the journal has | then |
/// |---|---|
/// | no plan | what was staged is dropped: the old tree |
/// | a plan | the swaps are finished: the new tree |
/// | an abort as well | they are taken back: the old tree |
/// | the last record | nothing |
struct PublishRecovery {
    let context: PublishContext

    init(_ context: PublishContext) { self.context = context }

    private var undo: Int32 { context.undo.rawValue }

    /// Finishes whatever is open.
    ///
    /// - Throws: ``PublishError/conflict(_:)`` when somebody changed a path that was still to be swapped; the swaps are
    ///   then taken back, or stay open where that is not possible either.
    func run() throws(PublishError) -> PublishState {
        if try Journal.has(JournalLeg.rollback.done, undo) {
            try SwapSlots.dropUndo(context)
            return .rolledBack
        }
        guard try resume(.commit) else { return .nothing }
        guard try resume(.rollback) else { return .committed }
        try SwapSlots.dropUndo(context)
        return .rolledBack
    }

    /// Whether the leg is done now; `false` when nothing of it is left.
    private func resume(_ leg: JournalLeg) throws(PublishError) -> Bool {
        if try Journal.has(leg.done, undo) { return true }
        if try Journal.has(leg.aborted, undo) {
            try forget(leg)
            return false
        }
        guard let plan = try plan(leg) else {
            try forget(leg)
            return false
        }
        if try Journal.has(leg.abort, undo) {
            try abort(leg)
            return false
        }
        let manifest = try manifest(plan)
        do throws(PublishError) {
            try complete(leg, plan, manifest, isResumed: true)
        } catch {
            if case .conflict = error { try abandon(leg) }
            throw error
        }
        return true
    }

    /// The first record of a leg.
    func begin(_ leg: JournalLeg, _ place: SlotsPlace) throws(PublishError) {
        let staging = JournalStaging(
            place: place, workspaceInode: context.top.inode, topModified: context.top.modified)
        try Journal.write(leg.staging, staging.encoded, undo, context.faults)
    }

    /// Does what a plan says and writes the leg's last record.
    func complete(
        _ leg: JournalLeg, _ plan: JournalPlan, _ manifest: UndoManifest, isResumed: Bool
    ) throws(PublishError) {
        if try !Journal.has(leg.swapped, undo) {
            guard let slots = try SwapSlots.open(plan.place, context) else { throw .damaged("the slots are gone") }
            let runner = SwapRunner(context, manifest, plan, slots: slots, isResumed: isResumed)
            if isResumed {
                let conflicts = try runner.remainingConflicts()
                guard conflicts.isEmpty else { throw .conflict(conflicts) }
            }
            try runner.run()
        }
        if plan.place != .undo {
            // ORDER: once the slots go, nothing can tell any more which swaps are done.
            try Journal.write(leg.swapped, [], undo, context.faults)
            let top = plan.settles.first { $0.path.bytes.isEmpty }
            try SwapSlots.drop(plan.place, topModified: top?.modified.to ?? context.top.modified, context)
        }
        try Journal.write(leg.done, [], undo, context.faults)
    }

    /// Ends a leg that failed: the tree is as it was before it.
    ///
    /// When every swap was done and only leftovers remain, it is left for ``run()`` to finish.
    func abandon(_ leg: JournalLeg) throws(PublishError) {
        if try Journal.has(leg.swapped, undo) { return }
        // ORDER: the last record may have been written by the very step that failed; nothing is taken back under it.
        try Journal.remove([leg.done], undo, context.faults)
        if try Journal.has(leg.plan, undo) { try abort(leg) } else { try forget(leg) }
    }

    /// Takes a plan's swaps back.
    private func abort(_ leg: JournalLeg) throws(PublishError) {
        guard let plan = try plan(leg) else { return }
        let manifest = try manifest(plan)
        if try !Journal.has(leg.abort, undo) { try Journal.write(leg.abort, [], undo, context.faults) }
        guard let slots = try SwapSlots.open(plan.place, context) else { throw .damaged("the slots are gone") }
        try SwapRunner(context, manifest, plan, slots: slots, isUndoing: true).run()
        // ORDER: the slots go only when the tree no longer needs them for sure.
        try Journal.write(leg.aborted, [], undo, context.faults)
        try forget(leg)
    }

    /// Drops everything of a leg that has changed nothing, or nothing any more.
    private func forget(_ leg: JournalLeg) throws(PublishError) {
        if let bytes = try Journal.read(leg.staging, undo) {
            let staging = try JournalStaging(decoding: bytes, name: leg.staging)
            guard staging.workspaceInode == context.top.inode else {
                throw .refused("", "the changes are of another workspace than this one")
            }
            if staging.place != .undo {
                try SwapSlots.drop(staging.place, topModified: staging.topModified, context)
            }
            if leg == .commit {
                try SwapSlots.dropUndo(context)
                try Journal.remove([Journal.manifest], undo, context.faults)
            }
        }
        let drafts = ([Journal.manifest] + leg.leftovers + [leg.done]).map { $0 + ".tmp" }
        try Journal.remove(drafts + leg.leftovers, undo, context.faults)
    }

    /// Drops the records of a commit that was rolled back.
    func reset() throws(PublishError) {
        let (commit, rollback) = (JournalLeg.commit, JournalLeg.rollback)
        // ORDER: the record that says that nothing is to be done goes last.
        let names = rollback.leftovers + commit.leftovers + [commit.done, Journal.manifest, rollback.done]
        try Journal.remove(names, undo, context.faults)
    }

    private func plan(_ leg: JournalLeg) throws(PublishError) -> JournalPlan? {
        guard let bytes = try Journal.read(leg.plan, undo) else { return nil }
        return try JournalPlan(decoding: bytes, name: leg.plan)
    }

    private func manifest(_ plan: JournalPlan) throws(PublishError) -> UndoManifest {
        guard let bytes = try Journal.read(Journal.manifest, undo), bytes.suffix(32).elementsEqual(plan.manifest) else {
            throw .damaged("the plan belongs to another manifest")
        }
        let manifest = try UndoManifest(decoding: bytes)
        guard plan.steps.count == manifest.swaps.count else { throw .damaged("the plan is not of this manifest") }
        try manifest.requireWorkspace(context)
        return manifest
    }
}

extension UndoManifest {
    /// A journal is carried out on the workspace that it was written for, and on no other.
    func requireWorkspace(_ context: PublishContext) throws(PublishError) {
        guard workspaceInode == context.top.inode else {
            throw .refused(workspacePath, "the changes are of another workspace than this one")
        }
    }
}
