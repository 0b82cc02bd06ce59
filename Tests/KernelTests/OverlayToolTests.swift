import Glibc
import RunSupport
import Testing

/// Real programs on the overlay, and several runs on one workspace.
@Suite("Overlay: tools and several runs")
struct OverlayToolTests {
    // MARK: tools

    @Test(
        "git: init, commit, checkout of a branch, gc; the repository is whole after the commit",
        arguments: Layer.allCases)
    func git(_ layer: Layer) throws {
        let stage = try Stage()
        let git = try #require(Environment.program("git"))
        func outside(_ words: [String]) throws -> ProcessResult {
            try execute(
                ProcessRequest(
                    [git] + words, environment: ["HOME": stage.home, "PATH": "/usr/bin:/bin"],
                    directory: stage.workspace))
        }
        for number in 1...40 { try stage.file("src/d\(number % 4)/f\(number)", "\(number)\n") }
        #expect(try outside(["init", "-q"]).code == 0)
        let script = """
            set -e; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
            git add -A; git commit -q -m one; git checkout -q -b other; git mv src/d0/f4 named; mv src/d1 moved; echo x > src/d2/new
            git add -A; git commit -q -m two; git checkout -q -; git checkout -q other; git gc -q; git status --porcelain
            """
        let policy = Policies.overlay(
            workspace: ["protect: [\".git/hooks\", \".git/config\"]"], budgets: [layer.budget])
        let result = try stage.step(script, policy)
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        #expect(result.process.out.isEmpty, "\(result.process.out)")
        #expect(try outside(["fsck", "--strict"]).code == 0)
        let status = try outside(["status", "--porcelain"])
        #expect(status.code == 0 && status.out.isEmpty, "\(status.out)\(status.err)")
        #expect(try outside(["log", "--format=%s"]).out == "two\none\n")
        #expect(Files.exists(stage.work("moved/f1")) && !Files.exists(stage.work("src/d1")))
    }

    @Test("nothing but the change is left in a repository: git status is clean of place holders")
    func noStubs() throws {
        let stage = try Stage()
        let git = try #require(Environment.program("git"))
        try stage.file("file")
        #expect(
            try execute(
                ProcessRequest([git, "init", "-q"], environment: ["HOME": stage.home], directory: stage.workspace)
            )
            .code == 0)
        let policy = Policies.overlay(
            workspace: ["protect: [\".github/workflows\", \"a/b/c\", \"x.yaml\"]", "scratch: [\"out/cache\"]"])
        let result = try stage.step("echo y > new; echo z > out/cache/t; mkfifo /tmp/p", policy)
        #expect(result.code == 0, "\(result.account)")
        let status = try execute(
            ProcessRequest(
                [git, "status", "--porcelain", "-uall"], environment: ["HOME": stage.home], directory: stage.workspace))
        #expect(status.out == "?? file\n?? new\n", "\(status.out)\(status.err)")
        #expect(try Files.list(stage.workspace) == [".git", "file", "new"])
        #expect(!(try Files.text("/proc/self/mounts").contains(stage.workspace)))
    }

    @Test("sqlite with a write-ahead log, a mapped file, locks", arguments: Layer.allCases)
    func database(_ layer: Layer) throws {
        let stage = try Stage()
        let make = """
            import sqlite3
            d = sqlite3.connect("old.db"); d.execute("create table t(x)"); d.executemany("insert into t values(?)", [(i,) for i in range(500)])
            d.commit(); d.close(); open("mapped", "wb").write(bytes(8192))
            """
        _ = try stage.python(make)
        let work = """
            import fcntl, mmap, sqlite3
            for name in "old.db", "new.db":
                d = sqlite3.connect(name)
                assert d.execute("pragma journal_mode=wal").fetchone()[0] == "wal"
                d.execute("create table if not exists t(x)")
                reader = sqlite3.connect(name)
                for i in range(20):
                    d.execute("insert into t values(?)", (-i,)); d.commit()
                    reader.execute("select count(*) from t").fetchone()
                reader.close(); d.close()
            with open("mapped", "r+b") as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                m = mmap.mmap(f.fileno(), 0); m[5000:5005] = b"mmap!"; m.flush(); m.close()
            """
        let result = try stage.launch(
            JailRun(["/usr/bin/python3", "-c", work], policy: Policies.overlay(budgets: [layer.budget])))
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        let look = """
            import sqlite3
            for n in "old.db", "new.db":
                d = sqlite3.connect(n)
                print(d.execute("select count(*) from t").fetchone()[0], d.execute("pragma integrity_check").fetchone()[0])
            print(open("mapped", "rb").read()[5000:5005])
            """
        #expect(try stage.python(look) == "520 ok\n20 ok\nb'mmap!'\n")
    }

    @Test("a path of 5,000 characters, and directories that their owner may not write", arguments: Layer.allCases)
    func oddTrees(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("closed/file")
        #expect(chmod(stage.work("closed"), 0o555) == 0)
        defer { chmod(stage.work("closed"), 0o755) }
        let before = try stage.python(Self.census)
        let work = """
            import os
            os.chmod("closed", 0o755); open("closed/new", "w").write("x"); os.chmod("closed", 0o555)
            open("closed/file", "a").write("more")
            for i in range(25): os.mkdir("d" * 200); os.chdir("d" * 200)
            open("end", "w").write("x")
            """
        let result = try stage.launch(
            JailRun(["/usr/bin/python3", "-c", work], policy: Policies.overlay(budgets: [layer.budget])))
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        #expect(try stage.python(Self.census) == "26 ['end'] ['file', 'new'] 0o40555 original\nmore\n")
        let undone = try stage.decide("rollback", result)
        #expect(undone.code == 0, "\(undone.out)\(undone.err)")
        #expect(try stage.python(Self.census) == before)
    }

    /// How deep the tree of long names is, what lies at its end, and the closed directory.
    private static let census = """
        import os
        closed = sorted(os.listdir("closed")), oct(os.stat("closed").st_mode), open("closed/file").read()
        depth = 1
        while os.path.isdir("d" * 200): os.chdir("d" * 200); depth += 1
        print(depth, sorted(os.listdir(".")), *closed)
        """

    // MARK: several runs

    @Test("two runs at once: the second one is refused with the name of the first")
    func twoAtOnce() throws {
        let stage = try Stage()
        var run = JailRun(
            ["/bin/sh", "-c", "echo mine > file; echo ready; read go; exit 0"], policy: Policies.overlay())
        let pipe = try Pipe()
        run.stdin = .descriptor(pipe.readEnd)
        let process = try RunningProcess(try stage.request(run))
        close(pipe.readEnd)
        try process.wait(forOutput: "ready")
        let second = try stage.step("echo other > file", Policies.overlay(), name: "second")
        #expect(second.code == 2, "\(second.account)")
        close(pipe.writeEnd)
        let first = try stage.result(run, process.finish())
        #expect(first.code == 0 && first.state == "committed", "\(first.account)")
        let id = try #require(first.report?["run_id"].text)
        #expect(second.process.err.contains(id), "\(second.process.err)")
        #expect(try Files.text(stage.work("file")) == "mine\n")
    }

    @Test("steps of one run directory are one transaction", arguments: Layer.allCases)
    func transaction(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("a.txt")
        let before = try stage.describe()
        let policy = Policies.overlay(budgets: [layer.budget])
        let keep = ["--on-pass", "keep"]
        let one = try stage.step("echo one > a.txt; mkdir d; echo 1 > d/1", policy, options: keep)
        #expect(one.state == "pending", "\(one.account)")
        let two = try stage.step("cat a.txt d/1; echo two >> a.txt; rm d/1; echo 2 > d/2", policy, options: keep)
        #expect(two.process.out == "one\n1\n", "\(two.account)")
        #expect(two.state == "pending", "\(two.account)")
        #expect(before == (try stage.describe()))
        let three = try stage.step("cat a.txt; ls d; echo 3 > d/3", policy)
        #expect(three.process.out == "one\ntwo\n2\n", "\(three.account)")
        #expect(three.state == "committed", "\(three.account)")
        #expect(three.changed == ["a.txt", "d/2", "d/3"])
        #expect(try Files.text(stage.work("a.txt")) == "one\ntwo\n")
        #expect(try Files.list(stage.work("d")) == ["2", "3"])
        #expect(try stage.decide("rollback", three).code == 0)
        #expect(before == (try stage.describe()))
    }

    @Test("attempts at the same step of a run directory are counted")
    func attempts() throws {
        let stage = try Stage()
        let policy = Policies.overlay(workspace: ["on_fail: keep"], budgets: ["max_patch_attempts: 2"])
        let script = "echo x >> file; exit 1"
        #expect(try stage.step(script, policy).code == 1)
        #expect(try stage.step("exit 0; true", policy, options: ["--on-pass", "keep"]).code == 0)
        #expect(try stage.step(script, policy).code == 1)
        let third = try stage.step(script, policy)
        #expect(third.code == 3, "\(third.account)")
        #expect(!Files.exists(stage.work("file")))
    }

    @Test("several steps share one budget of writes")
    func writesOfSteps() throws {
        let stage = try Stage()
        let policy = Policies.overlay(workspace: ["on_pass: keep"], budgets: ["max_file_writes: 4"])
        #expect(try stage.step("echo 1 > a; echo 1 > b", policy).code == 0)
        #expect(try stage.step("echo 2 > a; echo 2 > b; true", policy).code == 0)
        let more = try stage.step("echo 3 > a", policy)
        #expect(more.code == 3 && more.issueCodes.contains("BUDGET_EXCEEDED_FILE_WRITES"), "\(more.account)")
        #expect(try Files.list(stage.workspace).isEmpty)
    }

    // MARK: sudden ends

    @Test("a signal to launch-jail publishes nothing", arguments: [SIGINT, SIGTERM])
    func interrupted(_ number: Int32) throws {
        let stage = try Stage()
        try stage.file("a.txt")
        let before = try stage.describe()
        let run = JailRun(["/bin/sh", "-c", "echo x > a.txt; echo ready; exec sleep 38"], policy: Policies.overlay())
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: "ready")
        process.send(number)
        let result = try stage.result(run, process.finish())
        #expect(result.code == 5 && result.issueCodes.contains("RUN_INTERRUPTED"), "\(result.account)")
        #expect(result.state == "pending", "\(result.account)")
        #expect(before == (try stage.describe()))
        #expect(try stage.decide("commit", result).code == 3)
        #expect(try stage.decide("discard", result).code == 0)
        #expect(before == (try stage.describe()))
    }

    @Test("a killed launch-jail: interrupted, nothing published, commit only by force")
    func killed() throws {
        let stage = try Stage()
        try stage.file("a.txt")
        let before = try stage.describe()
        var run = JailRun(
            ["/bin/sh", "-c", "echo x > a.txt; echo ready; exec sleep 38"],
            policy: Policies.overlay(budgets: [Layer.disk.budget]))
        run.runName = "launch-jail/runs/killed"
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: "ready")
        process.send(SIGKILL)
        let end = process.finish()
        #expect(end.end == .signaled(SIGKILL))
        #expect(before == (try stage.describe()))
        let directory = stage.runDirectory(run)
        let list = try stage.tool(["runs"])
        #expect(list.out.contains("interrupted"), "\(list.out)\(list.err)")
        let refused = try stage.tool(["commit", directory])
        #expect(refused.code == 3, "\(refused.out)\(refused.err)")
        #expect(before == (try stage.describe()))
        // The workspace is free again, at the latest when the kernel has taken the killed jail down.
        let next = try stage.step("echo y > b.txt", Policies.overlay(), name: "next")
        #expect(next.code == 0, "\(next.account)")
        let forced = try stage.tool(["commit", directory, "--force"])
        #expect(forced.code == 0, "\(forced.out)\(forced.err)")
        #expect(try Files.text(stage.work("a.txt")) == "x\n")
    }

    @Test("a run directory whose changes are decided is not used again")
    func decidedDirectory() throws {
        let stage = try Stage()
        try stage.file("a.txt")
        let before = try stage.describe()
        let kept = try stage.step("echo x > a.txt", Policies.overlay(), options: ["--on-pass", "keep"])
        #expect(kept.state == "pending")
        #expect(try stage.decide("discard", kept).code == 0)
        let again = try stage.step("echo y > a.txt", Policies.overlay())
        #expect(again.code == 2, "\(again.account)")
        #expect(before == (try stage.describe()))
    }
}
