public import JailModel

/// Which changes of a step make something run outside the jail later, judged by path and content alone.
///
/// Pure; rows F1 to F6 and F18 of the escape list, guarantee B. Names are compared byte by byte and as other file
/// systems may fold them, so the answer does not depend on where the workspace lies.
public enum TrustHandoffRules {
    /// What one changed path hands over.
    ///
    /// Content counts up to 1 MiB. Where it decides and is not known, the path is a finding. A deletion is one only
    /// where the file protected something: hooks, workflows, settings of agents, `core.hooksPath`.
    ///
    /// - Parameters:
    ///   - path: Relative to the workspace; not a directory, except `.git`.
    ///   - before: What was there; `nil` when there was nothing, or it is binary, too long or unknown.
    ///   - after: What is there now, in the same way.
    ///   - hooksPaths: Directories that `core.hooksPath` names, see ``hooksPaths(config:workspace:)``.
    /// - Returns: In the order of the classes; empty when the change hands over nothing.
    public static func findings(
        path: ByteString, kind: ChangeKind, before: [UInt8]?, after: [UInt8]?, hooksPaths: [ByteString]
    ) -> [TrustHandoff] {
        let names = FoldedName.names(of: path)
        let change = HandoffChange(names: names, kind: kind, before: before, after: after, object: nil)
        return findings(change, path: path, hooks: hooksPaths.map(FoldedName.names(of:)))
    }

    /// What a whole change set hands over, sorted by path, each path once for each class and reason.
    ///
    /// - Parameters:
    ///   - exists: Whether something stands at a path of the workspace that the step did not change; for repositories
    ///     that are made of old and new parts.
    ///   - content: Reads a path before and after the step, see ``findings(path:kind:before:after:hooksPaths:)``; it
    ///     is only asked for paths whose content decides.
    public static func findings(
        in changes: [ChangedPath], hooksPaths: [ByteString], exists: (ByteString) -> Bool,
        content: (ChangedPath) -> (before: [UInt8]?, after: [UInt8]?)
    ) -> [TrustHandoff] {
        let hooks = hooksPaths.map(FoldedName.names(of:))
        var found = Set(nestedRepositories(in: changes, exists: exists))
        for change in changes {
            let names = FoldedName.names(of: change.path)
            let text = dependsOnContent(names) && !change.isDirectory ? content(change) : (before: nil, after: nil)
            let object = change.after?.kind ?? change.before?.kind
            found.formUnion(
                findings(
                    HandoffChange(
                        names: names, kind: change.kind, before: text.before, after: text.after, object: object),
                    path: change.path, hooks: hooks))
            guard change.kind == .renamed, let from = change.from else { continue }
            found.formUnion(
                findings(
                    HandoffChange(
                        names: FoldedName.names(of: from), kind: .deleted, before: text.before, after: nil,
                        object: object), path: from, hooks: hooks))
        }
        return found.sorted {
            ($0.path, $0.handoff, $0.reason) < ($1.path, $1.handoff, $1.reason)
        }
    }

    /// Whether ``findings(path:kind:before:after:hooksPaths:)`` looks at the content of a path.
    public static func dependsOnContent(_ path: ByteString) -> Bool {
        dependsOnContent(FoldedName.names(of: path))
    }

    /// The directories that `core.hooksPath` of a configuration names, relative to the workspace.
    ///
    /// Git takes a relative one from the top of the work tree. What lies outside the workspace is left out.
    ///
    /// - Parameters:
    ///   - config: The text of `.git/config`, or of another file that git reads.
    ///   - workspace: The absolute path of the workspace, which is the top of the work tree.
    public static func hooksPaths(config: [UInt8], workspace: ByteString) -> [ByteString] {
        GitConfigKeys.hooksPaths(config).compactMap { value in
            let slash = UInt8(ascii: "/")
            var parts: [ArraySlice<UInt8>] = value.first == slash ? [] : workspace.bytes.split(separator: slash)
            for part in value.split(separator: slash) {
                if part.elementsEqual("..".utf8) {
                    if parts.isEmpty { return nil }
                    parts.removeLast()
                } else if !part.elementsEqual(".".utf8) {
                    parts.append(part)
                }
            }
            let root = workspace.bytes.split(separator: slash)
            guard !value.isEmpty, parts.starts(with: root) else { return nil }
            return ByteString(parts[root.count...].joined(separator: [slash]))
        }
    }

    // MARK: one path

    private static func dependsOnContent(_ names: [FoldedName]) -> Bool {
        guard let last = names.last else { return false }
        return contentNames.contains(where: last.mayBe)
    }

    private static let contentNames = [
        ".git", "config", "config.worktree", "commondir", "git-rebase-todo", ".gitconfig", ".gitmodules",
        ".gitattributes", "package.json",
    ].map { Array($0.utf8) }

    private static func findings(_ change: HandoffChange, path: ByteString, hooks: [[FoldedName]]) -> [TrustHandoff] {
        guard let last = change.names.last else { return [] }
        if change.kind == .modified, let before = change.before, before == change.after { return [] }
        var found = GitPathRules.findings(change)
        // What a directory holds stands in the list by itself.
        if change.object != .directory || change.isReplaced {
            if last.mayBe(".gitconfig") || last.mayBe(".gitmodules") { found += GitPathRules.config(change) }
            if last.mayBe(".gitattributes") { found += GitPathRules.attributes(change) }
            if hooks.contains(where: { isHook(change, in: $0) }) {
                found.append((.gitHooks, "is in the directory that core.hooksPath names"))
            }
            found += byPlace(change)
        }
        var out: [TrustHandoff] = []
        for finding in found.sorted(by: { $0.handoff < $1.handoff }) {
            let handoff = TrustHandoff(path: path, handoff: finding.handoff, reason: finding.reason)
            if !out.contains(handoff) { out.append(handoff) }
        }
        return out
    }

    private static func isHook(_ change: HandoffChange, in directory: [FoldedName]) -> Bool {
        let names = change.names
        if names.count > directory.count {
            // The top of the work tree as the directory of hooks means the files there, not everything.
            guard !directory.isEmpty || names.count == 1 else { return false }
            return zip(names, directory).allSatisfy { $0.folded == $1.folded }
        }
        return change.isReplaced && zip(names, directory).allSatisfy { $0.folded == $1.folded }
    }

    private static func byPlace(_ change: HandoffChange) -> [GitPathRules.Finding] {
        HandoffPatterns.matches(change.names).compactMap { handoff, match in
            switch match {
            case .above:
                let reason = "leads programs to other files than before"
                return change.isReplaced && change.object != .directory ? (handoff, reason) : nil
            case .whole:
                guard counts(change, handoff) else { return nil }
                return (handoff, change.kind == .deleted ? "is gone, and what it set with it" : words(handoff))
            }
        }
    }

    private static func counts(_ change: HandoffChange, _ handoff: HandoffClass) -> Bool {
        switch change.kind {
        case .deleted: return [.gitHooks, .ciWorkflows, .agentConfig].contains(handoff)
        case .mode: return handoff == .gitHooks
        default:
            guard handoff == .buildScripts, change.names.last?.mayBe("package.json") == true else { return true }
            return PackageScripts.differ(change.isReplaced ? nil : change.before, change.after)
        }
    }

    private static func words(_ handoff: HandoffClass) -> String {
        switch handoff {
        case .gitConfig, .gitAttributes, .nestedGit: "is read by git"
        case .gitHooks: "is started by git"
        case .ciWorkflows: "is run by a build server"
        case .agentConfig: "configures a coding agent"
        case .agentInstructions: "instructs coding agents"
        case .editorConfig: "configures an editor, which may run what it names"
        case .shellStartup: "is read when a shell or a session starts"
        case .packageStartup: "is read when a package manager or an interpreter starts"
        case .buildScripts: "runs when somebody builds or tests"
        }
    }
}

/// The commands in `package.json`.
enum PackageScripts {
    /// Whether `scripts` is not what it was; what cannot be read counts as different.
    static func differ(_ before: [UInt8]?, _ after: [UInt8]?) -> Bool {
        guard let after, let new = try? JSONValue(parsing: after) else { return true }
        let old = before.flatMap { try? JSONValue(parsing: $0) }
        return (new["scripts"] ?? [:]) != (old?["scripts"] ?? [:])
    }
}
