internal import JailModel
internal import JailSystem

/// Looks at everything that a commit is about to change, and writes nothing.
struct PublishPreflight {
    /// With the states as they are found, which for directories includes the time.
    private(set) var entries: [UndoEntry]
    private(set) var swaps: [Swap]
    /// The inode at each swap's path; `nil` when nothing is there.
    private(set) var inodes: [UInt64?] = []
    private(set) var touched: [UndoManifest.TouchedDirectory] = []
    private let context: PublishContext

    /// - Throws: ``PublishError/conflict(_:)`` with every path that is not as the change set says,
    ///   ``PublishError/refused(_:_:)`` for what no rename can reach.
    init(_ entries: [UndoEntry], _ context: PublishContext) throws(PublishError) {
        self.context = context
        self.entries = entries
        swaps = try SwapPlanner.plan(entries)
        var check = PublishCheck(entries, .before)
        check.mounts = context
        check.found = Array(repeating: nil, count: entries.count)
        for swap in swaps { try check.check(swap, in: context.workspace) }
        try conflict(check.differing)
        for (index, state) in (check.found ?? []).enumerated() where state != nil {
            self.entries[index].before = state
        }
        try identify()
        guard SwapModel.isReversible(self.entries, swaps) else { throw .damaged("the swaps cannot be taken back") }
    }

    private func conflict(_ paths: [ByteString]) throws(PublishError) {
        guard paths.isEmpty else { throw .conflict(Array(Set(paths)).sorted()) }
    }

    /// Reads the identity of each path; a file with other names cannot be marked in place.
    private mutating func identify() throws(PublishError) {
        var shared: Set<ByteString> = []
        var missing: [ByteString] = []
        let parents = PublishParents()
        for swap in swaps {
            do throws(SystemError) {
                let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
                let status = try Files.statusIfPresent(name, at: directory)
                inodes.append(status?.inode)
                if swap.kind == .meta, let status, status.kind != .directory, status.links > 1 {
                    shared.insert(swap.path)
                }
            } catch {
                guard error.isMissingPath else { throw .system(error) }
                missing.append(swap.path)
                inodes.append(nil)
            }
        }
        try conflict(missing)
        // Swaps of marks cover one path, so another kind changes neither their number nor their order.
        if !shared.isEmpty { swaps = try SwapPlanner.plan(entries, shared: shared) }
    }

    /// Records the directories whose time the swaps change.
    ///
    /// - Parameters:
    ///   - content: The tree that has each directory's new time.
    ///   - withTop: Whether the workspace's top is one because the slots are made in it.
    mutating func touch(content: borrowing WorkspaceTree, withTop: Bool) throws(PublishError) {
        var paths: Set<ByteString> = withTop ? [""] : []
        var marked: [ByteString: UndoEntry] = [:]
        for swap in swaps {
            if swap.kind != .meta {
                paths.insert(swap.path.parent)
            } else if entries[swap.entries.lowerBound].before?.kind == .directory {
                paths.insert(swap.path)
                marked[swap.path] = entries[swap.entries.lowerBound]
            }
        }
        let now = Files.fileTime
        touched = []
        for path in paths.sorted(by: { $0.precedesInTree($1) }) {
            let directory = try onDisk { () throws(SystemError) in
                try context.workspace.openDirectory(path.bytes[...])
            }
            guard try context.isOnMount(directory.rawValue) else { throw .refused(path, "it is on another mount") }
            let status = try onDisk { () throws(SystemError) in try Files.status(directory.rawValue) }
            let isOnlyTop = path.bytes.isEmpty && !swaps.contains { $0.kind != .meta && $0.path.parent == path }
            let modified = path.bytes.isEmpty ? context.top.modified : status.modified
            let later =
                isOnlyTop ? modified : max(modified, Self.time(of: path, in: content) ?? now)
            touched.append(
                UndoManifest.TouchedDirectory(
                    path: path, inode: status.inode, modeBefore: status.mode,
                    modeAfter: marked[path]?.after?.mode ?? status.mode, modifiedBefore: modified,
                    modifiedAfter: marked[path]?.after?.modified ?? later))
        }
    }

    private static func time(of path: ByteString, in content: borrowing WorkspaceTree) -> Int64? {
        guard let directory = try? content.openDirectory(path.bytes[...]) else { return nil }
        let status = try? Files.status(directory.rawValue)
        return status?.modified
    }
}
