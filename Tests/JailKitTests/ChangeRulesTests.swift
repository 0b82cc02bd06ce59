import JailModel
import JailPolicy
import JailTestSupport
import Testing

@testable import JailKit

private let directory = ObjectState(kind: .directory, mode: 0o755, uid: 1000, gid: 1000, modified: 0)

private func violations(_ rules: String, _ changes: ChangedPath...) throws -> [ChangeViolation] {
    try ChangeRules(rules: policy("workspace: \(rules)").workspace).violations(ChangeSet(paths: changes))
}

private func modified(_ path: ByteString) -> ChangedPath { .modified(path, LineCounts(added: 1)) }

private func made(_ path: ByteString) -> ChangedPath {
    ChangedPath(path: path, kind: .added, before: nil, after: directory)
}

private func linked(_ path: ByteString) -> ChangedPath {
    var link = ObjectState.file(1, size: 4, mode: 0o777)
    link.kind = .link
    return ChangedPath(path: path, kind: .symlink, before: nil, after: link)
}

@Suite("what the policy lets change")
struct ChangeRulesTests {
    @Test("`**` lets everything change that is not protected")
    func everything() throws {
        #expect(try violations("{}", modified("a"), modified("b/c.txt"), made("d")).isEmpty)
    }

    @Test("outside workspace.write, with the line that would allow it")
    func outside() throws {
        let found = try violations("{write: [src, \"docs/*.md\"]}", modified("srcs/a.c"), modified("docs/a.txt"))
        #expect(found.map(\.path) == ["srcs/a.c", "docs/a.txt"])
        #expect(found.allSatisfy { $0.reason == "is outside workspace.write" })
        #expect(found.first?.remedy == "workspace: {write: [\"srcs/a.c\"]}")
        #expect(try violations("{write: [src, \"docs/*.md\"]}", modified("src/a/b.c"), modified("docs/a.md")).isEmpty)
        #expect(try violations("{write: []}", modified("a")).count == 1)
    }

    @Test("the directories on the way to what may be written may be made, and no file in their place")
    func onTheWay() throws {
        let rules = "{write: [\"out/deep/*.txt\"]}"
        #expect(try violations(rules, made("out"), made("out/deep"), modified("out/deep/a.txt")).isEmpty)
        #expect(try violations(rules, modified("out")).count == 1)
        #expect(try violations(rules, linked("out/deep")).count == 1)
        #expect(try violations(rules, made("other")).count == 1)
    }

    @Test("a protected path, what lies below it, and nothing beside it")
    func protected() throws {
        let rules = "{protect: [conf/secret]}"
        let found = try violations(
            rules, modified("conf/secret"), modified("conf/secret/a"), modified("conf/secrets"), modified("conf/other"))
        #expect(found.map(\.path) == ["conf/secret", "conf/secret/a"])
        #expect(found.allSatisfy { $0.reason == "is protected by workspace.protect: conf/secret" })
        #expect(found.allSatisfy { $0.remedy.isEmpty })
    }

    @Test("what takes the place of a directory above a protected path would lead it elsewhere")
    func ancestors() throws {
        for rules in ["{protect: [a/b/c]}", "{protect: [\"a/b/*.yml\"]}"] {
            for path: ByteString in ["a", "a/b"] {
                for change in [linked(path), modified(path)] {
                    let found = try violations(rules, change)
                    #expect(found.map(\.path) == [path])
                    #expect(found.first?.reason.hasPrefix("stands above workspace.protect: a/b/") == true)
                }
                #expect(try violations(rules, made(path)).isEmpty)
            }
        }
    }

    @Test("wildcards protect at any depth")
    func wildcards() throws {
        let rules = "{protect: [\"**/*.key\", \"ci/*/run\"]}"
        let found = try violations(
            rules, modified("a.key"), modified("x/y/b.key"), modified("ci/linux/run/now"), modified("ci/run"),
            modified("a.keys"), linked("dir"))
        #expect(found.map(\.path) == ["a.key", "x/y/b.key", "ci/linux/run/now"])
    }

    @Test("untrusted trees do not change; protection is told first")
    func untrusted() throws {
        let rules = "{untrusted: [vendor], protect: [vendor/lock]}"
        let found = try violations(rules, modified("vendor/a"), modified("vendor/lock"), modified("vendored"))
        #expect(
            found.map(\.reason) == [
                "is inside workspace.untrusted: vendor", "is protected by workspace.protect: vendor/lock",
            ])
    }

    @Test("a rename is judged at both ends")
    func rename() throws {
        func move(_ from: ByteString, _ to: ByteString) -> ChangedPath {
            ChangedPath(path: to, kind: .renamed, from: from, before: .file(1, size: 1), after: .file(1, size: 1))
        }
        let rules = "{write: [src], protect: [src/keep]}"
        #expect(try violations(rules, move("src/a", "src/b")).isEmpty)
        #expect(try violations(rules, move("other/a", "src/b")).map(\.path) == ["other/a"])
        #expect(try violations(rules, move("src/keep/a", "src/b")).map(\.path) == ["src/keep/a"])
        #expect(try violations(rules, move("x/a", "y/b")).map(\.path) == ["y/b", "x/a"])
    }

    @Test("a name that is no UTF-8 is no literal's, and wildcards still see it")
    func bytesInNames() throws {
        #expect(try violations("{write: [src]}", modified(bytes("src/", 0xff))).isEmpty)
        #expect(try violations("{write: [src]}", modified(bytes("src", 0xff, "/a"))).count == 1)
        #expect(try violations("{write: [\"a\u{fffd}\"]}", modified(bytes("a", 0xff))).count == 1)
        #expect(try violations("{protect: [\"*.key\"]}", modified(bytes("a", 0xff, ".key"))).count == 1)
    }

    @Test("no policy lets special objects in", arguments: RefusedObject.Reason.allCases)
    func refused(reason: RefusedObject.Reason) throws {
        let set = ChangeSet(refused: [RefusedObject(path: "x", reason: reason)])
        let found = try ChangeRules(rules: policy("").workspace).violations(set)
        #expect(found == [ChangeViolation(path: "x", reason: "can never be published: \(reason.rawValue)")])
    }
}
