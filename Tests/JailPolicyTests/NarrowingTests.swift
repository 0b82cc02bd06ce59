import JailModel
import Testing

@testable import JailPolicy

@Suite("What one policy allows that another does not")
struct NarrowingTests {
    private func keys(_ older: String, _ newer: String) throws -> [String] {
        PolicyDelta(from: try policy(older), to: try policy(newer)).widenings.map(\.key)
    }

    @Test(
        "every kind of widening is found, and its reverse is none",
        arguments: [
            ("profile: prod", "profile: ci", "profile"), ("profile: ci", "profile: local", "profile"),
            ("overridable: false", "overridable: true", "overridable"),
            ("workspace: {mode: readonly}", "workspace: {mode: direct}", "workspace.mode"),
            ("workspace: {mode: overlay}", "workspace: {mode: direct}", "workspace.mode"),
            ("workspace: {write: [src/*.py]}", "workspace: {write: [src/*]}", "workspace.write"),
            ("workspace: {write: []}", "workspace: {write: [a]}", "workspace.write"),
            ("workspace: {protect: [.git]}", "workspace: {protect: [.git/hooks]}", "workspace.protect"),
            ("workspace: {scratch: []}", "workspace: {scratch: [a]}", "workspace.scratch"),
            ("workspace: {untrusted: [a]}", "workspace: {untrusted: []}", "workspace.untrusted"),
            ("workspace: {handoff: []}", "workspace: {handoff: [git_hooks]}", "workspace.handoff"),
            ("workspace: {on_pass: keep}", "workspace: {on_pass: commit}", "workspace.on_pass"),
            ("workspace: {on_fail: discard}", "workspace: {on_fail: keep}", "workspace.on_fail"),
            ("filesystem: {read: [/usr]}", "filesystem: {read: [/usr, /opt]}", "filesystem.read"),
            ("filesystem: {read: [/usr/bin]}", "filesystem: {read: [/usr]}", "filesystem.read"),
            ("filesystem: {write: []}", "filesystem: {write: [/srv]}", "filesystem.write"),
            ("filesystem: {hide: [/etc/shadow]}", "filesystem: {hide: []}", "filesystem.hide"),
            ("filesystem: {tmp: 1MiB}", "filesystem: {tmp: 2MiB}", "filesystem.tmp"),
            ("network: {mode: none}", "network: {mode: host}", "network.mode"),
            ("network: {mode: none}", "network: {mode: allowlist}", "network.mode"),
            ("network: {allow: [a.example.com]}", "network: {allow: [\"*.example.com\"]}", "network.allow"),
            ("network: {allow: [\"a.example:443\"]}", "network: {allow: [a.example]}", "network.allow"),
            (
                "network: {allow: [{host: a.example, private: false}]}",
                "network: {allow: [{host: a.example, private: true}]}", "network.allow"
            ),
            (
                "network: {allow: [\"a.example:443\"]}", "network: {allow: [{host: a.example, port: 443, kind: tcp}]}",
                "network.allow"
            ),
            (
                "network: {allow: [{host: a.example, kind: tls}]}",
                "network: {allow: [{host: a.example, kind: tls, sni: optional}]}", "network.allow"
            ),
            ("network: {on_denied: fail}", "network: {on_denied: warn}", "network.on_denied"),
            ("version: 1", "network: {allowlist_file: a}", "network.allowlist_file"),
            ("exec: {workspace: deny}", "exec: {workspace: allow}", "exec.workspace"),
            ("exec: {allow: [/usr/bin/git]}", "exec: {allow: [/usr/bin/**]}", "exec.allow"),
            ("exec: {allow: [/usr/bin/**]}", "version: 1", "exec.allow"),
            ("exec: {allow: []}", "exec: {allow: [/bin/sh]}", "exec.allow"),
            ("exec: {ledger: strict}", "exec: {ledger: log}", "exec.ledger"),
            ("exec: {ledger: log}", "exec: {ledger: off}", "exec.ledger"),
            ("env: {pass: []}", "env: {pass: [HOME]}", "env.pass"), ("env: {set: {}}", "env: {set: {A: x}}", "env.set"),
            ("secrets: {hold: [A]}", "secrets: {hold: []}", "secrets.hold"),
            ("secrets: {scan: [stdout]}", "secrets: {scan: []}", "secrets.scan"),
            ("gateway: []", "gateway: [{name: a, upstream: \"https://a.example\", env: A}]", "gateway"),
            ("budgets: {max_memory: 1GiB}", "budgets: {max_memory: 2GiB}", "budgets.max_memory"),
            ("budgets: {max_egress: 1GiB}", "version: 1", "budgets.max_egress"),
            ("breaker: {failures: 1}", "breaker: {failures: 2}", "breaker.failures"),
            ("breaker: {cooldown_s: 9}", "breaker: {cooldown_s: 8}", "breaker.cooldown_s"),
            ("inputs: [{path: a, git_ref: 9fceb02d0ae598e95dc970b74767f19372d61af8}]", "inputs: []", "inputs"),
            ("require: [budgets]", "require: []", "require"),
            ("require: [{budgets: kernel}]", "require: [budgets]", "require"),
        ])
    func widens(older: String, newer: String, key: String) throws {
        #expect(try keys(older, newer) == [key])
        #expect(try keys(newer, older) == [])
    }

    @Test("a changed value that neither contains the other widens both ways")
    func incomparable() throws {
        #expect(try keys("env: {set: {A: x}}", "env: {set: {A: y}}") == ["env.set"])
        #expect(try keys("workspace: {write: [a]}", "workspace: {write: [b]}") == ["workspace.write"])
        #expect(try keys("network: {allowlist_file: a}", "network: {allowlist_file: b}") == ["network.allowlist_file"])
    }

    @Test("what the wider rule includes already is no widening")
    func included() throws {
        #expect(try keys("network: {mode: host}", "network: {mode: allowlist, allow: [a.example]}") == [])
        #expect(try keys("filesystem: {write: [/srv]}", "filesystem: {read: [/usr, /srv/a], write: [/srv]}") == [])
        #expect(try keys("filesystem: {hide: [/etc/shadow]}", "filesystem: {hide: [], read: [/usr]}") == [])
        #expect(
            try keys(
                "exec: {allow: [/bin/**]}",
                "exec: {allow: [{path: /bin/sh, sha256: \"\(String(repeating: "0a", count: 32))\"}]}") == [])
    }

    @Test("narrowing is reflexive and transitive", arguments: [41, 42] as [UInt64])
    func order(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var chains = 0
        for _ in 0..<300 {
            let top = generator.policy()
            #expect(PolicyDelta(from: top, to: top).isNarrowing, "seed \(seed)")
            var middle = generator.narrowed(top)
            if !PolicyDelta(from: top, to: middle).isNarrowing { middle = top }
            let bottom = generator.narrowed(middle)
            guard PolicyDelta(from: middle, to: bottom).isNarrowing else { continue }
            chains += 1
            let delta = PolicyDelta(from: top, to: bottom)
            #expect(delta.isNarrowing, "seed \(seed): \(delta.widenings)")
        }
        #expect(chains > 100)
    }

    @Test("a widening says what in one line")
    func words() throws {
        let delta = PolicyDelta(
            from: try policy("workspace: {write: [a]}"), to: try policy("workspace: {write: [a, \"b\u{e9}\"]}"))
        #expect(delta.widenings.map(\.description) == ["workspace.write: may also change `b\u{e9}`"])
    }
}

extension SeededGenerator {
    /// The policy with some things taken away.
    fileprivate mutating func narrowed(_ policy: Policy) -> Policy {
        var out = policy
        if Bool.random(using: &self) { out.workspace.write = Array(out.workspace.write.dropLast()) }
        if Bool.random(using: &self) { out.workspace.protect.append(.everything) }
        if Bool.random(using: &self) { out.filesystem.read = out.filesystem.read.map { $0.appending("x") } }
        if Bool.random(using: &self) {
            out.filesystem.hide = out.filesystem.hide.filter { _ in Bool.random(using: &self) }
        }
        if Bool.random(using: &self) { out.network.mode = pick(NetworkModeName.allCases) }
        if Bool.random(using: &self) { out.exec.allow = [] }
        if Bool.random(using: &self) { out.budgets.limits[.egress] = 1 }
        if Bool.random(using: &self) { out.workspace.mode = .readonly }
        if Bool.random(using: &self) { out.environment.set = [:] }
        return out
    }
}
