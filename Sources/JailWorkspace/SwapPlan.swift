public import JailModel

/// How one path is published.
public enum SwapKind: UInt8, Sendable, Hashable, CaseIterable {
    /// Something was there, and something else is there then: the two change places.
    case exchange = 1
    /// Nothing was there: an object, perhaps a whole tree, is moved in.
    case place
    /// Nothing is there any more: the object, perhaps a whole tree, is moved out.
    case remove
    /// Mode, owner, times or attributes only: set in place, and the inode stays.
    case meta
}

/// One of the disjoint operations that a commit consists of.
///
/// No swap's path lies in another one's, unless that one is ``SwapKind/meta``; so their order does not matter, and any
/// prefix of them can be done again or taken back. The swap's place in the list is the number of its slot.
public struct Swap: Sendable, Hashable {
    public var kind: SwapKind
    public var path: ByteString
    /// The entries that it covers: the path and everything below it.
    public var entries: Range<Int>
}

/// Turns a change set's entries into swaps, as a pure function.
enum SwapPlanner {
    /// - Parameters:
    ///   - entries: In tree order, each path once.
    ///   - shared: Paths whose file has other names, so that changing it in place would change those too.
    /// - Throws: ``PublishError/refused(_:_:)`` when the entries contradict each other.
    static func plan(_ entries: [UndoEntry], shared: Set<ByteString> = []) throws(PublishError) -> [Swap] {
        let targets = Set(entries.compactMap(\.linkedTo))
        var swaps: [Swap] = []
        var parents = Parents()
        for (index, entry) in entries.enumerated() {
            if let last = swaps.last, last.kind != .meta, entry.path.isInside(last.path) {
                try parents.admit(entry)
                swaps[swaps.count - 1].entries = last.entries.lowerBound..<(index + 1)
                continue
            }
            let isReplaced = targets.contains(entry.path) || shared.contains(entry.path)
            swaps.append(
                Swap(kind: kind(entry, isReplaced: isReplaced), path: entry.path, entries: index..<(index + 1)))
            parents = Parents(top: entry)
        }
        return swaps
    }

    /// - Parameter isReplaced: Whether the file must be a new one, since another name is to share it, or must not.
    static func kind(_ entry: UndoEntry, isReplaced: Bool) -> SwapKind {
        guard let before = entry.before else { return .place }
        guard let after = entry.after else { return .remove }
        if before.kind == .directory, after.kind == .directory { return .meta }
        guard before.kind == after.kind, !isReplaced, entry.linkedTo == nil, before.size == after.size,
            let digest = before.digest, digest == after.digest
        else { return .exchange }
        return .meta
    }

    /// The directories around the next entry of a swapped tree, on each side.
    private struct Parents {
        var before: [ByteString] = []
        var after: [ByteString] = []

        init() {}

        init(top: UndoEntry) {
            if top.before?.kind == .directory { before = [top.path] }
            if top.after?.kind == .directory { after = [top.path] }
        }

        /// An object of a swapped tree lies in a directory of the same side of that tree.
        mutating func admit(_ entry: UndoEntry) throws(PublishError) {
            let parent = entry.path.parent
            while let last = before.last, !parent.isInside(last) { before.removeLast() }
            while let last = after.last, !parent.isInside(last) { after.removeLast() }
            guard entry.before == nil || before.last == parent, entry.after == nil || after.last == parent else {
                throw .refused(entry.path, "the change set does not say what became of the directory it lies in")
            }
            if entry.before?.kind == .directory { before.append(entry.path) }
            if entry.after?.kind == .directory { after.append(entry.path) }
        }
    }
}

/// The workspace's affected paths and the slots as values: what the swaps do, without a disk.
///
/// Guarantee L: a plan is run forwards and backwards here before it is run on a tree.
struct SwapModel: Hashable {
    private var tree: [ByteString: ObjectState] = [:]
    private var slots: [[ByteString: ObjectState]]

    /// The tree before, and each slot with what comes in.
    init(_ entries: [UndoEntry], _ swaps: [Swap]) {
        slots = []
        slots.reserveCapacity(swaps.count)
        for entry in entries { tree[entry.path] = entry.before }
        for swap in swaps {
            var slot: [ByteString: ObjectState] = [:]
            for entry in entries[swap.entries] { slot[entry.path] = entry.after }
            slots.append(slot)
        }
    }

    /// Exchanges everything at and below a swap's path with what its slot holds; the same call takes it back.
    mutating func apply(_ swap: Swap, slot: Int, paths: some Sequence<ByteString>) {
        var outgoing: [ByteString: ObjectState] = [:]
        for path in paths where path.isInside(swap.path) { outgoing[path] = tree.removeValue(forKey: path) }
        for (path, state) in slots[slot] { tree[path] = state }
        slots[slot] = outgoing
    }

    /// Whether the swaps turn the tree before into the tree after, and back again, whatever their order.
    static func isReversible(_ entries: [UndoEntry], _ swaps: [Swap]) -> Bool {
        // Every entry belongs to exactly one swap.
        var next = 0
        for swap in swaps {
            guard swap.entries.lowerBound == next, !swap.entries.isEmpty else { return false }
            next = swap.entries.upperBound
        }
        guard next == entries.count else { return false }
        let start = SwapModel(entries, swaps)
        var model = start
        for (slot, swap) in swaps.enumerated() {
            model.apply(swap, slot: slot, paths: entries[swap.entries].lazy.map(\.path))
        }
        guard model.tree.count == entries.count(where: { $0.after != nil }),
            entries.allSatisfy({ model.tree[$0.path] == $0.after })
        else { return false }
        for (slot, swap) in swaps.enumerated() {
            model.apply(swap, slot: slot, paths: entries[swap.entries].lazy.map(\.path))
        }
        return model == start
    }
}
