internal import JailModel

/// Finds files that were only moved.
enum RenamePairing {
    /// Joins each deleted file with an added one of equal content (and not empty) to one `.renamed`.
    ///
    /// Where several fit, equal last components go first, then the order of paths. Added names that are links to other
    /// paths stay what they are.
    static func pair(_ changes: [ChangedPath]) -> [ChangedPath] {
        var deleted: [SHA256Value: [Int]] = [:]
        for (index, change) in changes.enumerated() where change.kind == .deleted {
            if let digest = movable(change.before) { deleted[digest, default: []].append(index) }
        }
        if deleted.isEmpty { return changes }
        var added: [SHA256Value: [Int]] = [:]
        for (index, change) in changes.enumerated() where change.kind == .added && change.linkedTo == nil {
            if let digest = movable(change.after), deleted[digest] != nil { added[digest, default: []].append(index) }
        }
        var out = changes
        var gone: Set<Int> = []
        for (digest, targets) in added {
            let sources = deleted[digest, default: []].sorted { changes[$0].path < changes[$1].path }
            let ordered = targets.sorted { changes[$0].path < changes[$1].path }
            for (source, target) in match(sources, ordered, name: { changes[$0].path.lastComponent }) {
                out[target].kind = .renamed
                out[target].from = changes[source].path
                out[target].before = changes[source].before
                gone.insert(source)
            }
        }
        if gone.isEmpty { return out }
        return out.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
    }

    /// Pairs of a source and a target; each is used once at most.
    private static func match(
        _ sources: [Int], _ targets: [Int], name: (Int) -> ArraySlice<UInt8>
    ) -> [(source: Int, target: Int)] {
        // Reversed, so that the first by path is the last of its list and cheap to take.
        var byName: [ArraySlice<UInt8>: [Int]] = [:]
        for source in sources.reversed() { byName[name(source), default: []].append(source) }
        var pairs: [(source: Int, target: Int)] = []
        var used: Set<Int> = []
        var left: [Int] = []
        for target in targets {
            if let source = byName[name(target)]?.popLast() {
                pairs.append((source, target))
                used.insert(source)
            } else {
                left.append(target)
            }
        }
        for (source, target) in zip(sources.filter { !used.contains($0) }, left) { pairs.append((source, target)) }
        return pairs
    }

    /// The content by which a file can be found again.
    private static func movable(_ state: ObjectState?) -> SHA256Value? {
        guard let state, state.kind == .file, state.size > 0 else { return nil }
        return state.digest
    }
}

extension ByteString {
    /// The bytes behind the last slash.
    var lastComponent: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: WorkspaceTree.slash) else { return bytes[...] }
        return bytes[(slash + 1)...]
    }
}
