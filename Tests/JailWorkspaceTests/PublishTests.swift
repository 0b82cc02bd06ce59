import JailModel
import JailSystem
import JailWorkspace
import Synchronization
import Testing

/// Commit and rollback on a disk that behaves.
@Suite struct PublishTests {
    /// Both on one mount, each way across two, and on a disk.
    @Test(
        arguments: [("/dev/shm", nil), ("/dev/shm", "/tmp"), ("/tmp", "/dev/shm"), ("/tmp", nil)] as [(String, String?)]
    )
    func randomTreesAreCommittedAndRolledBack(_ place: (workspace: String, undo: String?)) throws {
        for seed in UInt64(1)...(place.workspace == "/tmp" ? 3 : 12) {
            let fixture = try PublishFixture(
                seed: seed &* 911, objects: 30, changes: 25, in: place.workspace, undoIn: place.undo)
            let receipt = try fixture.commit()
            try fixture.expect(fixture.new, .committed, "seed \(seed)")
            #expect(try fixture.verify() == [], "seed \(seed)")
            let manifest = try #require(try UndoManifest.read(undo: fixture.undo.descriptor))
            #expect(manifest.holdsCopies == (place.undo != nil))
            #expect(manifest.treeBefore == receipt.treeBefore && manifest.treeAfter == receipt.treeAfter)
            // Asked again, it is only reported.
            #expect(try fixture.commit() == receipt)
            #expect(throws: PublishError.self) { try fixture.commit(runID: "another") }
            #expect(try fixture.rollback() == receipt)
            try fixture.expect(fixture.old, .rolledBack, "seed \(seed)")
            #expect(try fixture.rollback() == receipt)
            #expect(try fixture.verify() == [], "seed \(seed)")
            // And once more, now that something was rolled back.
            #expect(try fixture.commit() == receipt)
            try fixture.expect(fixture.new, .committed, "seed \(seed)")
        }
    }

    @Test func anEmptyChangeSetIsCommitted() throws {
        let fixture = try PublishFixture { _ in
        } change: { _ in
        }
        #expect(try fixture.commit().operations == 0)
        try fixture.expect(fixture.new, .committed, "empty")
        try fixture.rollback()
        try fixture.expect(fixture.old, .rolledBack, "empty")
    }

    @Test func whatWasNeverCommittedIsNotRolledBack() throws {
        let fixture = try PublishFixture { _ in
        } change: { _ in
        }
        #expect(throws: PublishError.refused("", "nothing was committed")) { try fixture.rollback() }
        #expect(throws: PublishError.refused("", "nothing was committed")) { try fixture.verify() }
        #expect(try fixture.recover() == .nothing)
    }

    @Test(arguments: [nil, "/tmp"])
    func directoriesThatTheirOwnerMayNotWriteAreSwapped(_ undoIn: String?) throws {
        let fixture = try PublishFixture(undoIn: undoIn) { path in
            for name in ["locked", "locked/tree", "moved"] { try Files.makeDirectory("\(path)/\(name)") }
            try write("\(path)/locked/file", "old")
            try write("\(path)/locked/tree/file", "old")
            try write("\(path)/moved/file", "old")
            for name in ["locked/tree", "locked", "moved"] {
                try Files.setMode("\(path)/\(name)", 0o555, at: currentDirectory)
            }
        } change: { path in
            for name in ["locked", "locked/tree", "moved"] {
                try Files.setMode("\(path)/\(name)", 0o755, at: currentDirectory)
            }
            try write("\(path)/locked/file", "new")
            try Files.removeTree("\(path)/locked/tree")
            try Files.removeTree("\(path)/moved")
            try Files.makeDirectory("\(path)/locked/new")
            try write("\(path)/locked/new/file", "new")
            for name in ["locked/new", "locked"] { try Files.setMode("\(path)/\(name)", 0o555, at: currentDirectory) }
        }
        try fixture.commit()
        try fixture.expect(fixture.new, .committed, "locked")
        try fixture.rollback()
        try fixture.expect(fixture.old, .rolledBack, "locked")
    }

    @Test func linksHolesAndAttributesSurvive() throws {
        let fixture = try PublishFixture { path in
            try write("\(path)/shared", "shared")
            try Files.link("\(path)/shared", at: currentDirectory, to: "\(path)/other name", at: currentDirectory)
            try write("\(path)/kept", "kept")
        } change: { path in
            // A mark on one name of a file that another name shares, as an overlay shows it: a file of its own.
            try Files.remove("\(path)/shared")
            try write("\(path)/shared", "shared")
            try Files.setMode("\(path)/shared", 0o755, at: currentDirectory)
            try Files.link("\(path)/kept", at: currentDirectory, to: "\(path)/link to kept", at: currentDirectory)
            let sparse = try Files.open("\(path)/sparse", [.write, .create], mode: 0o600)
            try Files.setLength(sparse.rawValue, 64 << 20)
            try ExtendedAttributes.set("user.note", [0, 255, 10], sparse.rawValue)
        }
        try fixture.commit()
        try fixture.expect(fixture.new, .committed, "links")
        let root = fixture.workspacePath
        #expect(try Files.status("\(root)/other name").mode == 0o644)
        #expect(try Files.status("\(root)/kept").isSameFile(as: Files.status("\(root)/link to kept")))
        #expect(try Files.status("\(root)/sparse").allocated < 1 << 20)
        try fixture.rollback()
        try fixture.expect(fixture.old, .rolledBack, "links")
        #expect(try Files.status("\(root)/shared").isSameFile(as: Files.status("\(root)/other name")))
    }

    @Test(arguments: [nil, "/tmp"])
    func veryLongPathsAndDeepTrees(_ undoIn: String?) throws {
        let name = String(repeating: "n", count: 200)
        let fixture = try PublishFixture(undoIn: undoIn) { path in
            try deepen(path, name, 12)
        } change: { path in
            try deepen(path, "m" + name, 30)
            try Files.removeTree("\(path)/\(name)")
        }
        #expect(fixture.changes.paths.contains { $0.path.bytes.count > 5000 })
        try fixture.commit()
        try fixture.expect(fixture.new, .committed, "long")
        try fixture.rollback()
        try fixture.expect(fixture.old, .rolledBack, "long")
    }

    private func deepen(_ path: String, _ name: String, _ levels: Int) throws {
        var folder = try Files.open(path, [.read, .directory])
        for _ in 0..<levels {
            try Files.makeDirectory(name, at: folder.rawValue)
            let file = try Files.open("file", [.write, .create], mode: 0o644, at: folder.rawValue)
            try Files.writeAll(file.rawValue, Array("deep".utf8))
            folder = try Files.open(name, [.read, .directory], at: folder.rawValue)
        }
    }

    /// Any step may fail: the tree is the old one then, or the new one when only leftovers were to be removed.
    @Test(arguments: [nil, "/tmp"], [Int32(28), 5])
    func everyStepMayFail(_ undoIn: String?, _ code: Int32) throws {
        let fixture = try PublishFixture(seed: 4242, undoIn: undoIn)
        for limit in 0... {
            let count = Mutex(0)
            let faults = FaultPoint { _ throws(PublishError) in
                let isIt = count.withLock { count in
                    count += 1
                    return count == limit + 1
                }
                if isIt { throw .system(SystemError("test", errno: code)) }
            }
            do throws(PublishError) {
                try fixture.commit(faults)
                break
            } catch {
                if code == 28, case .noSpace(let needed) = error {
                    #expect(needed > 0)
                } else {
                    #expect(error == .system(SystemError("test", errno: code)))
                }
            }
            let state = try Publisher.state(undo: fixture.undo.descriptor)
            guard state != .interrupted else {
                #expect(undoIn != nil)
                #expect(try fixture.recover() == .committed)
                try fixture.rollback()
                continue
            }
            if limit == 0 { #expect(state == .nothing) }
            try fixture.expect(fixture.old, state, "failed after \(limit)")
        }
        try fixture.expect(fixture.new, .committed, "finished")
    }

    @Test func aJournalOfAnotherWorkspaceIsNotCarriedOut() throws {
        let fixture = try PublishFixture(seed: 5)
        let other = try PublishDirectory()
        try fixture.commit()
        #expect(throws: PublishError.self) {
            try Publisher.rollback(workspace: other.tree, undo: fixture.undo.descriptor)
        }
        #expect(try Files.names(other.fd) == [])
        try fixture.expect(fixture.new, .committed, "another workspace")
    }
}
