public import JailModel

/// What flags of the command line ask for on top of a policy, as the user wrote it.
public struct PolicyOverrides: Sendable, Hashable {
    /// `--profile`.
    public var profile: Profile?
    /// `--read PATH`: absolute paths.
    public var read: [String]
    /// `--write PATH`: a pattern relative to the workspace, or an absolute path.
    public var write: [String]
    /// `--allow-host HOST[:PORT]`.
    public var allowHost: [String]
    /// `--env NAME` or `--env NAME=VALUE`.
    public var environment: [String]
    /// `--timeout DURATION`: `budgets.max_runtime_s`.
    public var timeout: String?
    /// `--memory SIZE`: `budgets.max_memory`.
    public var memory: String?
    /// `--on-pass`.
    public var onPass: Disposition?
    /// `--on-fail`.
    public var onFail: Disposition?

    public init(
        profile: Profile? = nil, read: [String] = [], write: [String] = [], allowHost: [String] = [],
        environment: [String] = [], timeout: String? = nil, memory: String? = nil, onPass: Disposition? = nil,
        onFail: Disposition? = nil
    ) {
        self.profile = profile
        self.read = read
        self.write = write
        self.allowHost = allowHost
        self.environment = environment
        self.timeout = timeout
        self.memory = memory
        self.onPass = onPass
        self.onFail = onFail
    }
}

extension Policy {
    /// The policy with flags applied; see ``LoadedPolicy/applying(_:workspace:)``.
    public func applying(
        _ overrides: PolicyOverrides, workspace: AbsolutePath? = nil
    ) throws(PolicyError) -> Policy {
        try LoadedPolicy(policy: self, origins: RuleOrigins()).applying(overrides, workspace: workspace).policy
    }
}

extension LoadedPolicy {
    /// The policy with flags applied.
    ///
    /// A flag that narrows always works. One that adds to what the policy grants is refused unless the policy is
    /// overridable; one that asks for what is granted already changes nothing.
    ///
    /// - Parameter workspace: Where the workspace is, so that an absolute `--write` inside it is a pattern of it.
    /// - Throws: ``PolicyError`` with every flag that is wrong; its file is the flag's name. Exit 2.
    public func applying(
        _ overrides: PolicyOverrides, workspace: AbsolutePath? = nil
    ) throws(PolicyError) -> LoadedPolicy {
        var application = OverrideApplication(loaded: self, workspace: workspace)
        application.apply(overrides)
        guard application.diagnostics.isEmpty else { throw PolicyError(diagnostics: application.diagnostics) }
        return application.loaded
    }
}

private struct OverrideApplication {
    var loaded: LoadedPolicy
    let original: Policy
    let workspace: AbsolutePath?
    var diagnostics: [PolicyDiagnostic] = []

    init(loaded: LoadedPolicy, workspace: AbsolutePath?) {
        self.loaded = loaded
        original = loaded.policy
        self.workspace = workspace
    }

    mutating func apply(_ overrides: PolicyOverrides) {
        if let profile = overrides.profile {
            change("--profile", .profile) { $0.policy.profile = profile }
        }
        for text in overrides.read { read(text) }
        for text in overrides.write { write(text) }
        for text in overrides.allowHost { allow(text) }
        for text in overrides.environment { setVariable(text) }
        if let text = overrides.timeout { limit(text, .runtime, "--timeout", .maxRuntime) }
        if let text = overrides.memory { limit(text, .memory, "--memory", .maxMemory) }
        if let disposition = overrides.onPass {
            change("--on-pass", .workspaceOnPass) { $0.policy.workspace.onPass = disposition }
        }
        if let disposition = overrides.onFail {
            change("--on-fail", .workspaceOnFail) { $0.policy.workspace.onFail = disposition }
        }
        guard diagnostics.isEmpty else { return }
        let flag = overrides.profile == nil ? "--env" : "--profile"
        diagnostics += PolicyChecks.problems(loaded, file: flag, places: [:])
    }

    // MARK: single flags

    private mutating func read(_ text: String) {
        guard
            let path = parsed(
                "--read", { () throws(ValueProblem) in try AbsolutePath(parsing: text, mayBeSpecial: false) })
        else { return }
        let visible = loaded.policy.filesystem.read + loaded.policy.filesystem.write
        guard !visible.contains(where: { $0.contains(path) }) else { return }
        change("--read", .filesystemRead, index: loaded.policy.filesystem.read.count) {
            $0.policy.filesystem.read.append(path)
        }
    }

    private mutating func write(_ text: String) {
        var pattern = text
        if text.utf8.first == UInt8(ascii: "/") {
            guard
                let path = parsed(
                    "--write", { () throws(ValueProblem) in try AbsolutePath(parsing: text, mayBeSpecial: false) })
            else { return }
            guard let workspace, workspace.contains(path) else { return writeOutside(path) }
            let inside = path.components.dropFirst(workspace.components.count)
            pattern = inside.isEmpty ? "**" : inside.joined(separator: "/")
        }
        guard let rule = parsed("--write", { () throws(ValueProblem) in try PathPattern(parsing: pattern) }) else {
            return
        }
        if loaded.policy.workspace.mode == .readonly {
            note(
                "--write", "means nothing while workspace.mode is readonly",
                "choose a policy whose workspace is writable")
            return
        }
        guard !loaded.policy.workspace.write.contains(where: { $0.covers(rule) }) else { return }
        change("--write", .workspaceWrite, index: loaded.policy.workspace.write.count) {
            $0.policy.workspace.write.append(rule)
        }
    }

    private mutating func writeOutside(_ path: AbsolutePath) {
        guard !loaded.policy.filesystem.write.contains(where: { $0.contains(path) }) else { return }
        change("--write", .filesystemWrite, index: loaded.policy.filesystem.write.count) {
            $0.policy.filesystem.write.append(path)
        }
    }

    private mutating func allow(_ text: String) {
        guard let rule = parsed("--allow-host", { () throws(ValueProblem) in try EgressRule(parsing: text) }) else {
            return
        }
        let network = loaded.policy.network
        guard network.mode != .host else { return }
        if network.mode == .none { change("--allow-host", .networkMode) { $0.policy.network.mode = .allowlist } }
        guard !network.allow.contains(where: { $0.covers(rule) }) else { return }
        change("--allow-host", .networkAllow, index: network.allow.count) { $0.policy.network.allow.append(rule) }
    }

    private mutating func setVariable(_ text: String) {
        let name = text.prefix { $0 != "=" }
        guard let variable = parsed("--env", { () throws(ValueProblem) in try EnvironmentName(parsing: String(name)) })
        else {
            return
        }
        guard name.endIndex < text.endIndex else {
            let environment = loaded.policy.environment
            if environment.set[variable] != nil {
                change("--env", .environmentSet) { $0.policy.environment.set[variable] = nil }
            }
            guard !environment.pass.contains(variable) else { return }
            change("--env", .environmentPass, index: environment.pass.count) {
                $0.policy.environment.pass.append(variable)
            }
            return
        }
        let value = String(text[text.index(after: name.endIndex)...])
        if value.utf8.contains(0) {
            note("--env", "the value of \(variable) holds a NUL byte", "")
            return
        }
        change("--env", .environmentSet) { $0.policy.environment.set[variable] = value }
    }

    private mutating func limit(_ text: String, _ kind: BudgetKind, _ flag: String, _ key: PolicyKey) {
        guard let shape = PolicyKeys.byKey[key]?.shape,
            let value = parsed(flag, { () throws(ValueProblem) in try PolicyDecoder.number(text, shape) })
        else { return }
        change(flag, key) { $0.policy.budgets.limits[kind] = value }
    }

    // MARK: one change

    /// Makes a change, unless it adds to what a policy grants that is not overridable.
    private mutating func change(
        _ flag: String, _ key: PolicyKey, index: Int? = nil, _ edit: (inout LoadedPolicy) -> Void
    ) {
        var next = loaded
        edit(&next)
        if !original.isOverridable, let added = PolicyDelta(from: loaded.policy, to: next.policy).widenings.first {
            note(
                flag,
                "adds to what the policy `\(SafeText.escape(original.name))` grants (\(added)), and it is not overridable",
                "leave the flag out, or choose another policy")
            return
        }
        let origin = RuleOrigin(file: flag, line: 0, column: 0)
        if let index { next.origins.append(key, index: index, origin) } else { next.origins.set(key, origin) }
        if let value = next.policy.value(of: key) {
            for name in Deferral.names(key, value: value)
            where !next.policy.deferredKeys.contains(where: { $0.key == name }) {
                next.policy.deferredKeys.append(DeferredKey(key: name, file: flag, line: 0, column: 0))
            }
        }
        loaded = next
    }

    private mutating func parsed<Value>(_ flag: String, _ parse: () throws(ValueProblem) -> Value) -> Value? {
        do throws(ValueProblem) {
            return try parse()
        } catch {
            note(flag, error.message, error.hint)
            return nil
        }
    }

    private mutating func note(_ flag: String, _ message: String, _ hint: String) {
        diagnostics.append(
            PolicyDiagnostic(file: flag, line: 0, column: 0, key: "", message: message, hint: hint))
    }
}
