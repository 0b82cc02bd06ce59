import JailModel

/// Why something is allowed or denied by a policy, and what would allow it.
public struct PolicyExplanation: Sendable, Hashable, CustomStringConvertible {
    public enum Decision: String, Sendable, Hashable { case allow, deny }

    public let decision: Decision
    /// The rule as text, such as `workspace.protect: ".git/hooks"`; the name of the missing rule's key when nothing matched.
    public let rule: String
    /// Where the rule was written; `nil` for a built-in default.
    public let origin: RuleOrigin?
    /// One sentence.
    public let reason: String
    /// The line of a policy that would allow it; empty when it is allowed or no line would.
    public let remedy: String

    init(
        _ decision: Decision, rule: String, origin: RuleOrigin? = nil, reason: String, remedy: String = ""
    ) {
        self.decision = decision
        self.rule = rule
        self.origin = origin
        self.reason = reason
        self.remedy = remedy
    }

    /// Up to three lines: the decision and why, the rule and its place, the remedy.
    public var description: String {
        var lines = ["\(decision.rawValue): \(reason)"]
        // What the jail makes itself (`jail`, `--workspace`) is no rule of a policy.
        let place = origin?.description ?? (rule.contains(".") ? "built-in default" : "always")
        lines.append("  rule: \(rule) (\(place))")
        if !remedy.isEmpty { lines.append("  to allow it: \(remedy)") }
        return lines.joined(separator: "\n")
    }
}

/// Answers what a policy says about a path, a host or a command, without looking at the machine.
///
/// Symbolic links are not followed: the caller gives the path that the kernel would see. Guarantees B, D and J.
public struct PolicyExplainer: Sendable {
    let policy: Policy
    let origins: RuleOrigins
    let workspace: AbsolutePath

    /// - Parameter workspace: Where the workspace is.
    public init(_ loaded: LoadedPolicy, workspace: AbsolutePath) {
        policy = loaded.policy
        origins = loaded.origins
        self.workspace = workspace
    }

    // MARK: reading

    /// Whether a path can be read in the jail.
    public func read(_ path: AbsolutePath) -> PolicyExplanation {
        if inside(path) != nil {
            return PolicyExplanation(.allow, rule: "--workspace", reason: "the workspace is readable")
        }
        if let hidden = hiding(path) { return hidden }
        if let found = first(.filesystemRead, policy.filesystem.read, where: { $0.contains(path) }) {
            return PolicyExplanation(
                .allow, rule: found.rule, origin: found.origin, reason: "the path exists in the jail, read-only")
        }
        if let found = first(.filesystemWrite, policy.filesystem.write, where: { $0.contains(path) }) {
            return PolicyExplanation(
                .allow, rule: found.rule, origin: found.origin, reason: "the path exists in the jail and is writable")
        }
        if let special = special(path) { return special }
        return PolicyExplanation(
            .deny, rule: "filesystem.read", origin: origins["filesystem.read"],
            reason: "no rule shows the path, so it does not exist in the jail",
            remedy: adding(path.description, to: .filesystemRead))
    }

    // MARK: writing

    /// Whether a path can be written in the jail.
    public func write(_ path: AbsolutePath) -> PolicyExplanation {
        if let names = inside(path) { return writeInside(names) }
        if let hidden = hiding(path) { return hidden }
        if let found = first(.filesystemWrite, policy.filesystem.write, where: { $0.contains(path) }) {
            return PolicyExplanation(
                .allow, rule: found.rule, origin: found.origin,
                reason: "the path is written through, never executed from")
        }
        if path.components.first == "tmp" {
            return PolicyExplanation(
                .allow, rule: "filesystem.tmp: \(policy.filesystem.tmp)", origin: origins["filesystem.tmp"],
                reason: "the jail has its own /tmp, which is thrown away after the run")
        }
        if let special = special(path), special.decision == .deny { return special }
        return PolicyExplanation(
            .deny, rule: "filesystem.write", origin: origins["filesystem.write"],
            reason: "no rule lets the path be written", remedy: adding(path.description, to: .filesystemWrite))
    }

    private func writeInside(_ names: [String]) -> PolicyExplanation {
        let rules = policy.workspace
        if rules.mode == .readonly {
            return PolicyExplanation(
                .deny, rule: "workspace.mode: readonly", origin: origins["workspace.mode"],
                reason: "nothing in the workspace changes", remedy: "workspace: {mode: direct}")
        }
        if let found = first(.workspaceProtect, rules.protect, where: { $0.matches(components: names) }) {
            return PolicyExplanation(
                .deny, rule: found.rule, origin: found.origin, reason: "the path is protected, whatever `write` allows",
                remedy: "take the pattern out of workspace.protect")
        }
        if let found = first(.workspaceUntrusted, rules.untrusted, where: { $0.matches(components: names) }) {
            return PolicyExplanation(
                .deny, rule: found.rule, origin: found.origin, reason: "the path is untrusted: it is only read",
                remedy: "take the pattern out of workspace.untrusted")
        }
        if let found = first(.workspaceScratch, rules.scratch, where: { $0.matches(components: names) }) {
            return PolicyExplanation(
                .allow, rule: found.rule, origin: found.origin, reason: "the path is scratch: thrown away after the run"
            )
        }
        if let found = first(.workspaceWrite, rules.write, where: { $0.matches(components: names) }) {
            return PolicyExplanation(.allow, rule: found.rule, origin: found.origin, reason: "the path may change")
        }
        let pattern = names.isEmpty ? "**" : names.joined(separator: "/")
        return PolicyExplanation(
            .deny, rule: "workspace.write", origin: origins["workspace.write"],
            reason: "no pattern lets the path change",
            remedy: adding(pattern, to: .workspaceWrite))
    }

    // MARK: executing

    /// Whether a file can be executed in the jail.
    public func execute(_ path: AbsolutePath) -> PolicyExplanation {
        if let names = inside(path) { return executeInside(names) }
        let visible = read(path)
        if visible.decision == .deny { return visible }
        let isMade = path.components.first == "tmp" || special(path) != nil
        if isMade || first(.filesystemWrite, policy.filesystem.write, where: { $0.contains(path) }) != nil {
            return PolicyExplanation(
                .deny, rule: visible.rule, origin: visible.origin,
                reason: "what the command can write outside the workspace is never executed")
        }
        guard let rules = policy.exec.allow else {
            return PolicyExplanation(
                .allow, rule: visible.rule, origin: visible.origin,
                reason: "without exec.allow everything that filesystem.read shows may be executed")
        }
        for (index, rule) in rules.enumerated() where rule.coversFile(path) {
            var reason = "the file may be executed"
            if case .pinned(_, let digest) = rule { reason += " as long as its SHA-256 is \(digest)" }
            return PolicyExplanation(
                .allow, rule: "exec.allow: \(PolicyYAML.flow(.string(rule.pathText)))",
                origin: origins.element(.execAllow, index), reason: reason)
        }
        return PolicyExplanation(
            .deny, rule: "exec.allow", origin: origins["exec.allow"], reason: "no rule lets the file be executed",
            remedy: adding(path.description, to: .execAllow))
    }

    private func executeInside(_ names: [String]) -> PolicyExplanation {
        if let found = first(.workspaceUntrusted, policy.workspace.untrusted, where: { $0.matches(components: names) })
        {
            return PolicyExplanation(
                .deny, rule: found.rule, origin: found.origin, reason: "untrusted files are never executed",
                remedy: "take the pattern out of workspace.untrusted")
        }
        let rule = "exec.workspace: \(policy.exec.workspace.rawValue)"
        switch policy.exec.workspace {
        case .allow:
            return PolicyExplanation(
                .allow, rule: rule, origin: origins["exec.workspace"], reason: "files of the workspace may be executed")
        case .deny:
            return PolicyExplanation(
                .deny, rule: rule, origin: origins["exec.workspace"],
                reason: "files of the workspace are not executed; an allowed interpreter can still read them",
                remedy: "exec: {workspace: allow}")
        }
    }

    // MARK: network and environment

    /// Whether a host can be reached; without a port, on 443.
    public func connect(host text: String, port: UInt16? = nil) -> PolicyExplanation {
        let host: EgressRule.Host
        do throws(ValueProblem) {
            host = try EgressRule.Host(parsing: text)
        } catch {
            return PolicyExplanation(.deny, rule: "network.allow", reason: error.message)
        }
        let port = port ?? 443
        let mode = "network.mode: \(policy.network.mode.rawValue)"
        let wanted = EgressRule(host: host, port: port, kind: nil, sni: .required, allowsPrivate: false)
        let remedy = "network: {mode: allowlist, allow: \(list(wanted.text, .networkAllow))}"
        switch policy.network.mode {
        case .none:
            return PolicyExplanation(
                .deny, rule: mode, origin: origins["network.mode"], reason: "the jail has an empty network",
                remedy: remedy)
        case .host:
            return PolicyExplanation(
                .allow, rule: mode, origin: origins["network.mode"],
                reason: "the jail has the network of the host; nothing is enforced")
        case .allowlist:
            for (index, rule) in policy.network.allow.enumerated()
            where rule.host.covers(host) && rule.endpoints.contains(where: { $0.port == port }) {
                return PolicyExplanation(
                    .allow, rule: "network.allow: \(PolicyYAML.flow(.string(rule.text)))",
                    origin: origins.element(.networkAllow, index), reason: "the host and the port are listed")
            }
            let file = policy.network.allowlistFile.map { "; \(shown($0)) may add hosts" } ?? ""
            return PolicyExplanation(
                .deny, rule: "network.allow", origin: origins["network.allow"],
                reason: "no rule names the host with port \(port)\(file)", remedy: remedy)
        }
    }

    /// Whether a variable reaches the command.
    public func variable(_ name: EnvironmentName) -> PolicyExplanation {
        if policy.environment.set[name] != nil {
            return PolicyExplanation(
                .allow, rule: "env.set: \(name)", origin: origins["env.set"], reason: "the policy gives it a value")
        }
        if let found = first(.environmentPass, policy.environment.pass, where: { $0 == name }) {
            return PolicyExplanation(
                .allow, rule: found.rule, origin: found.origin, reason: "it is copied when it is set outside")
        }
        return PolicyExplanation(
            .deny, rule: "env.pass", origin: origins["env.pass"], reason: "the environment starts empty",
            remedy: adding(name.text, to: .environmentPass))
    }

    // MARK: parts

    /// The components below the workspace, when the path is in it.
    private func inside(_ path: AbsolutePath) -> [String]? {
        workspace.contains(path) ? Array(path.components.dropFirst(workspace.components.count)) : nil
    }

    private func hiding(_ path: AbsolutePath) -> PolicyExplanation? {
        first(.filesystemHide, policy.filesystem.hide, where: { $0.contains(path) }).map { found in
            PolicyExplanation(
                .deny, rule: found.rule, origin: found.origin, reason: "the path is masked",
                remedy: "take the path out of filesystem.hide")
        }
    }

    /// What the jail makes itself.
    private func special(_ path: AbsolutePath) -> PolicyExplanation? {
        switch path.components.first {
        case "tmp":
            PolicyExplanation(
                .allow, rule: "filesystem.tmp: \(policy.filesystem.tmp)", origin: origins["filesystem.tmp"],
                reason: "the jail has its own /tmp; what the host has there does not exist")
        case "proc", "dev":
            PolicyExplanation(
                .allow, rule: "jail", reason: "the jail has its own /proc and a minimal /dev, not those of the host")
        case "sys": PolicyExplanation(.deny, rule: "jail", reason: "no jail has a /sys")
        default: nil
        }
    }

    private func first<Rule: CustomStringConvertible>(
        _ key: PolicyKey, _ rules: [Rule], where matches: (Rule) -> Bool
    ) -> (rule: String, origin: RuleOrigin?)? {
        guard let index = rules.firstIndex(where: matches) else { return nil }
        let text = PolicyYAML.flow(.string(rules[index].description))
        return ("\(key.path): \(text)", origins.element(key, index))
    }

    /// The line that sets a list to what it is with one element more.
    private func adding(_ text: String, to key: PolicyKey) -> String {
        "\(key.section): {\(key.leaf): \(list(text, key))}"
    }

    private func list(_ text: String, _ key: PolicyKey) -> String {
        guard case .array(let elements)? = policy.value(of: key) else { return "[\(PolicyYAML.flow(.string(text)))]" }
        return PolicyYAML.flow(.array(elements + [.string(text)]))
    }
}

extension ExecRule {
    /// Whether the rule names this file, whatever its digest.
    fileprivate func coversFile(_ path: AbsolutePath) -> Bool {
        switch self {
        case .file(let mine), .pinned(let mine, _): mine == path
        case .subtree(let tree): tree.contains(path)
        }
    }
}
