internal import JailModel
internal import JailSystem

/// Runs a plan's swaps on the workspace, or takes them back; each of them, and all, may be run again.
///
/// Guarantee L. Whether a swap is done is told by the inodes at its path and in its slot: both objects are kept until
/// the work is over, so neither number can have been given to another file.
final class SwapRunner {
    let context: PublishContext
    let manifest: UndoManifest
    let plan: JournalPlan
    let slots: WorkspaceTree
    /// Whether the plan's swaps are taken back: then what came out of a slot goes back into it.
    let isUndoing: Bool
    /// Whether an earlier run of the same plan was cut off.
    let isResumed: Bool
    let parents = PublishParents()
    /// The inode that each directory with a swap in it had.
    private let directories: [ByteString: UInt64]

    init(
        _ context: PublishContext, _ manifest: UndoManifest, _ plan: JournalPlan, slots: consuming WorkspaceTree,
        isUndoing: Bool = false, isResumed: Bool = false
    ) {
        self.context = context
        self.manifest = manifest
        self.plan = plan
        self.slots = slots
        self.isUndoing = isUndoing
        self.isResumed = isResumed
        directories = Dictionary(plan.settles.map { ($0.path, $0.inode) }) { first, _ in first }
    }

    /// The side that the tree is on when the run is over, and the one that it comes from.
    var target: UndoSide { isUndoing ? plan.from : plan.from.other }
    var origin: UndoSide { target.other }

    /// How far a swap is.
    private enum Progress: Sendable, Hashable {
        case done, ready
        /// Somebody else's object is at the path.
        case surprise
    }

    /// Swaps everything that is not swapped yet, sets the marks and the directories' times, and waits for the disk.
    ///
    /// - Throws: ``PublishError/conflict(_:)`` for a path at which something else is than the plan says. While undoing
    ///   everything else is taken back first.
    func run() throws(PublishError) {
        try unlock()
        var conflicts: [ByteString] = []
        for (index, swap) in manifest.swaps.enumerated() where swap.kind != .meta {
            do throws(PublishError) {
                try perform(swap, index)
            } catch {
                guard isUndoing, case .conflict(let paths) = error else { throw error }
                conflicts += paths
            }
        }
        parents.forget()
        try settle()
        try sync()
        guard conflicts.isEmpty else { throw .conflict(conflicts) }
    }

    /// The paths of swaps that are not as recorded any more: still to be done, or done and taking away something else.
    func remainingConflicts() throws(PublishError) -> [ByteString] {
        var check = PublishCheck(manifest.entries, origin)
        for (index, swap) in manifest.swaps.enumerated() where swap.kind != .meta {
            let progress: Progress
            do throws(SystemError) {
                let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
                progress = try self.progress(index, name, at: directory)
            } catch {
                guard error.isMissingPath else { throw .system(error) }
                progress = .surprise
            }
            switch progress {
            case .ready: try check.check(swap, in: context.workspace)
            case .surprise: check.differing.append(swap.path)
            case .done:
                if identities(index).now != nil, try !isExpected(swap, index) { check.differing.append(swap.path) }
            }
        }
        return Array(Set(check.differing)).sorted()
    }

    /// The inodes that stand at a swap's path now and then.
    private func identities(_ index: Int) -> (now: UInt64?, then: UInt64?) {
        let step = plan.steps[index]
        return isUndoing ? (step.there, step.here) : (step.here, step.there)
    }

    private func progress(_ index: Int, _ name: ByteString, at directory: Int32) throws(SystemError) -> Progress {
        let (now, then) = identities(index)
        let present = try Files.statusIfPresent(name, at: directory)?.inode
        let slot = try Files.statusIfPresent(SwapSlots.name(index), at: slots.descriptor)?.inode
        if present == then, isUndoing || now == nil || slot == now || now == then { return .done }
        if present == now, then == nil || slot == then || (isUndoing && slot != nil) { return .ready }
        // Done before, and changed by somebody since: that is theirs to keep.
        if slot == now { return .done }
        return .surprise
    }

    private func perform(_ swap: Swap, _ index: Int) throws(PublishError) {
        do throws(SystemError) {
            let (directory, name, isNew) = try parents.open(swap.path, in: context.workspace)
            if isNew, let inode = directories[swap.path.parent] {
                guard try Files.status(directory).inode == inode else { throw SystemError("swap", errno: 2) }
            }
            switch try progress(index, name, at: directory) {
            case .surprise: throw SystemError("swap", errno: 2)
            case .done: return try lock(swap, index, name, at: directory)
            case .ready: break
            }
        } catch {
            guard error.isMissingPath else { throw .system(error) }
            throw .conflict([swap.path])
        }
        try context.faults(.swap, swap.path)
        try exchange(swap, index)
    }

    private func exchange(_ swap: Swap, _ index: Int) throws(PublishError) {
        let (now, then) = identities(index)
        do throws(SystemError) {
            let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
            try unlock(swap, index, name, at: directory)
            try rename(index, name, at: directory, isOut: now != nil, isIn: then != nil)
            try lock(swap, index, name, at: directory)
        } catch {
            if error.isCrossing { throw .system(error) }
            // EEXIST and ENOENT: somebody was faster.
            guard error.isMissingPath || error.errno == 17 else { throw .system(error) }
            throw .conflict([swap.path])
        }
        guard now != nil, try !isExpected(swap, index) else { return }
        try context.faults(.putBack, swap.path)
        try onDisk { () throws(SystemError) in
            let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
            try rename(index, name, at: directory, isOut: then != nil, isIn: true)
        }
        throw .conflict([swap.path])
    }

    /// Moves what the path holds to the slot (`isOut`), what the slot holds to the path (`isIn`), or both at once.
    private func rename(
        _ index: Int, _ name: ByteString, at directory: Int32, isOut: Bool, isIn: Bool
    ) throws(SystemError) {
        let slot = SwapSlots.name(index)
        switch (isOut, isIn) {
        case (true, true): try Files.rename(slot, at: slots.descriptor, to: name, at: directory, .exchange)
        case (true, false): try Files.rename(name, at: directory, to: slot, at: slots.descriptor, .noReplace)
        case (false, true): try Files.rename(slot, at: slots.descriptor, to: name, at: directory, .noReplace)
        case (false, false): break
        }
    }

    /// Whether what came out is what the preflight saw, by its marks and, for a tree, by its names.
    private func isExpected(_ swap: Swap, _ index: Int) throws(PublishError) -> Bool {
        let name = SwapSlots.name(index)
        let inode = try onDisk { () throws(SystemError) in
            try Files.statusIfPresent(name, at: slots.descriptor)?.inode
        }
        guard inode == identities(index).now || isUndoing else { return false }
        guard inode == identities(index).now else { return true }
        var check = PublishCheck(manifest.entries, origin)
        check.isThorough = false
        try check.check(swap, in: slots, at: name)
        return check.differing.isEmpty
    }
}
