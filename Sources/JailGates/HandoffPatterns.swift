import JailModel

/// Files that some program outside reads or runs by their place: the table, and how a path is held against it.
///
/// Rows F2, F5 and F6. What lies below `.git` is not here, see ``GitPathRules``. A pattern stands at any depth: the
/// workspace may hold several projects, or be a home directory.
struct HandoffPattern: Sendable {
    enum Element: Sendable {
        case name([UInt8])
        /// `.aider.conf*`.
        case prefix([UInt8])
        /// `*.pth`.
        case suffix([UInt8])
    }

    enum Match {
        /// The path is what the pattern names.
        case whole
        /// The path is a directory above it: only a link in its place is dangerous.
        case above
    }

    let handoff: HandoffClass
    let elements: [Element]
    /// The pattern ended in `/**`: everything below, not the directory itself.
    let isTree: Bool
    /// Whether it counts below `node_modules` and `site-packages` too: nobody works there, only programs look.
    let countsInDependencies: Bool

    init(_ handoff: HandoffClass, _ text: String, countsInDependencies: Bool = false) {
        self.handoff = handoff
        self.countsInDependencies = countsInDependencies
        isTree = text.hasSuffix("/**")
        elements = (isTree ? text.dropLast(3) : text[...]).split(separator: "/").map { part in
            if part.hasPrefix("*") { return .suffix(Array(part.dropFirst().utf8)) }
            if part.hasSuffix("*") { return .prefix(Array(part.dropLast().utf8)) }
            return .name(Array(part.utf8))
        }
    }

    /// Holds the names from one place on against the pattern.
    func match(_ names: ArraySlice<FoldedName>) -> Match? {
        for (name, element) in zip(names, elements) {
            switch element {
            case .name(let wanted): if !name.mayBe(wanted) { return nil }
            case .prefix(let start): if !name.folded.starts(with: start) { return nil }
            case .suffix(let end): if !name.folded.ends(with: end) { return nil }
            }
        }
        if names.count < elements.count { return .above }
        if isTree { return names.count > elements.count ? .whole : .above }
        return names.count == elements.count ? .whole : nil
    }
}

extension Array where Element == UInt8 {
    fileprivate func ends(with suffix: [UInt8]) -> Bool {
        count > suffix.count && self.suffix(suffix.count) == suffix[...]
    }
}

/// All patterns, by the name that they begin with.
enum HandoffPatterns {
    /// The patterns that a path meets, the strongest match of each class once.
    static func matches(_ names: [FoldedName]) -> [(handoff: HandoffClass, match: HandoffPattern.Match)] {
        var found: [HandoffClass: HandoffPattern.Match] = [:]
        var isInDependencies = false
        for start in names.indices {
            for pattern in candidates(names[start]) where pattern.countsInDependencies || !isInDependencies {
                guard let match = pattern.match(names[start...]) else { continue }
                if found[pattern.handoff] != .whole { found[pattern.handoff] = match }
            }
            if dependencyTrees.contains(where: names[start].mayBe) { isInDependencies = true }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Directories of other people's code, where a package manager writes thousands of files.
    private static let dependencyTrees = ["node_modules", "site-packages", "dist-packages"].map { Array($0.utf8) }

    private static func candidates(_ name: FoldedName) -> [HandoffPattern] {
        // A short form may stand for any name.
        name.mayBeShort ? table : (byName[name.folded] ?? []) + others
    }

    private static let byName: [[UInt8]: [HandoffPattern]] = {
        var out: [[UInt8]: [HandoffPattern]] = [:]
        for pattern in table {
            if case .name(let name)? = pattern.elements.first { out[name, default: []].append(pattern) }
        }
        return out
    }()

    private static let others = table.filter { pattern in
        if case .name? = pattern.elements.first { false } else { true }
    }

    private static let table: [HandoffPattern] =
        classes.flatMap { handoff, texts in texts.map { HandoffPattern(handoff, $0) } }
        + siteFiles.map { HandoffPattern(.packageStartup, $0, countsInDependencies: true) }

    /// Run by every Python that has the directory on its path.
    ///
    /// Other `.pth` files hold the weights of models.
    private static let siteFiles = [
        "sitecustomize.py", "usercustomize.py", "site-packages/*.pth", "dist-packages/*.pth",
    ]

    // Names are in lower case here, since they are compared folded.
    private static let classes: [(HandoffClass, [String])] = [
        (.gitHooks, [".husky/**", ".githooks/**"]),
        (
            .ciWorkflows,
            [
                ".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".circleci/**", "jenkinsfile",
                "azure-pipelines.yml", ".azure-pipelines/**", ".travis.yml", ".drone.yml", "bitbucket-pipelines.yml",
                ".buildkite/**", ".woodpecker*", ".woodpecker/**", ".forgejo/workflows/**", ".gitea/workflows/**",
                "appveyor.yml", ".appveyor.yml", ".cirrus.yml", ".teamcity/**", ".semaphore/**", ".builds/**",
                ".build.yml", "cloudbuild.yaml", "buildspec.yml",
            ]
        ),
        (
            .agentConfig,
            [
                ".claude/**", ".claude.json", ".codex/**", ".cursor/**", ".mcp.json", ".vscode/mcp.json", ".gemini/**",
                ".aider.conf*", ".aider.model*", ".continue/**", ".windsurf/**", ".roo/**", ".roomodes", ".kiro/**",
                ".amazonq/**", ".opencode/**", "opencode.json", ".junie/**", ".trae/**", ".agent/**", ".agents/**",
                ".github/agents/**", ".github/hooks/**",
            ]
        ),
        (
            .agentInstructions,
            [
                "agents.md", "agents.override.md", "claude.md", "claude.local.md", "gemini.md", ".cursorrules",
                ".windsurfrules", ".clinerules", ".clinerules/**", ".github/copilot-instructions.md",
                ".github/instructions/**", ".github/prompts/**",
            ]
        ),
        (
            .editorConfig,
            [
                ".vscode/settings.json", ".vscode/tasks.json", ".vscode/launch.json", ".vscode/extensions.json",
                "*.code-workspace", "*.sublime-project", ".idea/**", ".zed/**", ".fleet/**", ".devcontainer/**",
                "devcontainer.json", ".devcontainer.json", ".vimrc", "_vimrc", ".gvimrc", ".lvimrc", ".nvimrc",
                ".nvim.lua", ".exrc", ".vim/**", ".config/nvim/**", ".dir-locals.el", ".dir-locals-2.el", ".emacs",
                ".emacs.d/**",
            ]
        ),
        (
            .shellStartup,
            [
                ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".zshenv",
                ".zshrc", ".zprofile", ".zlogin", ".zlogout", ".login", ".cshrc", ".tcshrc", ".kshrc", ".inputrc",
                ".envrc", ".direnvrc", ".xprofile", ".xinitrc", ".xsession", ".xsessionrc", ".tmux.conf", ".screenrc",
                ".gdbinit", ".lldbinit", ".pam_environment", ".config/fish/**", ".config/git/**",
                ".config/autostart/**", ".config/systemd/**", ".config/environment.d/**", ".config/direnv/**",
                ".ssh/**", "mise.toml", ".mise.toml",
            ]
        ),
        (
            .packageStartup,
            [
                ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn/releases/**", ".yarn/plugins/**", ".pnpmfile.cjs",
                ".pnpmfile.mjs", "pnpmfile.js", ".pypirc", "pip.conf", ".config/pip/**", ".condarc", "bunfig.toml",
                ".cargo/config", ".cargo/config.toml", "rust-toolchain", "rust-toolchain.toml", ".gradle/init.d/**",
                ".gradle/init.gradle", "gradle-wrapper.properties", "gradle-wrapper.jar", ".mvn/**",
                ".m2/settings.xml", ".bundle/config", ".gemrc", "nuget.config",
            ]
        ),
        (
            .buildScripts,
            [
                "makefile", "gnumakefile", "conftest.py", "noxfile.py", "setup.py", "build.rs", "cmakelists.txt",
                "rakefile", "justfile", ".justfile", "taskfile.yml", "taskfile.yaml", "dockerfile", "containerfile",
                ".pre-commit-config.yaml", "lefthook.yml", "package.json",
            ]
        ),
    ]
}
