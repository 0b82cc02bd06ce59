import JailModel
import Testing

@testable import JailPolicy

@Suite("Policies that extend others")
struct ExtendsTests {
    @Test("keys that are set replace the parent's, the others are inherited")
    func merges() throws {
        let files = [
            "dir/base.yaml":
                "overridable: true\nbudgets: {max_processes: 10, max_denials: 5}\nenv: {set: {A: x, B: y}}\n"
        ]
        let child = try policy("extends: dir/base.yaml\nbudgets: {max_denials: 6}\nenv: {set: {C: z}}", files)
        #expect(child.budgets[.processes] == 10)
        #expect(child.budgets[.denials] == 6)
        #expect(child.environment.set.map { "\($0.key)=\($0.value)" } == ["C=z"])
        #expect(child.name == "p.yaml")
    }

    @Test("a relative file is found next to the file that names it")
    func relative() throws {
        let files = ["x/y/b.yaml": "extends: ../c.yml\n", "x/y/../c.yml": "profile: ci\n"]
        let loaded = try LoadedPolicy.parse(bytes: Array("extends: ./y/b.yaml".utf8), name: "x/a.yaml") {
            path throws(PolicyReadFailure) in
            guard let text = files[path] else { throw PolicyReadFailure(message: "no such file: \(path)") }
            return Array(text.utf8)
        }
        #expect(loaded.policy.profile == .ci)
        #expect(loaded.origins["profile"]?.description == "x/y/../c.yml:1:1")
    }

    @Test("circles and long chains end")
    func cycles() {
        let circle = ["a.yaml": "extends: b.yaml\n", "b.yaml": "extends: ./a.yaml\n"]
        let found = mistakes("extends: a.yaml", circle)
        #expect(found.map(\.file) == ["b.yaml"])
        #expect(found.first?.message.contains("a.yaml -> b.yaml -> a.yaml") == true)
        #expect(mistakes("extends: p.yaml").first?.message.contains("each other") == true)
        var chain: [String: String] = [:]
        for index in 0..<20 { chain["\(index).yaml"] = "extends: \(index + 1).yaml\n" }
        #expect(mistakes("extends: 0.yaml", chain).first?.message.contains("more than 8") == true)
        chain["7.yaml"] = "version: 1\n"
        #expect(mistakes("extends: 0.yaml", chain).isEmpty)
    }

    @Test(
        "a parent that cannot be had is an error at `extends`",
        arguments: [
            ("extends: nothing", "no shipped policy"), ("extends: defualt", "no shipped policy"),
            ("extends: gone.yaml", "no such file"), ("extends: /etc/p.yaml", "absolute"),
            ("extends: \"\"", "no shipped policy"),
        ])
    func missing(text: String, words: String) {
        let found = mistakes("version: 1\n" + text)
        #expect(found.count == 1)
        #expect(found.first?.line == 2)
        #expect(found.first?.key == "extends")
        #expect(found.first?.message.contains(words) == true, "\(found)")
    }

    @Test("the mistakes of all files come together, those of the child first")
    func collects() {
        let files = ["base.yaml": "profile: x\nbudgets: {max_denials: -1}\n"]
        let found = mistakes("oops: 1\nextends: base.yaml\nworkspace: {mode: y}", files)
        #expect(found.map { "\($0.file):\($0.line)" } == ["p.yaml:1", "p.yaml:3", "base.yaml:1", "base.yaml:2"])
    }

    @Test("a shipped policy is found by name and by nothing else")
    func shipped() throws {
        #expect(try Policy.shipped("ci").profile == .ci)
        #expect(throws: PolicyError.self) { try Policy.shipped("./ci") }
        #expect(Policy.isPath("ci.yaml"))
        #expect(Policy.isPath("./ci"))
        #expect(!Policy.isPath("ci"))
    }

    @Test(
        "a child of a policy that is not overridable cannot widen",
        arguments: [
            ("profile: local", "profile"), ("overridable: true", "overridable"),
            ("workspace: {protect: []}", "workspace.protect"),
            ("exec: {workspace: allow}", "exec.workspace"), ("network: {mode: host}", "network.mode"),
            ("filesystem: {read: [/usr, /home]}", "filesystem.read"), ("filesystem: {hide: []}", "filesystem.hide"),
            ("budgets: {max_denials: 1001}", "budgets.max_denials"), ("env: {set: {X: y}}", "env.set"),
            ("require: []", "require"), ("network: {allow: [a.example]}", "network.allow"),
        ])
    func cannotWiden(text: String, key: String) {
        let found = mistakes("extends: ci\n" + text)
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.line == 2 && $0.key.hasPrefix(key) && $0.message.contains("`ci`") }, "\(found)")
    }

    @Test(
        "it can narrow, and a child of an overridable one can do both",
        arguments: [
            "profile: prod", "workspace: {mode: readonly}", "workspace: {write: [src]}",
            "workspace: {protect: [.git, .github, .gitmodules, .gitlab-ci.yml]}", "filesystem: {read: [/usr/bin]}",
            "budgets: {max_denials: 1}", "env: {pass: [], set: {}}", "exec: {allow: [/usr/bin/**]}",
        ])
    func canNarrow(text: String) {
        #expect(mistakes("extends: ci\n" + text).isEmpty)
        #expect(mistakes("extends: default\n" + text).isEmpty)
    }

    @Test("a child of an overridable policy can widen")
    func canWiden() throws {
        let child = try policy(
            "extends: default\nfilesystem: {read: [/usr, /home]}\nworkspace: {protect: []}\nbudgets: {max_memory: 1TiB}"
        )
        #expect(child.filesystem.read.count == 2)
        #expect(child.workspace.protect.isEmpty)
    }

    @Test("a grandchild cannot take back what a child in between closed")
    func grandchild() {
        let files = ["closed.yaml": "extends: default\noverridable: false\nworkspace: {write: [src]}\n"]
        #expect(
            places("extends: closed.yaml\nworkspace:\n  write: [src/a, docs]", files) == ["3:18 workspace.write[1]"])
    }
}
