import JailModel

extension Policy {
    /// What a policy means that sets nothing: the values of the contract, without what this version cannot enforce.
    static let builtIn = Policy(
        name: "built-in", profile: .local, isOverridable: true,
        workspace: WorkspaceRules(
            mode: .overlay, write: [.everything],
            protect: [.literal(".git", "hooks"), .literal(".git", "config"), .literal(".github", "workflows")],
            scratch: [], untrusted: [.literal("work", "repo")], handoff: [], onPass: .commit, onFail: .keep),
        filesystem: FilesystemRules(
            read: ["usr", "bin", "sbin", "lib", "lib64", "etc"].map { AbsolutePath(components: [$0]) }, write: [],
            hide: [AbsolutePath(components: ["etc", "shadow"])], tmp: .mebibytes(256)),
        network: NetworkRules(mode: .none, allow: [], allowlistFile: nil, onDenied: .fail),
        exec: ExecRules(workspace: .deny, allow: nil, ledger: .log),
        environment: EnvironmentRules(
            pass: ["LANG", "TERM"].compactMap(EnvironmentName.init),
            set: Dictionary(
                uniqueKeysWithValues: [("PYTHONHASHSEED", "0")].compactMap { name, value in
                    EnvironmentName(name).map { ($0, value) }
                })),
        secrets: SecretRules(hold: [], inject: [], scan: []),
        gateways: [],
        budgets: Budgets(limits: [
            .runtime: 3600, .cpu: 3600, .memory: ByteCount.gibibytes(4).value, .processes: 256, .openFiles: 1024,
            .output: ByteCount.mebibytes(64).value, .bytesWritten: ByteCount.gibibytes(1).value, .filesChanged: 100,
            .linesPerFile: 500, .fileWrites: 100, .patchAttempts: 5, .denials: 1000,
        ]),
        breaker: BreakerRule(failures: 5, cooldownSeconds: 30),
        inputs: [],
        require: [.hermeticPaths, .networkEgress, .budgets, .untrustedExec].map { Requirement(guarantee: $0) },
        deferredKeys: [])
}

extension PathPattern {
    /// `**`: the whole workspace.
    static let everything = PathPattern(text: "**", components: [])

    static func literal(_ names: String...) -> PathPattern {
        PathPattern(text: names.joined(separator: "/"), components: names.map(Component.literal))
    }
}
