import JailGates
import JailModel
import JailTestSupport
import Testing

private func added(_ path: ByteString, _ kind: ObjectKind = .file) -> ChangedPath {
    let state = ObjectState(kind: kind, mode: 0o644, uid: 0, gid: 0, modified: 0)
    return ChangedPath(path: path, kind: kind == .link ? .symlink : .added, before: nil, after: state)
}

@Suite("Trust hand-off: change sets")
struct HandoffChangeSetTests {
    private func nested(_ paths: [ByteString], existing: Set<ByteString> = []) -> [ByteString] {
        TrustHandoffRules.nestedRepositories(in: paths.map { added($0) }) { existing.contains($0) }.map(\.path)
    }

    @Test("a directory with the parts of a repository is one")
    func bare() {
        #expect(nested(["a/HEAD", "a/objects/x", "a/refs/heads/main"]) == ["a"])
        #expect(nested(["a/HEAD", "a/objects", "a/refs"]) == ["a"])
        #expect(nested(["HEAD", "objects/x", "refs/x"]) == [""])
        #expect(nested(["a/head", "a/Objects/x", "a/REFS/x"]) == ["a"])
        #expect(nested(["a/HEAD", "a/commondir"]) == ["a"])
        #expect(nested(["a/HEAD", "b/objects/x", "a/refs/x"]) == [])
        #expect(nested(["HEAD", "src/objects.c"]) == [])
        #expect(nested(["HEAD/x", "objects/x", "refs/x"]) == [])
    }

    @Test("what was there before counts as a part, too")
    func oldParts() {
        #expect(nested(["a/HEAD"], existing: ["a/objects", "a/refs"]) == ["a"])
        #expect(nested(["refs/x"], existing: ["HEAD", "objects"]) == [""])
        #expect(nested(["a/HEAD"], existing: ["a/objects"]) == [])
    }

    @Test("a new .git below the top, as directory and as content")
    func nestedGit() {
        #expect(nested(["a/.git/HEAD", "a/.git/objects/x", "a/.git/refs/x"]) == ["a/.git"])
        #expect(nested([".git/HEAD", ".git/objects/x", ".git/refs/x"]) == [])
        #expect(nested([".git/modules/a/HEAD", ".git/modules/a/objects/x", ".git/modules/a/refs/x"]) == [])
        #expect(nested(["a/.git/index", "a/.git/refs/heads/main"]) == [])
    }

    @Test("a whole change set: sorted, renames from both ends, directories by themselves, content on demand")
    func whole() {
        var renamed = added(".git/hooks/new")
        renamed.kind = .renamed
        renamed.from = ".git/hooks/old"
        let changes = [
            added("src/a.c"), added("sub", .directory), added("sub/.git", .directory), added("sub/.git/HEAD"), renamed,
            added(".vscode", .directory), added(".vscode/tasks.json"), added(".git/config"), added("Makefile"),
            added("dockerfile", .directory), added(".claude", .link),
        ]
        var asked: [ByteString] = []
        let found = TrustHandoffRules.findings(in: changes, hooksPaths: [], exists: { _ in false }) { change in
            asked.append(change.path)
            return (nil, Array("[core]\npager=x\n[user]\nname=y\n".utf8))
        }
        #expect(asked == [".git/config"])
        #expect(
            found.map { "\($0.path) \($0.handoff.rawValue)" } == [
                ".claude agent_config", ".git/config git_config", ".git/hooks/new git_hooks",
                ".git/hooks/old git_hooks", ".vscode/tasks.json editor_config", "Makefile build_scripts",
                "sub/.git nested_git",
            ])
    }

    @Test("100,000 ordinary paths are judged in seconds, not minutes")
    func many() {
        let changes = (0..<100_000).map { added(ByteString("src/module\($0 % 1000)/deep/er/file\($0).swift")) }
        let clock = ContinuousClock()
        let time = clock.measure {
            let found = TrustHandoffRules.findings(in: changes, hooksPaths: [".husky/_"], exists: { _ in false }) { _ in
                (nil, nil)
            }
            #expect(found.isEmpty)
        }
        #expect(time < .seconds(30))
    }
}

@Suite("Trust hand-off: the gate")
struct HandoffGateTests {
    private func judged(_ found: [TrustHandoff], allowed: [HandoffClass] = []) throws -> (GateVerdict, Verdict) {
        let record = StepRecord.good().with {
            $0.handoffs = found
            $0.allowedHandoffs = allowed
        }
        let verdicts = Gates.judge(record)
        return (try #require(verdicts.first { $0.gate == .hermeticPaths }), Gates.decide(record, verdicts))
    }

    private func finding(_ handoff: HandoffClass, _ path: ByteString = "x") -> TrustHandoff {
        TrustHandoff(path: path, handoff: handoff, reason: "does it")
    }

    @Test(
        "a violation, or a warning for what only warns; none when the policy allows it",
        arguments: HandoffClass.allCases)
    func classes(handoff: HandoffClass) throws {
        let (verdict, exit) = try judged([finding(handoff)])
        #expect(verdict.status == (handoff.isBlocking ? .fail : .pass))
        #expect(exit == (handoff.isBlocking ? .violation : .pass))
        let issue = try #require(verdict.issues.first)
        #expect(issue.code == .trustHandoff)
        #expect(issue.severity == (handoff.isBlocking ? .blocker : .warn))
        #expect(issue.message.hasPrefix("x does it;") && issue.message.hasSuffix("(\(handoff.rawValue))"))
        #expect(issue.suggestedFix == "workspace: {handoff: [\(handoff.rawValue)]}")
        let (allowed, other) = try judged([finding(handoff)], allowed: [handoff])
        #expect(allowed.status == .pass && other == .pass && allowed.issues.isEmpty)
        #expect(allowed.evidence.contains("workspace.handoff allows \(handoff.rawValue): 1 found"))
    }

    @Test("a word allows its own class only, and the remedy keeps what is allowed already")
    func remedy() throws {
        let (verdict, _) = try judged([finding(.gitHooks), finding(.ciWorkflows)], allowed: [.ciWorkflows])
        #expect(verdict.issues.map(\.suggestedFix) == ["workspace: {handoff: [git_hooks, ci_workflows]}"])
    }

    @Test("many are counted, and a name cannot steer a terminal")
    func hostile() throws {
        let (verdict, _) = try judged((0..<60).map { finding(.shellStartup, ByteString("\u{1b}[2J\($0)\u{202e}")) })
        #expect(verdict.issues.count == 51)
        #expect(verdict.issues.last?.message.hasPrefix("10 more changes") == true)
        for issue in verdict.issues {
            #expect(issue.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e })
        }
    }
}
