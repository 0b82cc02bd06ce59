import JailModel
import Testing

@testable import JailPolicy

@Suite("Explanations")
struct ExplanationTests {
    private let text = """
        workspace:
          write: [src, docs]
          protect:
            - src/secret
          untrusted: [vendor]
        filesystem:
          read: [/usr, /etc]
          write: [/srv/cache]
          hide: [/etc/shadow]
        network:
          mode: allowlist
          allow: ["a.example:443", "*.b.example"]
        exec:
          allow: [/usr/bin/**, /etc/tool]
        env: {pass: [LANG], set: {A: x}}
        """

    private func explainer(_ text: String) throws -> PolicyExplainer {
        PolicyExplainer(try load(text), workspace: AbsolutePath(components: ["w"]))
    }

    private func path(_ text: String) throws -> AbsolutePath { try #require(AbsolutePath(text)) }

    @Test(
        "paths",
        arguments: [
            ("write", "/w/src/a", "allow", "workspace.write: src", "p.yaml:2:11", ""),
            ("write", "/w/src/secret/x", "deny", "workspace.protect: \"src/secret\"", "p.yaml:4:7", "take"),
            ("write", "/w/vendor/x", "deny", "workspace.untrusted: vendor", "p.yaml:5:15", "take"),
            ("write", "/w/other", "deny", "workspace.write", "p.yaml:2:3", "workspace: {write: [src, docs, other]}"),
            ("write", "/srv/cache/x", "allow", "filesystem.write: \"/srv/cache\"", "p.yaml:8:11", ""),
            (
                "write", "/srv/cache-evil", "deny", "filesystem.write", "p.yaml:8:3",
                "filesystem: {write: [\"/srv/cache\", \"/srv/cache-evil\"]}"
            ),
            ("write", "/tmp/x", "allow", "filesystem.tmp: 256MiB", nil, ""),
            ("read", "/w/other", "allow", "--workspace", nil, ""),
            ("read", "/etc/shadow", "deny", "filesystem.hide: \"/etc/shadow\"", "p.yaml:9:10", "take"),
            ("read", "/etc/passwd", "allow", "filesystem.read: \"/etc\"", "p.yaml:7:16", ""),
            ("read", "/home/dev/.ssh/id", "deny", "filesystem.read", "p.yaml:7:3", "filesystem: {read: ["),
            ("read", "/sys/kernel", "deny", "jail", nil, ""),
            ("execute", "/usr/bin/git", "allow", "exec.allow: \"/usr/bin/**\"", "p.yaml:14:11", ""),
            ("execute", "/usr/sbin/x", "deny", "exec.allow", "p.yaml:14:3", "exec: {allow: ["),
            ("execute", "/opt/x", "deny", "filesystem.read", "p.yaml:7:3", "filesystem: {read: ["),
            ("execute", "/srv/cache/x", "deny", "filesystem.write: \"/srv/cache\"", "p.yaml:8:11", ""),
            ("execute", "/tmp/x", "deny", "filesystem.tmp: 256MiB", nil, ""),
            ("execute", "/w/src/run", "deny", "exec.workspace: deny", nil, "exec: {workspace: allow}"),
            ("execute", "/w/vendor/run", "deny", "workspace.untrusted: vendor", "p.yaml:5:15", "take"),
        ] as [(String, String, String, String, String?, String)])
    func paths(
        action: String, target: String, decision: String, rule: String, place: String?, remedy: String
    ) throws {
        let explainer = try explainer(text)
        let path = try path(target)
        let found =
            switch action {
            case "read": explainer.read(path)
            case "write": explainer.write(path)
            default: explainer.execute(path)
            }
        #expect(found.decision.rawValue == decision)
        #expect(found.rule == rule)
        #expect(found.origin?.description == place)
        #expect(remedy.isEmpty ? found.remedy.isEmpty : found.remedy.hasPrefix(remedy), "\(found.remedy)")
    }

    @Test(
        "hosts",
        arguments: [
            ("a.example", nil, "allow"), ("A.Example.", 443, "allow"), ("a.example", 80, "deny"),
            ("x.b.example", 80, "allow"),
            ("b.example", 443, "deny"), ("u@a.example", nil, "deny"), ("2130706433", nil, "deny"),
        ] as [(String, UInt16?, String)])
    func hosts(host: String, port: UInt16?, decision: String) throws {
        #expect(try explainer(text).connect(host: host, port: port).decision.rawValue == decision)
    }

    @Test("a remedy is a line that allows it")
    func remedies() throws {
        let closed = try explainer("version: 1")
        for remedy in [
            closed.connect(host: "db.internal", port: 5432).remedy, closed.read(try path("/opt/a b")).remedy,
            closed.write(try path("/srv/x")).remedy, closed.execute(try path("/w/x")).remedy,
        ] { #expect(!remedy.isEmpty) }
        #expect(
            try explainer(closed.connect(host: "db.internal", port: 5432).remedy).connect(
                host: "db.internal", port: 5432
            ).decision == .allow)
        #expect(try explainer(closed.read(path("/opt/a b")).remedy).read(path("/opt/a b")).decision == .allow)
        #expect(try explainer(closed.read(path("/opt/a b")).remedy).read(path("/usr/x")).decision == .allow)
        #expect(try explainer(closed.write(path("/srv/x")).remedy).write(path("/srv/x")).decision == .allow)
        #expect(try explainer(closed.execute(path("/w/x")).remedy).execute(path("/w/x")).decision == .allow)
    }

    @Test("variables, modes and the text")
    func rest() throws {
        let explainer = try explainer(text)
        #expect(explainer.variable(try #require(EnvironmentName("A"))).decision == .allow)
        #expect(explainer.variable(try #require(EnvironmentName("LANG"))).decision == .allow)
        #expect(explainer.variable(try #require(EnvironmentName("HOME"))).remedy == "env: {pass: [LANG, HOME]}")
        let readonly = try self.explainer("workspace: {mode: readonly}")
        #expect(readonly.write(try path("/w/a")).rule == "workspace.mode: readonly")
        #expect(try self.explainer("network: {mode: host}").connect(host: "a.example").decision == .allow)
        #expect(
            try explainer.write(path("/w/vendor/x")).description
                == """
                deny: the path is untrusted: it is only read
                  rule: workspace.untrusted: vendor (p.yaml:5:15)
                  to allow it: take the pattern out of workspace.untrusted
                """)
    }
}
