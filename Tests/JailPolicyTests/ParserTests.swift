import JailModel
import Testing

@testable import JailPolicy

@Suite("Policy parsing")
struct ParserTests {
    @Test("every mistake is reported at once, in the order of the file")
    func allAtOnce() {
        let text = """
            version: 2
            worksapce: {}
            workspace:
              mode: overlaid
              write: [ok, /etc, "a?"]
            network:
              allow: "example.com"
              modes: none
            budgets:
              max_memory: 4GB
              max_runtime_s: 0
              max_processes: many
            env:
              set: {1A: "x", B: 2}
            """
        #expect(
            places(text) == [
                "1:10 version", "2:1 worksapce", "4:9 workspace.mode", "5:15 workspace.write[1]",
                "5:21 workspace.write[2]", "7:10 network.allow", "8:3 network.modes", "10:15 budgets.max_memory",
                "11:18 budgets.max_runtime_s", "12:18 budgets.max_processes", "14:9 env.set", "14:21 env.set.B",
            ])
    }

    @Test(
        "an unknown key is answered with the key that was meant",
        arguments: [
            ("worksapce: {}", "did you mean `workspace`?"),
            ("budgets: {max_memry: 1}", "did you mean `budgets.max_memory`?"),
            ("max_memory: 1", "did you mean `budgets.max_memory`?"), ("mode: none", "did you mean `workspace.mode`?"),
            ("network: {write: []}", "did you mean `workspace.write`?"), ("Profile: ci", "did you mean `profile`?"),
            ("network: {alow: []}", "did you mean `network.allow`?"),
            ("max_memry: 1", "did you mean `budgets.max_memory`?"),
            ("breaker: {zzzzzzzz: 1}", "known here: failures, cooldown_s"),
            ("network: {allow: [{hots: a.example}]}", "did you mean `host`?"), ("profile: prd", "did you mean `prod`?"),
            ("env: {set: {A: 1}}", "write it in quotes: \"1\""),
            ("workspace: {write: }", "write `[]` for an empty list"),
            ("network: {allow: example.com}", "write `[example.com]`"),
        ])
    func hints(text: String, hint: String) { #expect(mistakes(text).first?.hint == hint) }

    @Test("a diagnostic reads as one line")
    func text() {
        let line = mistakes("budgets:\n  max_memory: 4GB\n").first?.description
        #expect(
            line == "p.yaml:2:15: budgets.max_memory: `4GB` is not a size; "
                + "write bytes, or a whole number of `KiB`, `MiB`, `GiB` or `TiB` as in `512MiB`")
    }

    @Test("text of the user cannot steer a terminal from a message")
    func escapes() {
        let all = mistakes("\"\\e[31m\": 1\nprofile: \"a\\u202Eb\\n\"\n").map(\.description).joined()
        #expect(!all.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e })
    }

    @Test("missing keys have the values of the contract")
    func defaults() throws {
        let policy = try policy("version: 1")
        #expect(policy.profile == .local)
        #expect(policy.isOverridable)
        #expect(policy.workspace.mode == .overlay)
        #expect(policy.workspace.write.map(\.text) == ["**"])
        #expect(policy.workspace.protect.map(\.text) == [".git/hooks", ".git/config", ".github/workflows"])
        #expect(policy.workspace.untrusted.map(\.text) == ["work/repo"])
        #expect(policy.filesystem.read.map(\.description) == ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"])
        #expect(policy.filesystem.hide.map(\.description) == ["/etc/shadow"])
        #expect(policy.filesystem.tmp == .mebibytes(256))
        #expect(policy.network.mode == .none)
        #expect(policy.exec.workspace == .deny)
        #expect(policy.exec.allow == nil)
        #expect(policy.environment.pass.map(\.text) == ["LANG", "TERM"])
        #expect(
            policy.budgets.limits == [
                .runtime: 3600, .cpu: 3600, .memory: 4 << 30, .processes: 256, .openFiles: 1024, .output: 64 << 20,
                .denials: 1000, .bytesWritten: 1 << 30, .filesChanged: 100, .linesPerFile: 500, .fileWrites: 100,
                .patchAttempts: 5,
            ])
        #expect(
            policy.require == [
                Requirement(guarantee: .hermeticPaths, level: .kernel),
                Requirement(guarantee: .networkEgress, level: .kernel),
                Requirement(guarantee: .budgets, level: .supervisor),
                Requirement(guarantee: .untrustedExec, level: .kernel),
            ])
        #expect(policy.deferredKeys.isEmpty)
    }

    @Test("an empty list is kept: it allows nothing, and no key is something else")
    func emptyLists() throws {
        let empty = try policy("workspace: {write: []}\nexec: {allow: []}\nrequire: []")
        #expect(empty.workspace.write.isEmpty)
        #expect(empty.exec.allow?.isEmpty == true)
        #expect(empty.require.isEmpty)
    }

    @Test("mappings of network.allow")
    func egressMappings() throws {
        let rules = try policy(
            """
            network:
              allow:
                - {host: DB.internal., port: 5432, private: true}
                - {host: a.example, kind: tls, sni: optional}
                - {host: "[::1]", port: 80}
            """
        ).network.allow
        #expect(rules[0].host == .exact("db.internal"))
        #expect(rules[0].allowsPrivate)
        #expect(rules[0].endpoints == [EgressRule.Endpoint(port: 5432, kind: .tcp)])
        #expect(rules[1].endpoints == [EgressRule.Endpoint(port: 443, kind: .tls)])
        #expect(rules[1].sni == .optional)
        #expect(rules[2].text == "[::1]:80")
        #expect(
            places("network: {allow: [{host: a.example, port: 25, sni: optional}]}") == ["1:52 network.allow[0].sni"])
    }

    @Test(
        "loopback without a port is for local only",
        arguments: ["localhost", "127.0.0.1", "127.9.9.9", "\"::1\"", "\"::ffff:127.0.0.1\"", "dev.localhost"])
    func loopback(host: String) throws {
        _ = try policy("network: {allow: [\(host)]}")
        #expect(places("profile: ci\nnetwork:\n  allow: [a.example, \(host)]") == ["3:22 network.allow[1]"])
        _ = try policy("profile: ci\nnetwork: {allow: [\"localhost:80\", a.example]}")
    }

    @Test("rules that contradict each other are reported at their place")
    func contradictions() {
        #expect(places("env: {pass: [A, B]}\nsecrets: {hold: [C, B]}") == ["2:21 secrets.hold[1]"])
        #expect(places("env: {set: {A: x}}\nsecrets: {hold: [A]}") == ["2:18 secrets.hold[0]"])
        let child = ["base.yaml": "secrets: {hold: [A]}\n"]
        #expect(places("extends: base.yaml\nenv: {pass: [A]}", child) == ["2:7 secrets.hold[0]"])
    }
}

@Suite("Keys that are not enforced yet")
struct DeferralTests {
    @Test(
        "setting one is noted with its place",
        arguments: [
            ("network: {mode: allowlist}", "network.mode: allowlist"),
            ("network: {allow: [a.example]}", "network.allow"),
            ("network: {allowlist_file: a}", "network.allowlist_file"),
            ("exec: {ledger: strict}", "exec.ledger: strict"),
            ("secrets: {hold: [A]}", "secrets.hold"), ("secrets: {scan: [stdout]}", "secrets.scan"),
            ("secrets: {inject: [{host: a.example, header: H, value: x}]}", "secrets.inject"),
            ("gateway: [{name: a, upstream: \"https://a.example\", env: A}]", "gateway"),
            ("budgets: {max_llm_calls: 1}", "budgets.max_llm_calls"),
            ("budgets: {max_llm_tokens: 1}", "budgets.max_llm_tokens"),
            ("budgets: {max_connections: 1}", "budgets.max_connections"),
            ("budgets: {max_egress: 1}", "budgets.max_egress"),
            ("breaker: {failures: 5}", "breaker.failures"), ("breaker: {cooldown_s: 30}", "breaker.cooldown_s"),
            ("inputs: [{path: a, git_ref: 9fceb02d0ae598e95dc970b74767f19372d61af8}]", "inputs"),
            ("require: [supply_chain]", "require: supply_chain"),
        ])
    func noted(text: String, key: String) throws {
        let keys = try policy("version: 1\n" + text).deferredKeys
        #expect(keys.map(\.key) == [key])
        #expect(keys.map(\.line) == [2])
        #expect(keys.map(\.file) == ["p.yaml"])
        #expect(keys.allSatisfy { $0.column > 0 })
    }

    @Test(
        "what is enforced, and empty lists, are not",
        arguments: [
            "workspace: {mode: direct, scratch: [], on_pass: commit, on_fail: keep}", "workspace: {mode: readonly}",
            "workspace: {mode: overlay, scratch: [a], on_pass: keep, on_fail: commit}",
            "workspace: {on_pass: discard, on_fail: discard}", "require: [change_budget, {rollback: static}]",
            "budgets: {max_bytes_written: 1, max_files_changed: 1, max_lines_per_file: 1, max_file_writes: 1}",
            "budgets: {max_patch_attempts: 1}",
            "network: {mode: host, allow: []}", "exec: {ledger: log}", "secrets: {hold: [], inject: [], scan: []}",
            "gateway: []", "inputs: []", "require: [hermetic_paths, network_egress, {budgets: kernel}, untrusted_exec]",
            "budgets: {max_runtime_s: 1, max_cpu_s: 1, max_memory: 1MiB, max_denials: 1, max_output: 1}",
        ])
    func notNoted(text: String) throws { #expect(try policy(text).deferredKeys.isEmpty) }

    @Test("a wish of an ancestor is kept")
    func inherited() throws {
        let files = [
            "a.yaml": "extends: ./b.yaml\nexec: {ledger: log}\n", "b.yaml": "exec: {ledger: strict}\n",
        ]
        let keys = try policy("extends: a.yaml", files).deferredKeys
        #expect(keys == [DeferredKey(key: "exec.ledger: strict", file: "b.yaml", line: 1, column: 8)])
    }

    @Test("the reference says so")
    func documented() {
        for spec in PolicyKeys.table {
            #expect((spec.status == .enforced) == (Deferral.table[spec.key] == nil))
        }
    }
}
