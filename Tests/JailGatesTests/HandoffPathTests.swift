import JailGates
import JailModel
import Testing

/// The classes that a change of one path belongs to, as policy words.
func handoffs(
    _ path: ByteString, _ kind: ChangeKind = .added, before: String? = nil, after: String? = nil,
    hooksPaths: [ByteString] = []
) -> [String] {
    TrustHandoffRules.findings(
        path: path, kind: kind, before: before.map { Array($0.utf8) }, after: after.map { Array($0.utf8) },
        hooksPaths: hooksPaths
    ).map(\.handoff.rawValue)
}

@Suite("Trust hand-off: paths")
struct HandoffPathTests {
    static let found: [(String, HandoffClass)] = [
        (".git/hooks/pre-commit", .gitHooks), (".git/hooks/lib/helper.sh", .gitHooks),
        ("sub/repo/.git/hooks/post-checkout", .gitHooks), (".git/modules/lib/hooks/post-merge", .gitHooks),
        (".git/modules/deep/er/hooks/post-merge", .gitHooks), (".husky/pre-commit", .gitHooks),
        (".husky/_/husky.sh", .gitHooks), (".githooks/commit-msg", .gitHooks), ("pkg/.githooks/commit-msg", .gitHooks),
        (".git/commondir", .gitConfig), (".git/modules/lib/commondir", .gitConfig),
        (".git/info/attributes", .gitAttributes), (".git/modules/lib/info/attributes", .gitAttributes),
        ("sub/.git", .nestedGit), ("a/b/c/.git", .nestedGit), (".GIT", .nestedGit), (".git\u{200c}", .nestedGit),
        ("git~1", .nestedGit), (".git ", .nestedGit), (".git::$INDEX_ALLOCATION", .nestedGit),
        (".github/workflows/ci.yml", .ciWorkflows), ("project/.github/workflows/ci.yml", .ciWorkflows),
        (".github/actions/setup/action.yml", .ciWorkflows), (".gitlab-ci.yml", .ciWorkflows),
        (".circleci/config.yml", .ciWorkflows), ("Jenkinsfile", .ciWorkflows), ("azure-pipelines.yml", .ciWorkflows),
        (".travis.yml", .ciWorkflows), (".drone.yml", .ciWorkflows), ("bitbucket-pipelines.yml", .ciWorkflows),
        (".buildkite/pipeline.yml", .ciWorkflows), (".woodpecker.yml", .ciWorkflows),
        (".woodpecker/test.yaml", .ciWorkflows), (".claude/settings.json", .agentConfig),
        (".claude/commands/x.md", .agentConfig), (".codex/config.toml", .agentConfig),
        (".cursor/mcp.json", .agentConfig), (".mcp.json", .agentConfig), (".gemini/settings.json", .agentConfig),
        (".aider.conf.yml", .agentConfig), (".continue/config.yaml", .agentConfig),
        (".windsurf/hooks.json", .agentConfig), (".vscode/mcp.json", .agentConfig),
        ("AGENTS.md", .agentInstructions), ("docs/CLAUDE.md", .agentInstructions),
        (".cursorrules", .agentInstructions), (".github/copilot-instructions.md", .agentInstructions),
        (".vscode/settings.json", .editorConfig), (".vscode/tasks.json", .editorConfig),
        ("app/.vscode/launch.json", .editorConfig), (".vscode/extensions.json", .editorConfig),
        ("all.code-workspace", .editorConfig), (".idea/runConfigurations/Run.xml", .editorConfig),
        (".devcontainer/Dockerfile", .editorConfig), ("devcontainer.json", .editorConfig), (".vimrc", .editorConfig),
        (".nvimrc", .editorConfig), (".exrc", .editorConfig), ("src/.dir-locals.el", .editorConfig),
        (".bashrc", .shellStartup), (".bash_profile", .shellStartup), (".profile", .shellStartup),
        (".zshenv", .shellStartup), (".zshrc", .shellStartup), (".zprofile", .shellStartup),
        (".inputrc", .shellStartup), (".envrc", .shellStartup), (".direnvrc", .shellStartup),
        (".config/fish/conf.d/x.fish", .shellStartup), (".ssh/authorized_keys", .shellStartup),
        (".config/git/config", .shellStartup), (".config/autostart/x.desktop", .shellStartup),
        (".config/systemd/user/x.service", .shellStartup), (".npmrc", .packageStartup), (".yarnrc", .packageStartup),
        (".yarnrc.yml", .packageStartup), (".pnpmfile.cjs", .packageStartup), (".pypirc", .packageStartup),
        ("pip.conf", .packageStartup), (".cargo/config", .packageStartup), (".cargo/config.toml", .packageStartup),
        (".gradle/init.d/x.gradle", .packageStartup), ("gradle/wrapper/gradle-wrapper.properties", .packageStartup),
        ("sitecustomize.py", .packageStartup), ("venv/lib/python3.11/site-packages/x.pth", .packageStartup),
        ("venv/lib/python3.11/site-packages/usercustomize.py", .packageStartup), (".bundle/config", .packageStartup),
        (".condarc", .packageStartup), ("Makefile", .buildScripts), ("sub/GNUmakefile", .buildScripts),
        ("tests/conftest.py", .buildScripts), ("setup.py", .buildScripts), ("build.rs", .buildScripts),
        ("CMakeLists.txt", .buildScripts), ("Rakefile", .buildScripts), ("justfile", .buildScripts),
        ("Taskfile.yml", .buildScripts), ("docker/Dockerfile", .buildScripts),
        // Other spellings that some file system opens under the dangerous name.
        (".Git/Hooks/pre-commit", .gitHooks), (".g\u{200d}it/hooks/pre-commit", .gitHooks),
        ("GIT~1/hooks/pre-commit", .gitHooks), ("gi7d29~1/hooks/pre-commit", .gitHooks),
        (".git./hooks/pre-commit", .gitHooks), (".hus\u{212a}y/pre-commit", .gitHooks),
        (".GITHUB/Workflows/ci.yml", .ciWorkflows), ("GITHUB~1/WORKFL~1/ci.yml", .ciWorkflows),
        (".v\u{17f}code/ta\u{17f}ks.json", .editorConfig), (".vscode/settin~1.jso", .editorConfig),
        (".con\u{fb01}g/fish/x", .shellStartup),
    ]

    @Test("what something outside reads or runs", arguments: found)
    func isFound(path: String, handoff: HandoffClass) {
        let classes = handoffs(ByteString(path))
        #expect(classes.contains(handoff.rawValue), "\(classes)")
    }

    static let notFound: [String] = [
        "src/git_config.py", "docs/.github-workflows.md", ".github/CODEOWNERS", ".github/dependabot.yml", "README.md",
        ".git/HEAD", ".git/index", ".git/objects/ab/cdef", ".git/refs/heads/config", ".git/refs/heads/hooks/x",
        ".git/logs/HEAD", ".git/COMMIT_EDITMSG", ".git/info/exclude", ".git/hooks/pre-commit.sample", ".git",
        ".git/worktrees/x/gitdir", ".git/worktrees/x/HEAD", ".git/modules/lib/HEAD", ".gitignore", ".gitkeep",
        "git/config", "hooks/pre-commit", "git", "gitx~1", "src/hooks/useState.ts", ".vscode/readme.md",
        ".vscodeignore", "vscode/settings.json", "idea/x", "claude/settings.json", "src/agents.mdx", ".cargo/bin/x",
        "cargo/config.toml", "models/resnet.pth", "x.pth", "config", "src/config", ".config/app/settings.ini",
        "ssh/config", "Makefile.am.in", "src/makefile_parser.py", "setup.cfg", "my_setup.py", "build.rs.txt",
        "jenkinsfile-docs/x.md", ".travis/x", "profile", "src/.profile.d/x", ".aider.chat.history.md",
        ".editorconfig", "node_modules/left-pad/.travis.yml", "node_modules/x/.github/workflows/ci.yml",
        "node_modules/x/Makefile", "venv/lib/python3.11/site-packages/x/conftest.py", "dir~1/file", "a~b/c", "~",
        ".gitmodulesx", "..git/hooks/x", "\u{202e}", "",
    ]

    @Test("what only looks like it", arguments: notFound)
    func isNotFound(path: String) {
        #expect(handoffs(ByteString(path)) == [])
    }

    @Test("bytes that are no text are compared as bytes, and hide nothing")
    func noText() throws {
        let below = try #require(ByteString(Array(".git/hooks/".utf8) + [0xff, 0xfe]))
        #expect(handoffs(below) == ["git_hooks"])
        let other = try #require(ByteString([0x2e, 0x67, 0x69, 0x74, 0xff] + Array("/hooks/x".utf8)))
        #expect(handoffs(other) == [])
    }

    @Test("what core.hooksPath names is a directory of hooks, wherever it is")
    func hooksPath() {
        #expect(handoffs("tools/hooks/pre-push", hooksPaths: ["tools/hooks"]) == ["git_hooks"])
        #expect(handoffs("Tools/HOOKS/pre-push", hooksPaths: ["tools/hooks"]) == ["git_hooks"])
        #expect(handoffs("tools", .symlink, hooksPaths: ["tools/hooks"]) == ["git_hooks"])
        #expect(handoffs("tools/hooks2/pre-push", hooksPaths: ["tools/hooks"]) == [])
        #expect(handoffs("tools", hooksPaths: ["tools/hooks"]) == [])
        #expect(handoffs("pre-push", hooksPaths: [""]) == ["git_hooks"])
        #expect(handoffs("src/a.c", hooksPaths: [""]) == [])
    }

    @Test("hooks paths are resolved from the top of the work tree")
    func resolvedHooksPaths() {
        func paths(_ value: String) -> [ByteString] {
            TrustHandoffRules.hooksPaths(
                config: Array("[core]\n\thooksPath = \(value)\n".utf8), workspace: "/home/dev/project")
        }
        #expect(paths(".husky/_") == [".husky/_"])
        #expect(paths("./a/../b/") == ["b"])
        #expect(paths("/home/dev/project/tools") == ["tools"])
        #expect(paths("/home/dev/projects/tools") == [])
        #expect(paths("../other") == [])
        #expect(paths("../project/x") == ["x"])
        #expect(paths(".") == [""])
        #expect(paths("/../../etc") == [])
        #expect(TrustHandoffRules.hooksPaths(config: Array("[core]".utf8), workspace: "/w") == [])
    }

    @Test(
        "a deletion counts where the file protected something, a change of mode where something is started",
        arguments: [
            (".git/hooks/pre-commit", true, true), (".husky/pre-commit", true, true),
            (".github/workflows/ci.yml", true, false), (".claude/settings.json", true, false),
            (".git/info/attributes", false, false), (".vscode/tasks.json", false, false), (".bashrc", false, false),
            ("Makefile", false, false), ("AGENTS.md", false, false), ("sub/.git", false, false),
            (".git/config", false, false), (".npmrc", false, false), (".gitattributes", false, false),
        ])
    func kinds(path: String, deleted: Bool, mode: Bool) {
        #expect(handoffs(ByteString(path), .deleted).isEmpty != deleted)
        #expect(handoffs(ByteString(path), .mode).isEmpty != mode)
    }

    @Test(
        "a link in the place of a directory above leads elsewhere",
        arguments: [
            (".vscode", "editor_config"), (".claude", "agent_config"), (".github", "ci_workflows"),
            (".config", "shell_startup"), (".git", "git_config"), (".git/hooks", "git_hooks"),
            (".git/modules", "git_config"), (".git/info", "git_attributes"), ("sub/.git", "nested_git"),
            (".git/config", "git_config"), (".gitmodules", "git_config"), (".gitattributes", "git_attributes"),
        ])
    func links(path: String, handoff: String) {
        for kind in [ChangeKind.symlink, .type] {
            #expect(handoffs(ByteString(path), kind).contains(handoff))
        }
        #expect(handoffs("src", .symlink) == [])
    }

    @Test("the same content again is no change")
    func unchanged() {
        #expect(handoffs(".vimrc", .modified, before: "x", after: "x") == [])
        #expect(handoffs(".vimrc", .modified, before: "x", after: "y") == ["editor_config"])
        #expect(handoffs(".vimrc", .modified) == ["editor_config"])
    }

    @Test("the two kinds of files that people read before they run them only warn")
    func blocking() {
        #expect(HandoffClass.allCases.filter { !$0.isBlocking } == [.agentInstructions, .buildScripts])
    }
}
