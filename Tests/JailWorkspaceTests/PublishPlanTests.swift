import JailDigest
import JailModel
import Testing

@testable import JailWorkspace

/// The pure parts: swaps, their model, and the bytes of the journal.
@Suite struct PublishPlanTests {
    private func state(_ kind: ObjectKind, _ content: String = "", mode: UInt32 = 0o644, time: Int64 = 1) -> ObjectState
    {
        ObjectState(
            kind: kind, mode: mode, uid: 1, gid: 2, modified: time, size: UInt64(content.utf8.count),
            digest: kind == .directory ? nil : SHA256Value.of(content.utf8))
    }

    private func plan(_ paths: [ChangedPath]) throws -> [Swap] {
        try SwapPlanner.plan(UndoEntry.entries(of: ChangeSet(paths: paths)))
    }

    private func change(
        _ path: ByteString, _ before: ObjectState?, _ after: ObjectState?, linkedTo: ByteString? = nil
    ) -> ChangedPath {
        ChangedPath(path: path, kind: .modified, before: before, after: after, linkedTo: linkedTo)
    }

    @Test func eachKindOfChangeIsOneSwapAtItsTop() throws {
        let folder = state(.directory, mode: 0o755)
        let swaps = try plan([
            change("content", state(.file, "old"), state(.file, "new")),
            change("mode", state(.file, "x"), state(.file, "x", mode: 0o755)),
            change("folder", folder, state(.directory, mode: 0o700)),
            change("folder/inner", state(.file, "x"), nil),
            change("new", nil, folder), change("new/a", nil, folder), change("new/a/b", nil, state(.file)),
            change("new-er", nil, state(.link, "a")),
            change("gone", folder, nil), change("gone/x", state(.fifo), nil),
            change("type", folder, state(.file)), change("type/x", state(.file), nil),
            change("epyt", state(.file), folder), change("epyt/x", nil, state(.file)),
        ])
        #expect(
            swaps.map { "\($0.kind) \($0.path) \($0.entries.count)" } == [
                "exchange content 1", "exchange epyt 2", "meta folder 1", "remove folder/inner 1", "remove gone 2",
                "meta mode 1", "place new 3", "place new-er 1", "exchange type 2",
            ])
    }

    @Test func aRenameIsARemovalAndAPlacement() throws {
        let file = state(.file, "x")
        let renamed = ChangedPath(path: "b", kind: .renamed, from: "a", before: file, after: file)
        #expect(try plan([renamed]).map(\.kind) == [.remove, .place])
        // Something new stands where the renamed file was, and where it went something was.
        let swaps = try plan([renamed, change("a", nil, state(.file, "y")), change("b", state(.file, "z"), nil)])
        #expect(swaps.map(\.kind) == [.exchange, .exchange])
    }

    @Test func aFileThatAnotherNameSharesIsReplaced() throws {
        let (old, new) = (state(.file, "x"), state(.file, "x", mode: 0o600))
        #expect(try plan([change("a", old, new)]).map(\.kind) == [.meta])
        #expect(
            try plan([change("a", old, new), change("b", nil, new, linkedTo: "a")]).map(\.kind) == [.exchange, .place])
        let entries = try UndoEntry.entries(of: ChangeSet(paths: [change("a", old, new)]))
        #expect(try SwapPlanner.plan(entries, shared: ["a"]).map(\.kind) == [.exchange])
    }

    @Test func contradictionsAreRefused() {
        let (folder, file) = (state(.directory), state(.file))
        let sets: [[ChangedPath]] = [
            [change("gone", folder, nil), change("gone/x", nil, file)],
            [change("new", nil, folder), change("new/x", file, nil)],
            [change("new", nil, folder), change("new/a/x", nil, file)],
            [change("new", nil, file), change("new/x", nil, file)],
            [change("a", file, file), change("a", file, file)],
            [change("a", nil, nil)], [change("", nil, file)], [change("/a", nil, file)], [change("a/../b", nil, file)],
            [change("a//b", nil, file)], [change("./a", nil, file)], [change("a/", nil, file)],
            [change("a", nil, state(.fifo))], [change("a", nil, state(.device))], [change("a", nil, state(.socket))],
            [change("a", file, state(.file, "x", mode: 0o4755))], [change("a", nil, folder, linkedTo: "b")],
            [change("a", nil, file, linkedTo: "../b")],
        ]
        for paths in sets {
            #expect(throws: PublishError.self, "\(paths.map(\.path))") { try plan(paths) }
        }
        // What had the bits before may keep them.
        let setID = state(.file, "x", mode: 0o4755)
        #expect(throws: Never.self) { try plan([change("a", setID, state(.file, "y", mode: 0o4755))]) }
    }

    @Test func treeOrderKeepsATreeTogether() {
        let paths: [ByteString] = ["a-b", "a/x", "a", "a.b", "a/x/y", "b", "a/x-y"]
        let sorted = paths.sorted { $0.precedesInTree($1) }
        #expect(sorted == ["a", "a/x", "a/x/y", "a/x-y", "a-b", "a.b", "b"])
    }

    @Test(arguments: UInt64(1)...200)
    func randomChangesGoForwardsAndBack(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let names: [ByteString] = ["a", "b", "a-", "c\n"]
        func tree() -> [ByteString: ObjectState] {
            var found: [ByteString: ObjectState] = [:]
            var folders: [ByteString] = [""]
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                guard let parent = folders.randomElement(using: &random), let name = names.randomElement(using: &random)
                else { continue }
                let path = parent.child(name)
                if found[path] != nil { continue }
                let isFolder = Bool.random(using: &random)
                if isFolder { folders.append(path) }
                found[path] =
                    isFolder
                    ? state(.directory, mode: [0o755, 0o700].randomElement(using: &random) ?? 0)
                    : state(
                        .file, ["x", "y"].randomElement(using: &random) ?? "",
                        time: Int64.random(in: 0...1, using: &random))
            }
            return found
        }
        let (before, after) = (tree(), tree())
        let paths = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.map { path in
            change(path, before[path], after[path])
        }
        let entries = try UndoEntry.entries(of: ChangeSet(paths: paths))
        let swaps = try SwapPlanner.plan(entries)
        #expect(SwapModel.isReversible(entries, swaps))
        for (index, swap) in swaps.enumerated() where swap.kind != .meta {
            for other in swaps[(index + 1)...] { #expect(!other.path.isInside(swap.path)) }
        }
        // A swap too few, or one that claims a neighbour's path, is found.
        if !swaps.isEmpty { #expect(!SwapModel.isReversible(entries, Array(swaps.dropLast()))) }
    }

    @Test func aManifestIsReadBackAndEveryByteCounts() throws {
        let entries = [
            UndoEntry(path: "new\nline", before: state(.file, "x"), after: nil),
            UndoEntry(
                path: ByteString([0xff, 0x01]) ?? "x", before: nil, after: state(.link, "y", time: -5), linkedTo: "z"),
        ]
        let manifest = UndoManifest(
            runID: "run", workspacePath: "/w", workspaceDevice: 1 << 40, workspaceInode: 300, entries: entries,
            swaps: try SwapPlanner.plan(entries),
            marks: [1: .init(before: [.init(name: "user.a", value: [0, 10])], after: [])],
            touched: [
                .init(path: "", inode: 9, modeBefore: 0o755, modeAfter: 0o700, modifiedBefore: -1, modifiedAfter: .max)
            ], holdsCopies: true)
        let bytes = manifest.encoded
        #expect(try UndoManifest(decoding: bytes) == manifest)
        for index in bytes.indices {
            var wrong = bytes
            wrong[index] ^= 0x11
            #expect(throws: PublishError.self) { try UndoManifest(decoding: wrong) }
            #expect(throws: PublishError.self) { try UndoManifest(decoding: Array(bytes[..<index])) }
        }
    }

    @Test(arguments: UInt64(1)...50)
    func nothingThatOnlyHasAGoodTrailerTraps(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<100 {
            var writer = JournalWriter("launch-jail undo manifest 1")
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: writer.put(UInt64.random(in: 0..<4, using: &random))
                case 1: writer.put(UInt64.random(in: 0 ... .max, using: &random))
                case 2: writer.put([UInt8](repeating: 1, count: 32))
                default: writer.put(state(.file, "x"))
                }
            }
            let bytes = writer.finish()
            #expect(throws: PublishError.self) { try UndoManifest(decoding: bytes) }
        }
    }
}
