import JailModel
import JailSystem
import JailWorkspace
import Synchronization
import Testing

/// Somebody else works in the tree: nothing of theirs is lost, and nothing is written outside.
@Suite struct PublishConflictTests {
    /// A change of every kind.
    private func fixture(undoIn: String? = nil) throws -> PublishFixture {
        try PublishFixture(undoIn: undoIn) { path in
            try Files.makeDirectory("\(path)/gone")
            try Files.makeDirectory("\(path)/gone/deep")
            try Files.makeDirectory("\(path)/stays")
            for name in ["content", "mode", "gone/file", "gone/deep/file", "stays/file", "stays/other", "bystander"] {
                try write("\(path)/\(name)", name)
            }
            var mutator = TreeMutator(path, seed: 1)
            try mutator.age()
        } change: { path in
            try write("\(path)/content", "new content")
            try Files.setMode("\(path)/mode", 0o755, at: currentDirectory)
            try Files.removeTree("\(path)/gone")
            try write("\(path)/stays/file", "changed too")
            try Files.makeDirectory("\(path)/placed")
            try write("\(path)/placed/file", "placed")
            try Files.remove("\(path)/stays/other")
            try Files.makeDirectory("\(path)/stays/other")
            try write("\(path)/stays/other/inner", "inner")
        }
    }

    private func conflict(_ body: () throws(PublishError) -> CommitReceipt) -> [ByteString]? {
        do throws(PublishError) {
            _ = try body()
            return nil
        } catch {
            if case .conflict(let paths) = error { return paths }
            return nil
        }
    }

    @Test func everyChangedPathIsNamedAndNothingIsWritten() throws {
        let fixture = try fixture()
        let root = fixture.workspacePath
        try write("\(root)/content", "theirs")
        try write("\(root)/gone/deep/theirs", "theirs")
        try write("\(root)/placed", "theirs")
        try Files.setModified("\(root)/mode", 5, at: currentDirectory)
        // No conflict: nobody changes it, or beside what is changed.
        try write("\(root)/bystander", "theirs")
        try write("\(root)/stays/theirs", "theirs")
        let before = try fixture.snapshot()
        let found = conflict { () throws(PublishError) in try fixture.commit() }
        #expect(found == ["content", "gone/deep/theirs", "mode", "placed"])
        try fixture.expect(before, .nothing, "conflict")
    }

    @Test func aParentThatBecameALinkIsAConflictAndLeadsNowhere() throws {
        let fixture = try fixture()
        let outside = try PublishDirectory()
        try write("\(outside.path)/file", "outside")
        try Files.rename(
            "stays", at: fixture.workspace.descriptor, to: "moved", at: fixture.workspace.descriptor)
        try Files.makeLink(outside.path, named: "stays", at: fixture.workspace.descriptor)
        let found = conflict { () throws(PublishError) in try fixture.commit() }
        #expect(found?.contains("stays/file") == true)
        #expect(try Files.names(outside.fd) == ["file"])
        #expect(try Files.read("file", limit: 100, at: outside.fd) == Array("outside".utf8))
    }

    /// What another process may do at the instant before a swap.
    enum Race: String, CaseIterable, Sendable { case write, replace, delete, linkParent }

    @Test(arguments: Race.allCases, [nil, "/tmp"])
    func aRaceBeforeASwapIsPutBack(_ race: Race, _ undoIn: String?) throws {
        for target in ["content", "gone", "placed", "stays/file", "stays/other"] {
            let fixture = try fixture(undoIn: undoIn)
            let outside = try PublishDirectory()
            let path = "\(fixture.workspacePath)/\(target)"
            let (root, elsewhere) = (fixture.workspacePath, outside.path)
            let done = Mutex(false)
            let faults = FaultPoint { step throws(PublishError) in
                guard step.kind == .swap, step.subject == ByteString(target) else { return }
                done.withLock { isDone in
                    if isDone { return }
                    isDone = true
                    try? Self.run(race, path, target, root, elsewhere)
                }
            }
            let found = conflict { () throws(PublishError) in try fixture.commit(faults) }
            if race == .linkParent, target.hasPrefix("stays/") {
                try expectPutBackByHand(fixture, found, outside)
                continue
            }
            if race == .delete, target == "placed" {
                #expect(found == nil)
                continue
            }
            #expect(found == [ByteString(target)], "\(race) \(target)")
            let now = try fixture.snapshot()
            for (path, object) in fixture.old.objects
            where !path.bytes.starts(with: target.utf8) {
                let isSame = now.objects[path] == object || path == "" || path == "stays"
                #expect(isSame, "\(race) \(target): \(path)")
            }
            if race == .write || race == .replace {
                let place = now.objects[ByteString(target)]?.state.kind == .directory ? path + "/theirs" : path
                #expect(try Files.read(place, limit: 100) == Array("theirs".utf8), "\(race) \(target)")
            }
            #expect(try Files.names(outside.fd) == [], "\(target)")
            #expect(try Publisher.state(undo: fixture.undo.descriptor) == .nothing)
            #expect(!now.objects.keys.contains { $0.bytes.starts(with: ".launch-jail".utf8) })
        }
    }

    /// The directory was moved while names in it were swapped, so no path leads to them any more: nothing is guessed, the
    /// journal stays open, and the next command ends it when the directory is back.
    private func expectPutBackByHand(
        _ fixture: PublishFixture, _ found: [ByteString]?, _ outside: PublishDirectory
    ) throws {
        #expect(found?.allSatisfy { $0.bytes.starts(with: "stays".utf8) } == true)
        #expect(try Files.names(outside.fd) == [])
        #expect(try Publisher.state(undo: fixture.undo.descriptor) == .interrupted)
        let root = fixture.workspace.descriptor
        try Files.remove("stays", at: root)
        try Files.rename("moved", at: root, to: "stays", at: root)
        #expect(try fixture.recover() == .nothing)
        var now = try fixture.snapshot()
        now.objects[""] = fixture.old.objects[""]
        #expect(now == fixture.old, "\(now.difference(fixture.old))")
        #expect(try Files.names(fixture.undo.descriptor) == [])
    }

    private static func run(
        _ race: Race, _ path: String, _ target: String, _ root: String, _ outside: String
    ) throws {
        let kind = try Files.statusIfPresent(path)?.kind
        switch race {
        case .write: try JailWorkspaceTests.write(kind == .directory ? path + "/theirs" : path, "theirs")
        case .replace:
            if kind == .directory { try Files.removeTree(path) }
            try JailWorkspaceTests.write(path + "~", "theirs")
            try Files.rename(path + "~", at: currentDirectory, to: path, at: currentDirectory, .replace)
        case .delete:
            if kind != nil { try Files.removeTree(path) }
        case .linkParent:
            guard target.contains("/") else {
                if kind != nil { try Files.removeTree(path) }
                try Files.makeLink(outside, named: path)
                return
            }
            try Files.rename("\(root)/stays", at: currentDirectory, to: "\(root)/moved", at: currentDirectory)
            try Files.makeLink(outside, named: "\(root)/stays")
        }
    }

    @Test func rollbackNamesEveryPathThatChangedSinceAndOverwritesNothing() throws {
        let fixture = try fixture()
        let root = fixture.workspacePath
        try fixture.commit()
        try write("\(root)/content", "edited later")
        try write("\(root)/placed/later", "added later")
        try Files.makeDirectory("\(root)/gone")
        try write("\(root)/stays/unrelated", "no conflict")
        let edited = try fixture.snapshot()
        let found = conflict { () throws(PublishError) in try fixture.rollback() }
        #expect(found == ["content", "gone", "placed/later"])
        try fixture.expect(edited, .committed, "conflict")
        let problems = try fixture.verify()
        #expect(problems.map(\.path) == ["content", "gone", "placed/later"])
        #expect(problems.allSatisfy { $0.what == .changedSince })
    }

    @Test func rollbackKeepsAnUnrelatedFileAndItsDirectoryTime() throws {
        let fixture = try fixture()
        try fixture.commit()
        try write("\(fixture.workspacePath)/stays/unrelated", "later")
        let time = try Files.status("\(fixture.workspacePath)/stays").modified
        try fixture.rollback()
        var now = try fixture.snapshot()
        #expect(now.objects["stays"]?.state.modified == time)
        #expect(now.objects.removeValue(forKey: "stays/unrelated") != nil)
        now.objects["stays"] = fixture.old.objects["stays"]
        #expect(now == fixture.old)
    }

    @Test func verifyReadsEveryUndoObject() throws {
        for undoIn in [nil, "/tmp"] {
            let fixture = try fixture(undoIn: undoIn)
            try fixture.commit()
            #expect(try fixture.verify() == [])
            let slots = try fixture.undo.openDirectory(Array("slots".utf8)[...])
            // The content of the removed tree, with its time kept.
            for name in try Files.names(slots.rawValue) {
                guard
                    let status = try Files.statusIfPresent(
                        ByteString(name.bytes + Array("/file".utf8)) ?? "", at: slots.rawValue)
                else { continue }
                let file = try Files.open("\(name)/file", [.write], at: slots.rawValue)
                _ = try Files.write(file.rawValue, [UInt8(ascii: "X")][...])
                try Files.setModified(file.rawValue, status.modified)
            }
            #expect(try fixture.verify() == [UndoProblem(path: "gone/file", what: .damaged)])
            #expect(throws: PublishError.self) { try fixture.rollback() }
            try fixture.expect(fixture.new, .committed, "damaged")
        }
    }

    @Test func aMountInsideTheWorkspaceIsRefused() throws {
        // `/dev` or what lies in it is a mount of its own everywhere.
        let root = try WorkspaceTree("/")
        let undo = try PublishDirectory(in: "/tmp")
        let state = ObjectState(kind: .file, mode: 0o644, uid: 0, gid: 0, modified: 0, size: 0)
        let name = "launch-jail-never-\(Files.processID)"
        let changes = ChangeSet(paths: [
            ChangedPath(path: ByteString("dev/shm/\(name)"), kind: .added, before: nil, after: state)
        ])
        #expect(throws: PublishError.refused("dev/shm", "it is on another mount")) {
            try Publisher.commit(changes, content: root, workspace: root, undo: undo.fd, runID: "run")
        }
        #expect(try Files.names(undo.fd) == [])
    }

    @Test func contentThatIsNotWhatWasReadIsNotPublished() throws {
        let fixture = try fixture()
        let content = fixture.workspacePath.dropLast("workspace".count) + "content"
        try write("\(content)/placed/file", "another")
        #expect(throws: PublishError.contentChanged(["placed/file"])) { try fixture.commit() }
        try fixture.expect(fixture.old, .nothing, "content")
    }

    @Test func refusedAndConflictingChangeSetsAreNotPublished() throws {
        let fixture = try fixture()
        var changes = fixture.changes
        changes.refused = [RefusedObject(path: "dev", reason: .device)]
        #expect(throws: PublishError.refused("dev", "device node")) {
            try Publisher.commit(
                changes, content: fixture.content, workspace: fixture.workspace, undo: fixture.undo.descriptor,
                runID: "run")
        }
        changes = fixture.changes
        changes.conflicts = ["x"]
        #expect(throws: PublishError.conflict(["x"])) {
            try Publisher.commit(
                changes, content: fixture.content, workspace: fixture.workspace, undo: fixture.undo.descriptor,
                runID: "run")
        }
        try fixture.expect(fixture.old, .nothing, "refused")
    }
}

/// Writes a whole file.
func write(_ path: String, _ text: String) throws {
    let file = try Files.open(path, [.write, .create, .truncate], mode: 0o644)
    try Files.writeAll(file.rawValue, Array(text.utf8))
}
