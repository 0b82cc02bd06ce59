/// Kinds of files that make something run outside the jail later: what `workspace.handoff` of a policy may name.
///
/// Rows F1 to F6 of the escape list; guarantee B.
public enum HandoffClass: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Configuration of git with keys that start programs, or that name other configuration.
    case gitConfig = "git_config"
    /// Programs that git starts by itself.
    case gitHooks = "git_hooks"
    /// Attributes that send files through a configured filter, diff or merge driver.
    case gitAttributes = "git_attributes"
    /// A repository, bare or not, where none was: git trusts its configuration as soon as somebody works there.
    case nestedGit = "nested_git"
    /// What a build server runs.
    case ciWorkflows = "ci_workflows"
    /// Settings, hooks and servers of coding agents.
    case agentConfig = "agent_config"
    /// What coding agents read as instructions; told, never a violation.
    case agentInstructions = "agent_instructions"
    /// Settings and tasks of editors and development containers.
    case editorConfig = "editor_config"
    /// What shells, ssh and desktop sessions read when they start.
    case shellStartup = "shell_startup"
    /// What package managers and interpreters read when they start.
    case packageStartup = "package_startup"
    /// Build files that people run on purpose; told, never a violation.
    case buildScripts = "build_scripts"

    /// Whether a change of this kind breaks the policy that does not allow it; the others are warnings.
    public var isBlocking: Bool { self != .agentInstructions && self != .buildScripts }

    /// In the order of the declaration.
    public static func < (lhs: HandoffClass, rhs: HandoffClass) -> Bool {
        guard let left = allCases.firstIndex(of: lhs), let right = allCases.firstIndex(of: rhs) else { return false }
        return left < right
    }
}

/// A changed path that can make something run outside the jail.
///
/// Guarantee B.
public struct TrustHandoff: Sendable, Hashable {
    /// Relative to the workspace; bytes, since a name need not be UTF-8.
    public var path: ByteString
    public var handoff: HandoffClass
    /// What about the path is dangerous, in words that can follow it and are safe to print: `sets core.pager`.
    public var reason: String

    public init(path: ByteString, handoff: HandoffClass, reason: String) {
        self.path = path
        self.handoff = handoff
        self.reason = reason
    }
}
