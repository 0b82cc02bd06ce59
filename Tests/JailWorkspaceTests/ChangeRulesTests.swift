import JailDigest
import JailModel
import Testing

@testable import JailWorkspace

private func file(
    _ content: String, mode: UInt32 = 0o644, modified: Int64 = 1, uid: UInt32 = 1, attributes: SHA256Value? = nil
) -> ObjectState {
    ObjectState(
        kind: .file, mode: mode, uid: uid, gid: 1, modified: modified, size: UInt64(content.utf8.count),
        digest: .of(content.utf8), attributes: attributes)
}

private func link(_ text: String, modified: Int64 = 1) -> ObjectState {
    ObjectState(
        kind: .link, mode: 0o777, uid: 1, gid: 1, modified: modified, size: UInt64(text.utf8.count),
        digest: .of(text.utf8))
}

private func directory(mode: UInt32 = 0o755, modified: Int64 = 1) -> ObjectState {
    ObjectState(kind: .directory, mode: mode, uid: 1, gid: 1, modified: modified)
}

@Suite("Rules of the change set")
struct ChangeRulesTests {
    @Test(
        "what stood before and after tells the kind of change",
        arguments: [
            (nil, nil, nil), (nil, file("a"), .added), (file("a"), nil, .deleted), (nil, directory(), .added),
            (nil, link("a"), .symlink), (file("a"), file("a"), nil), (file("a"), file("b"), .modified),
            (file("a"), file("ab"), .modified), (file("a"), file("a", mode: 0o600), .mode),
            (file("a"), file("a", modified: 2), .mode), (file("a"), file("a", uid: 2), .mode),
            (file("a"), file("a", attributes: .of([1])), .mode), (link("a"), link("b"), .symlink),
            (link("a"), link("a"), nil), (link("a"), link("a", modified: 2), .mode), (link("a"), file("a"), .type),
            (file("a"), link("a"), .type), (directory(), file("a"), .type), (file("a"), directory(), .type),
            (directory(), directory(modified: 2), nil), (directory(), directory(mode: 0o700), .mode),
            (directory(), nil, .deleted),
        ] as [(ObjectState?, ObjectState?, ChangeKind?)])
    func kind(before: ObjectState?, after: ObjectState?, expected: ChangeKind?) {
        #expect(ChangeClassifier.kind(before: before, after: after) == expected)
    }

    @Test("content that was not read is never taken for equal")
    func unread() {
        var (before, after) = (file("a"), file("a"))
        before.digest = nil
        #expect(ChangeClassifier.kind(before: before, after: after) == .modified)
        after.digest = nil
        #expect(ChangeClassifier.kind(before: before, after: after) == .modified)
    }

    @Test(
        "set-id bits may stay on what is the same, and come to a new directory from its parent; else they are new",
        arguments: [
            (nil, file("a", mode: 0o4755), 0, true), (nil, file("a", mode: 0o2755), 0o2755, true),
            (nil, file("a", mode: 0o1755), 0, false), (file("a", mode: 0o4755), file("a", mode: 0o4700), 0, false),
            (file("a", mode: 0o4755), file("a", mode: 0o6755), 0, true),
            (file("a", mode: 0o4755), file("b", mode: 0o4755), 0, true),
            (file("a", mode: 0o4755), file("b", mode: 0o755), 0, false),
            (nil, directory(mode: 0o2755), 0o2755, false), (nil, directory(mode: 0o2755), 0o755, true),
            (nil, directory(mode: 0o4755), 0o6755, true), (directory(), directory(mode: 0o2755), 0o2755, true),
            (directory(mode: 0o2755), directory(mode: 0o2775), 0o755, false), (nil, link("a"), 0, false),
        ] as [(ObjectState?, ObjectState, UInt32, Bool)])
    func setID(before: ObjectState?, after: ObjectState, parent: UInt32, expected: Bool) {
        #expect(ChangeClassifier.hasNewSetID(before: before, after: after, parentMode: parent) == expected)
    }

    // MARK: links

    private func member(_ path: ByteString, wasThere: Bool = false, isChanged: Bool = true) -> LinkGrouping.Member {
        LinkGrouping.Member(path: path, wasThere: wasThere, isChanged: isChanged)
    }

    @Test("of new names the first by path is the object, in whatever order they are found")
    func newLinks() {
        let members = [member("b"), member("c"), member("a")]
        #expect(LinkGrouping.links(members) == ["b": "a", "c": "a"])
        #expect(LinkGrouping.links(members.reversed()) == ["b": "a", "c": "a"])
        #expect(LinkGrouping.links([member("a")]).isEmpty)
    }

    @Test("an unchanged name is the object, else one that was there before")
    func oldLinks() {
        #expect(
            LinkGrouping.links([
                member("a"), member("b", wasThere: true), member("c", wasThere: true, isChanged: false),
            ])
                == ["a": "c", "b": "c"])
        #expect(LinkGrouping.links([member("a"), member("b", wasThere: true)]) == ["a": "b"])
        #expect(
            LinkGrouping.links([
                member("a", wasThere: true, isChanged: false), member("b", wasThere: true, isChanged: false),
            ]).isEmpty)
    }

    // MARK: renames

    private func added(_ path: ByteString, _ content: String) -> ChangedPath {
        ChangedPath(path: path, kind: .added, before: nil, after: file(content, modified: 2))
    }

    private func deleted(_ path: ByteString, _ content: String) -> ChangedPath {
        ChangedPath(path: path, kind: .deleted, before: file(content), after: nil)
    }

    @Test("a deleted and an added file of equal content are one rename with both states")
    func rename() {
        let out = RenamePairing.pair([deleted("a", "x"), added("b", "x"), added("c", "y")])
        #expect(
            out == [
                ChangedPath(path: "b", kind: .renamed, from: "a", before: file("x"), after: file("x", modified: 2)),
                added("c", "y"),
            ])
    }

    @Test("of several that fit, equal names go first, then the order of paths, and each is used once")
    func renames() {
        let changes = [
            deleted("d/1", "x"), deleted("d/2", "x"), deleted("d/3", "x"), added("e/3", "x"), added("e/a", "x"),
            added("e/b", "x"), added("e/c", "x"),
        ]
        for order in [changes, changes.reversed()] {
            let out = RenamePairing.pair(order).sorted { $0.path < $1.path }
            #expect(out.map(\.from) == ["d/3", "d/1", "d/2", nil])
            #expect(out.map(\.kind) == [.renamed, .renamed, .renamed, .added])
        }
    }

    @Test("empty files, links and names that are links to others are no renames")
    func noRename() {
        var linked = added("b", "x")
        linked.linkedTo = "z"
        for changes in [
            [deleted("a", ""), added("b", "")], [deleted("a", "x"), linked],
            [
                ChangedPath(path: "a", kind: .deleted, before: link("x"), after: nil),
                ChangedPath(path: "b", kind: .symlink, before: nil, after: link("x")),
            ],
        ] { #expect(RenamePairing.pair(changes) == changes) }
    }
}
