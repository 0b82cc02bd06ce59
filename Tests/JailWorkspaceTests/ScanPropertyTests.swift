import JailModel
import JailSystem
import JailWorkspace
import Testing

@Suite("Change sets of random steps")
struct ScanPropertyTests {
    private static let python = ["/usr/bin/python3", "-c", randomSteps]

    @Test("what an overlay's step saw is what stood before with its change set applied", arguments: [0, 1, 2, 3])
    func overlay(round: Int) throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        let seeds = (round * 100)..<(round * 100 + 100)
        try ScanSpace.spawn(["unshare", "-Urm"] + Self.python + ["overlay", space.path, "\(round * 100)", "100"])
        for seed in seeds {
            let here = "\(space.path)/\(seed)"
            let before = try snapshot(try WorkspaceTree("\(here)/lower"))
            let result = try ChangeScanner.scan(
                upper: try WorkspaceTree("\(here)/upper"), lower: try WorkspaceTree("\(here)/lower"), marks: .user,
                ScanRequest())
            let seen = try snapshot(try WorkspaceTree("\(here)/out"))
            try check(result.changes, before, seen, links: try WorkspaceTree("\(here)/upper"), "seed \(seed)")
            // A layer that was kept says the same.
            try Files.makeDirectory("\(here)/kept")
            let kept = try Files.open("\(here)/kept", [.read, .directory])
            try UpperArchive.save(try WorkspaceTree("\(here)/upper"), to: kept.rawValue, marks: .user)
            let again = try ChangeScanner.scan(
                upper: WorkspaceTree(taking: kept), lower: try WorkspaceTree("\(here)/lower"), marks: .user,
                ScanRequest())
            #expect(timeless(again.changes) == timeless(result.changes), "seed \(seed)")
        }
    }

    @Test("what a step made of a private copy is what stood before with its change set applied", arguments: 0..<60)
    func copy(seed: Int) throws {
        let space = try ScanSpace()
        try ScanSpace.spawn(Self.python + ["make", "\(space.path)/lower", "\(seed)"])
        let before = try snapshot(try space.tree("lower"))
        let target = try space.tree("out")
        let made = try PrivateCopy.make(of: try space.tree("lower"), in: target.descriptor)
        #expect(made.notes.isEmpty)
        #expect(timeless(try snapshot(target)) == timeless(before), "seed \(seed)")
        #expect(
            try ChangeScanner.scan(
                copy: target, original: try space.tree("lower"), baseline: made.baseline, ScanRequest()
            ).changes == ChangeSet())
        try ScanSpace.spawn(Self.python + ["change", "\(space.path)/out", "\(seed)"])
        let result = try ChangeScanner.scan(
            copy: target, original: try space.tree("lower"), baseline: made.baseline, ScanRequest())
        try check(result.changes, before, try snapshot(target), links: target, "seed \(seed)")
        #expect(try snapshot(try space.tree("lower")) == before)
    }

    private func check(
        _ changes: ChangeSet, _ before: [ByteString: ObjectState], _ after: [ByteString: ObjectState],
        links tree: borrowing WorkspaceTree, _ comment: Comment
    ) throws {
        #expect(changes.refused.isEmpty && changes.conflicts.isEmpty, comment)
        #expect(changes.paths.map(\.path) == changes.paths.map(\.path).sorted(), comment)
        #expect(Set(changes.paths.map(\.path)).count == changes.paths.count, comment)
        let result = applied(changes, to: before)
        if result != timeless(after) {
            for path in Set(result.keys).union(after.keys) where result[path] != timeless(after)[path] {
                Issue.record(
                    "\(comment): \(path): \(String(describing: result[path])) is \(String(describing: after[path]))")
            }
        }
        for change in changes.paths {
            #expect(change.before == before[change.from ?? change.path], comment)
            #expect(change.before != change.after || change.kind == .renamed, comment)
        }
        // Changed names of one file are linked to one another.
        var object: [ByteString: ByteString] = [:]
        for change in changes.paths where change.after?.kind == .file {
            object[change.path] = change.linkedTo ?? change.path
        }
        var groups: [UInt64: Set<ByteString>] = [:]
        for (path, state) in after where state.kind == .file {
            guard let target = object[path] else { continue }
            let entry = try tree.openParent(of: path)
            let status = try Files.status(entry.name, at: entry.directory.rawValue)
            if status.links > 1 {
                groups[status.inode, default: []].insert(target)
            } else {
                #expect(target == path, comment)
            }
        }
        for targets in groups.values { #expect(targets.count == 1, comment) }
    }

    private func timeless(_ tree: [ByteString: ObjectState]) -> [ByteString: ObjectState] {
        JailWorkspaceTests.timeless(tree)
    }

    /// Without what differs from layer to layer: a directory's own time in it.
    private func timeless(_ changes: ChangeSet) -> ChangeSet {
        var changes = changes
        for index in changes.paths.indices where changes.paths[index].after?.kind == .directory {
            changes.paths[index].after?.modified = 0
        }
        return changes
    }
}
