import JailDigest
import JailModel

@testable import JailPolicy

extension SeededGenerator {
    /// A policy with values of every kind.
    mutating func policy() -> Policy {
        var policy = Policy.builtIn
        policy.name = "p.yaml"
        policy.profile = pick(Profile.allCases)
        policy.isOverridable = Bool.random(using: &self)
        policy.workspace = WorkspaceRules(
            mode: pick(WorkspaceMode.allCases), write: patterns(), protect: patterns(), scratch: patterns(),
            untrusted: patterns().filter { !$0.isEverything }, handoff: some(HandoffClass.allCases),
            onPass: pick(Disposition.allCases),
            onFail: pick(Disposition.allCases))
        policy.filesystem = FilesystemRules(
            read: paths(), write: paths(), hide: paths(),
            tmp: ByteCount(pick([4096, 1 << 20, 123_457, UInt64(Int64.max)])))
        policy.network = NetworkRules(
            mode: pick(NetworkModeName.allCases), allow: rules(),
            allowlistFile: pick([nil, "a.yaml", "config/with space.yaml"]), onDenied: pick(DeniedAction.allCases))
        let digest = SHA256Value.of([UInt8.random(in: 0...255, using: &self)])
        let tree = pick(Self.somePaths)
        policy.exec = ExecRules(
            workspace: pick(Permission.allCases),
            allow: pick([nil, [], [.subtree(tree), .file(tree)], [.pinned(tree, digest)]]),
            ledger: pick(ExecLedgerMode.allCases))
        policy.environment = EnvironmentRules(pass: some(Self.names), set: [:])
        for name in some(Self.names) {
            policy.environment.set[name] = pick([
                "", "0", "no", "a b", "\"q\"\\", "two\nlines", "\u{1}\u{7f}\u{85}\u{202e}", "größe", "\u{1f600}",
            ])
        }
        policy.secrets = SecretRules(hold: [], inject: [], scan: some(ScanTarget.allCases))
        if Bool.random(using: &self), let held = EnvironmentName("HELD") {
            policy.secrets.hold = [held]
            policy.secrets.inject = [SecretInjection(host: "a.example", header: "X-Key", value: "Bearer ${HELD}: 'x'")]
            policy.gateways = [GatewayRoute(name: "g", upstream: "https://a.example/v1", env: held)]
        }
        for kind in BudgetKind.allCases where Bool.random(using: &self) {
            policy.budgets.limits[kind] = pick([1 << 20, 3600, 1 << 18].filter { kind != .memory || $0 >= 1 << 20 })
        }
        policy.breaker = pick([
            BreakerRule(failures: 5, cooldownSeconds: 30), BreakerRule(failures: 1, cooldownSeconds: 7),
        ])
        policy.inputs = some([
            PinnedInput(path: "in/a b.json", pin: .sha256(digest)),
            PinnedInput(path: "lib", pin: .gitRef("9fceb02d0ae598e95dc970b74767f19372d61af8")),
        ])
        policy.require = Guarantee.allCases.filter { _ in Bool.random(using: &self) }.map { guarantee in
            Requirement(guarantee: guarantee, level: pick(EnforcementLevel.allCases.filter { $0 != .none }))
        }
        return policy
    }

    private static let names = ["A", "LANG", "_x1", "true", "No"].compactMap(EnvironmentName.init)
    private static let somePaths = ["/usr", "/opt/a b", "/srv/100%", "/data/größe", "/x/[y]", "/usr/bin"].compactMap(
        AbsolutePath.init)

    private mutating func paths() -> [AbsolutePath] { some(Self.somePaths) }

    private mutating func patterns() -> [PathPattern] {
        some(["**", "src", "src/**/*.py", "with space/x", "a*b", "**/x", "null", "1", "-", "größe", "src/a"]).compactMap
        {
            try? PathPattern(parsing: $0)
        }
    }

    private mutating func rules() -> [EgressRule] {
        let plain = some([
            "a.example", "*.b.example:8443", "[::1]:80", "2001:db8::1", "192.0.2.1:25", "xn--bcher-kva.example",
        ])
        var rules = plain.compactMap { try? EgressRule(parsing: $0) }
        if Bool.random(using: &self) {
            rules.append(
                EgressRule(
                    host: .exact("c.example"), port: pick([443, 5432]), kind: .tcp, sni: .required, allowsPrivate: true)
            )
            rules.append(
                EgressRule(
                    host: .ipv6([UInt8](repeating: 1, count: 16)), port: nil, kind: .tls, sni: .optional,
                    allowsPrivate: false))
        }
        return rules
    }
}
