import JailModel

/// One changed path as the rules look at it.
struct HandoffChange {
    let names: [FoldedName]
    let kind: ChangeKind
    /// Content before and after; `nil` when there is none, or when it is not known.
    let before: [UInt8]?
    let after: [UInt8]?
    /// What stands there now, or stood there when it is gone; `nil` when the caller does not say.
    let object: ObjectKind?

    /// Something new stands at the path, whatever its content.
    var isReplaced: Bool { kind == .symlink || kind == .type || kind == .renamed }

    /// What stands there can be read by a program outside, and is not what it was.
    var isChanged: Bool { kind != .deleted && kind != .mode }
}

/// What is dangerous in and about `.git`, at any depth (rows F1 to F4).
enum GitPathRules {
    /// A class with the words for it.
    typealias Finding = (handoff: HandoffClass, reason: String)

    private static let gitName = Array(".git".utf8)

    static let nested = "is a repository below the workspace's own"

    static func findings(_ change: HandoffChange) -> [Finding] {
        var out: [Finding] = []
        for index in change.names.indices where change.names[index].mayBe(gitName) {
            let rest = change.names[(index + 1)...]
            out += rest.isEmpty ? entry(change, at: index) : inside(change, Array(rest))
        }
        return out
    }

    // MARK: the entry itself

    private static func entry(_ change: HandoffChange, at index: Int) -> [Finding] {
        guard change.isChanged else { return [] }
        if index > 0 { return [(.nestedGit, nested)] }
        if change.names[index].bytes != gitName {
            return [(.nestedGit, "is .git to a file system that folds names")]
        }
        if change.isReplaced { return [(.gitConfig, "is another repository than before")] }
        // A directory is no file that names another repository; git ignores what does not begin like this.
        guard change.object != .directory else { return [] }
        let isPointer = change.after.map { $0.starts(with: "gitdir:".utf8) }
        let isUnknown = change.kind == .modified || change.object == .file
        return isPointer ?? isUnknown ? [(.gitConfig, "names another repository")] : []
    }

    // MARK: below it

    private static func inside(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        if rest[0].mayBe("modules") { return modules(change, rest) }
        if rest[0].mayBe("worktrees") { return worktrees(change, rest) }
        return repository(change, rest)
    }

    /// Names relative to a repository's own directory.
    private static func repository(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        if rest[0].mayBe("hooks") { return hooks(change, rest) }
        if rest.count == 1 {
            if isConfig(rest[0]) { return config(change) }
            if rest[0].mayBe("commondir") {
                return change.isChanged ? [(.gitConfig, "names another configuration")] : []
            }
            if rest[0].mayBe("info") { return change.isReplaced ? [(.gitAttributes, "is another directory")] : [] }
        }
        if rest.count == 2, rest[0].mayBe("info"), rest[1].mayBe("attributes") {
            return change.isChanged ? [(.gitAttributes, "holds attributes that no review shows")] : []
        }
        return rebase(change, rest)
    }

    private static func hooks(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        if rest.count == 1 { return change.isReplaced ? [(.gitHooks, "is another directory of hooks")] : [] }
        // Git never runs these, and every new repository has them.
        if rest.count == 2, rest[1].folded.suffix(7).elementsEqual(".sample".utf8), !change.isReplaced { return [] }
        return [(.gitHooks, change.kind == .deleted ? "is a hook that no longer runs" : "is started by git")]
    }

    /// Repositories of submodules, whose names may have any depth.
    private static func modules(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        if change.kind == .symlink || change.kind == .type {
            return [(.gitConfig, "is another repository than before")]
        }
        return (1..<rest.count).flatMap { repository(change, Array(rest[$0...])) }
    }

    private static func worktrees(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        if rest.count < 3 {
            let isLink = change.kind == .symlink || change.kind == .type
            return isLink ? [(.gitConfig, "is another repository than before")] : []
        }
        if rest.count == 3, rest[2].mayBe("commondir") {
            // What `git worktree add` writes.
            let isUsual = change.after.map { $0.elementsEqual("../..\n".utf8) || $0.elementsEqual("../..".utf8) }
            return isUsual == true || !change.isChanged ? [] : [(.gitConfig, "names another configuration")]
        }
        return repository(change, Array(rest[2...]))
    }

    // MARK: files

    static func isConfig(_ name: FoldedName) -> Bool { name.mayBe("config") || name.mayBe("config.worktree") }

    static func config(_ change: HandoffChange) -> [Finding] {
        switch change.kind {
        case .mode: return []
        case .deleted: return GitConfigKeys.deletion(before: change.before).map { (.gitConfig, $0) }
        case .symlink: return [(.gitConfig, "is a link to another configuration")]
        default:
            // What a renamed file replaced is not known, so everything in it counts.
            let before = change.isReplaced ? nil : change.before
            return GitConfigKeys.changes(before: before, after: change.after).map { (.gitConfig, $0) }
        }
    }

    static func attributes(_ change: HandoffChange) -> [Finding] {
        guard change.isChanged else { return [] }
        let before = change.isReplaced ? nil : change.before
        return GitAttributesText.changes(before: before, after: change.after).map { (.gitAttributes, $0) }
    }

    /// Commands that run when a rebase that the step left open goes on.
    private static func rebase(_ change: HandoffChange, _ rest: [FoldedName]) -> [Finding] {
        guard rest.count == 2, rest[0].mayBe("rebase-merge"), rest[1].mayBe("git-rebase-todo"), change.isChanged else {
            return []
        }
        let lines = change.after?.split(separator: UInt8(ascii: "\n")) ?? []
        let runs = lines.contains { line in
            let word = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                .prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            return word.elementsEqual("exec".utf8) || word.elementsEqual("x".utf8)
        }
        guard runs || change.after == nil else { return [] }
        return [(.gitHooks, "holds commands that run when the rebase goes on")]
    }
}
