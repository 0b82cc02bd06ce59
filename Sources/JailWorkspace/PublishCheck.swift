internal import JailModel
internal import JailSystem

/// Compares what stands in a tree with the recorded states of swaps, name by name.
///
/// A swapped tree must hold exactly what is recorded: one name more and the path of that name differs. The times of
/// directories do not count, since an unrelated file beside an affected one changes them.
struct PublishCheck {
    let entries: [UndoEntry]
    let side: UndoSide
    /// Whether contents and attributes are read; without, the marks of stat(2) are compared.
    var isThorough = true
    /// Whether directories have their recorded time, as in a tree that only we write.
    var withDirectoryTimes = false
    /// Refuses what lies on another mount than the workspace.
    var mounts: PublishContext?
    /// What was found, by entry; only filled when asked for.
    var found: [ObjectState?]?
    /// The paths that are not as recorded, in the order of finding.
    var differing: [ByteString] = []
    private let parents = PublishParents()

    init(_ entries: [UndoEntry], _ side: UndoSide) {
        self.entries = entries
        self.side = side
    }

    /// Compares one swap's objects, which lie in the tree at `place` instead of the swap's own path.
    mutating func check(
        _ swap: Swap, in tree: borrowing WorkspaceTree, at place: ByteString? = nil
    ) throws(PublishError) {
        var counts: [ByteString: Int] = [:]
        for index in swap.entries.dropFirst() where entries[index].state(side) != nil {
            counts[entries[index].path.parent, default: 0] += 1
        }
        for index in swap.entries {
            let entry = entries[index]
            // What lies below something that is not there need not be looked for.
            if entry.state(side) == nil, index != swap.entries.lowerBound { continue }
            let path = place.map { entry.path.moved(from: swap.path, to: $0) } ?? entry.path
            try compare(index, path, in: tree, isSwapped: swap.kind != .meta, children: counts[entry.path] ?? 0)
        }
    }

    private mutating func compare(
        _ index: Int, _ path: ByteString, in tree: borrowing WorkspaceTree, isSwapped: Bool, children: Int
    ) throws(PublishError) {
        let entry = entries[index]
        let expected = entry.state(side)
        do throws(SystemError) {
            let (directory, name, _) = try parents.open(path, in: tree)
            guard let status = try Files.statusIfPresent(name, at: directory) else {
                if expected != nil { differing.append(entry.path) }
                return
            }
            guard let expected else { return differing.append(entry.path) }
            if let mounts, !mounts.isOnMount(status, name, at: directory) {
                throw SystemError("swap", errno: 18)
            }
            if side == .after, entry.before?.kind == .file, entry.path.isGitIndex, status.kind == .file { return }
            guard expected.matches(status, withDirectoryTimes: withDirectoryTimes) else {
                return differing.append(entry.path)
            }
            if isThorough {
                let state = try ObjectReader.state(name, at: directory)
                found?[index] = state
                guard let state, expected.matches(state) else { return differing.append(entry.path) }
            }
            if isSwapped, status.kind == .directory {
                try compareNames(of: name, at: directory, entry.path, count: children)
            }
        } catch {
            if error.isCrossing, error.operation == "swap" { throw .refused(entry.path, "it is on another mount") }
            guard error.isMissingPath else { throw .system(error) }
            differing.append(entry.path)
        }
    }

    /// Every recorded child is compared by itself, so only a different count calls for the names.
    private mutating func compareNames(
        of name: ByteString, at directory: Int32, _ path: ByteString, count: Int
    ) throws(SystemError) {
        let folder = try Files.open(name, [.read, .directory, .noFollow], at: directory)
        let names = try Files.names(folder.rawValue)
        if names.count == count { return }
        var known: Set<ByteString> = []
        for entry in entries where entry.state(side) != nil && entry.path.isInside(path) { known.insert(entry.path) }
        for name in names.sorted() where !known.contains(path.appending(name)) {
            differing.append(path.appending(name))
        }
    }
}

extension ObjectState {
    /// Whether the marks of stat(2) are these.
    func matches(_ status: FileStatus, withDirectoryTimes: Bool) -> Bool {
        guard kind == ObjectReader.kind(status), mode == status.mode, uid == status.uid, gid == status.gid else {
            return false
        }
        if kind == .directory { return !withDirectoryTimes || modified == status.modified }
        return modified == status.modified && (kind != .file && kind != .link || size == status.size)
    }

    /// Whether the content and the attributes of what was read are these; what was not or cannot be read is not told.
    func matches(_ found: ObjectState) -> Bool {
        let isUnreadable = found.mode & 0o400 == 0 && found.kind != .link
        if let digest, digest != found.digest, !(isUnreadable && found.digest == nil) { return false }
        if attributes != found.attributes, !(isUnreadable && found.attributes == nil) { return false }
        return size == found.size || kind == .directory
    }
}

extension ByteString {
    /// Whether this is git's index: any `git status` writes it anew after a commit gave files new inodes, so what stands
    /// there after one is nobody's work, and the index of the tree before is put back with that tree.
    fileprivate var isGitIndex: Bool {
        bytes.elementsEqual(".git/index".utf8) || bytes.suffix(11).elementsEqual("/.git/index".utf8)
    }

    /// The path of the same object when the tree at `old` stands at `new`.
    func moved(from old: ByteString, to new: ByteString) -> ByteString {
        ByteString(new.bytes + bytes[old.bytes.count...]) ?? new
    }
}
