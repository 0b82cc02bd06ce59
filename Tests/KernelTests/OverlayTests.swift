import Glibc
import RunSupport
import Testing

/// Writes are a transaction: what becomes of the changes of a step, by the verdict and by a person.
@Suite("Overlay workspace")
struct OverlayTests {
    // MARK: before the verdict

    @Test("nothing reaches the real tree before the verdict", arguments: Layer.allCases)
    func isolated(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("old.txt")
        try stage.file("tree/deep/file")
        let before = try stage.describe()
        let script = """
            echo changed > old.txt; rm -rf tree; mkdir new; echo made > new/file; ln -s old.txt link; echo done
            read go; exit 0
            """
        var run = JailRun(["/bin/sh", "-c", script], policy: Policies.overlay(budgets: [layer.budget]))
        let pipe = try Pipe()
        run.stdin = .descriptor(pipe.readEnd)
        let process = try RunningProcess(try stage.request(run))
        close(pipe.readEnd)
        try process.wait(forOutput: "done")
        #expect(before == (try stage.describe()))
        close(pipe.writeEnd)
        let result = try stage.result(run, process.finish())
        #expect(result.code == 0, "\(result.account)")
        #expect(result.state == "committed")
        #expect(try Files.text(stage.work("old.txt")) == "changed\n")
        #expect(try Files.text(stage.work("new/file")) == "made\n")
        #expect(try Files.list(stage.workspace) == ["link", "new", "old.txt"])
        #expect(result.changed == ["old.txt", "tree/deep/file", "new/file", "link"])
    }

    // MARK: on_pass and on_fail

    struct Fate: Sendable {
        let rule: String
        let exit: Int32
        let state: String
    }

    @Test(
        "on_pass and on_fail",
        arguments: [
            Fate(rule: "on_pass: commit", exit: 0, state: "committed"),
            Fate(rule: "on_pass: keep", exit: 0, state: "pending"),
            Fate(rule: "on_pass: discard", exit: 0, state: "discarded"),
            Fate(rule: "on_fail: commit", exit: 7, state: "committed"),
            Fate(rule: "on_fail: keep", exit: 7, state: "pending"),
            Fate(rule: "on_fail: discard", exit: 7, state: "discarded"),
        ], Layer.allCases)
    func fates(_ fate: Fate, _ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("old.txt")
        let before = try stage.describe()
        let policy = Policies.overlay(workspace: [fate.rule], budgets: [layer.budget])
        let result = try stage.step("echo new > old.txt; echo x > made; exit \(fate.exit)", policy)
        #expect(result.code == (fate.exit == 0 ? 0 : 1), "\(result.account)")
        #expect(result.state == fate.state, "\(result.account)")
        #expect(result.changed == ["old.txt", "made"])
        if fate.state == "committed" {
            #expect(try Files.text(stage.work("old.txt")) == "new\n")
        } else {
            #expect(before == (try stage.describe()))
        }
        let committed = try stage.decide("commit", result)
        let repeated = try stage.decide("commit", result)
        switch fate.state {
        case "discarded":
            #expect(committed.code == 2 && repeated.code == 2, "\(committed.err)")
            #expect(before == (try stage.describe()))
            #expect(try stage.decide("discard", result).code == 0)
            #expect(try stage.decide("rollback", result).code == 2)
        default:
            #expect(committed.code == 0 && repeated.code == 0, "\(committed.err)\(repeated.err)")
            #expect(try Files.text(stage.work("old.txt")) == "new\n")
            #expect(try stage.decide("discard", result).code == 2)
            #expect(try stage.decide("rollback", result).code == 0)
            #expect(before == (try stage.describe()))
            #expect(try stage.decide("rollback", result).code == 0)
            #expect(try stage.decide("commit", result).code == 2)
        }
    }

    @Test("the flags decide over the policy")
    func flags() throws {
        let stage = try Stage()
        let kept = try stage.step("echo x > made", Policies.overlay(), options: ["--on-pass", "keep"])
        #expect(kept.state == "pending", "\(kept.account)")
        #expect(!Files.exists(stage.work("made")))
        #expect(try stage.decide("discard", kept).code == 0)
        #expect(try stage.decide("commit", kept).code == 2)
        let failed = try stage.step(
            "echo x > made; exit 3", Policies.overlay(), options: ["--on-fail", "discard"], name: "run2")
        #expect(failed.state == "discarded", "\(failed.account)")
    }

    @Test("a step that changes nothing has nothing to decide")
    func nothing() throws {
        let stage = try Stage()
        try stage.file("file")
        let before = try stage.describe()
        let result = try stage.step("cat file; echo t > /tmp/t; touch -r file file", Policies.overlay())
        #expect(result.code == 0 && result.state == "none", "\(result.account)")
        #expect(try stage.decide("commit", result).code == 2)
        #expect(before == (try stage.describe()))
    }

    // MARK: conflicts

    @Test(
        "what somebody else changed meanwhile is a conflict: named, and nothing is written", arguments: Layer.allCases)
    func conflict(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("both.txt")
        try stage.file("mine.txt")
        let policy = Policies.overlay(workspace: ["on_pass: keep"], budgets: [layer.budget])
        let result = try stage.step("echo jail > both.txt; echo jail > mine.txt; echo jail > a-new", policy)
        try stage.file("both.txt", "somebody else\n")
        let before = try stage.describe()
        let refused = try stage.decide("commit", result)
        #expect(refused.code == 3, "\(refused.out)\(refused.err)")
        #expect(refused.err.contains("both.txt") && !refused.err.contains("mine.txt"), "\(refused.err)")
        #expect(before == (try stage.describe()))
        let report = try stage.tool(["diff", result.runDirectory, "--json"])
        #expect(try JSON(parsing: report.stdout)["state"].text == "pending", "\(report.err)")
        #expect(try stage.decide("discard", result).code == 0)
    }

    @Test("a new path that somebody else made meanwhile is a conflict")
    func conflictOfNewPath() throws {
        let stage = try Stage()
        let result = try stage.step("echo jail > new.txt", Policies.overlay(workspace: ["on_pass: keep"]))
        try stage.file("new.txt", "somebody else\n")
        let refused = try stage.decide("commit", result)
        #expect(refused.code == 3 && refused.err.contains("new.txt"), "\(refused.out)\(refused.err)")
        #expect(try Files.text(stage.work("new.txt")) == "somebody else\n")
    }

    @Test("a file changed while the step still runs is a conflict, too")
    func conflictWhileRunning() throws {
        let stage = try Stage()
        try stage.file("both.txt")
        var run = JailRun(
            ["/bin/sh", "-c", "echo jail > both.txt; echo x > other; echo done; read go; exit 0"],
            policy: Policies.overlay())
        let pipe = try Pipe()
        run.stdin = .descriptor(pipe.readEnd)
        let process = try RunningProcess(try stage.request(run))
        close(pipe.readEnd)
        try process.wait(forOutput: "done")
        try stage.file("both.txt", "somebody else\n")
        close(pipe.writeEnd)
        let result = try stage.result(run, process.finish())
        #expect(result.code == 3, "\(result.account)")
        #expect(result.issueCodes.contains("WORKSPACE_CONFLICT"), "\(result.account)")
        #expect(result.changes["conflicts"].items.compactMap(\.text) == ["both.txt"])
        #expect(result.state == "pending")
        #expect(try Files.text(stage.work("both.txt")) == "somebody else\n")
        #expect(!Files.exists(stage.work("other")))
    }

    @Test("a rollback after later changes names them and writes nothing")
    func rollbackConflict() throws {
        let stage = try Stage()
        try stage.file("a.txt")
        try stage.file("b.txt")
        let result = try stage.step("echo jail > a.txt; echo jail > b.txt", Policies.overlay())
        #expect(result.state == "committed", "\(result.account)")
        try stage.file("b.txt", "later\n")
        let before = try stage.describe()
        let proof = try stage.decide("rollback", result, ["--verify-only"])
        #expect(proof.code == 3 && (proof.out + proof.err).contains("b.txt"), "\(proof.out)\(proof.err)")
        let refused = try stage.decide("rollback", result)
        #expect(refused.code == 3 && refused.err.contains("b.txt") && !refused.err.contains("a.txt"), "\(refused.err)")
        #expect(before == (try stage.describe()))
    }

    @Test("links that the step plants and links that somebody plants later never lead the commit outside")
    func plantedLinks() throws {
        let stage = try Stage()
        try stage.scratch.file("outside/victim")
        try stage.file("dir/file")
        // The step's own link: what is written through it does not exist in the jail.
        let script = """
            ln -s \(stage.outside) out; echo evil > out/victim; echo evil > out/new
            rm -r dir; ln -s \(stage.outside) dir; echo evil > dir/victim; echo x > fine
            """
        let own = try stage.step(script, Policies.overlay())
        #expect(try Files.text(stage.outside + "/victim") == "original\n", "\(own.account)")
        #expect(try Files.list(stage.outside) == ["victim"])

        let other = try Stage()
        try other.scratch.file("outside/victim")
        try other.file("dir/victim")
        let kept = try other.step(
            "echo evil > dir/victim; echo evil > dir/new", Policies.overlay(workspace: ["on_pass: keep"]))
        #expect(rename(other.work("dir"), other.scratch("moved")) == 0)
        try Files.link(other.outside, at: other.work("dir"))
        #expect(try other.decide("commit", kept).code == 3)
        #expect(try Files.text(other.outside + "/victim") == "original\n")
        #expect(try Files.list(other.outside) == ["victim"])
    }

    // MARK: the patch

    @Test("diff is a patch that git applies to the old tree, and gives the new one")
    func patch() throws {
        let stage = try Stage()
        let git = try #require(Environment.program("git"))
        for number in 1...30 { try stage.file("text\(number)", (1...number).map { "line \($0)\n" }.joined()) }
        try stage.file("no newline", "one\ntwo")
        try stage.file("odd \"name\"\nbreak", "x\n")
        try stage.file("run.sh", "#!/bin/sh\n", mode: 0o644)
        try Files.write(stage.work("binary"), [0, 1, 2, 255, 10, 0])
        let copy = stage.scratch("copy")
        #expect(try execute(ProcessRequest(["/bin/cp", "-a", stage.workspace, copy])).code == 0)
        let script = """
            sed -i 's/line 5/changed/' text1* text2*; rm text3; mv text4 renamed; mkdir d; mv text30 d/moved
            printf 'three' >> 'no newline'; echo new > 'd/new file'; ln -s renamed link; chmod 755 run.sh
            head -c 5000 /dev/urandom > binary; : > empty; printf '\\303\\251\\n' > "$(printf 'caf\\303\\251')"
            for f in odd*; do echo y >> "$f"; done
            """
        let result = try stage.step(script, Policies.overlay())
        #expect(result.state == "committed", "\(result.account)")
        let diff = try stage.decide("diff", result)
        try Files.write(stage.scratch("patch"), diff.stdout)
        let applied = try execute(
            ProcessRequest(
                [git, "apply", stage.scratch("patch")], environment: ["HOME": stage.home, "PATH": "/usr/bin:/bin"],
                directory: copy))
        #expect(applied.code == 0, "\(applied.err)")
        let same = try execute(ProcessRequest(["/usr/bin/diff", "-r", "--no-dereference", copy, stage.workspace]))
        #expect(same.code == 0, "\(same.out)")
        let stat = try stage.decide("diff", result, ["--stat"])
        #expect(stat.code == 0 && stat.out.contains("renamed"), "\(stat.out)")
        let json = try stage.decide("diff", result, ["--json"])
        #expect(try JSON(parsing: json.stdout)["state"].text == "committed")
    }
}
