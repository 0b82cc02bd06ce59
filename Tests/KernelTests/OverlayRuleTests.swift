import Glibc
import RunSupport
import Testing

/// What a step may change, how much of it, and that a step that breaks it changes nothing.
@Suite("Overlay rules and budgets")
struct OverlayRuleTests {
    private func expectViolation(
        _ result: JailResult, _ code: String, _ before: [Substring], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(result.code == 3, "\(result.account)", sourceLocation: sourceLocation)
        #expect(result.issueCodes.contains(code), "\(result.account)", sourceLocation: sourceLocation)
        #expect(result.state != "committed", "\(result.account)", sourceLocation: sourceLocation)
        #expect(before == (try result.stage.describe()), sourceLocation: sourceLocation)
        let commit = try result.stage.decide("commit", result)
        #expect(commit.code == 3 || commit.code == 2, "\(commit.out)\(commit.err)", sourceLocation: sourceLocation)
        #expect(before == (try result.stage.describe()), sourceLocation: sourceLocation)
    }

    // MARK: budgets

    struct Limit: Sendable {
        let budget: String
        let within: String
        let beyond: String
        let code: String
    }

    static let limits = [
        Limit(
            budget: "max_files_changed: 5", within: "for i in 1 2 3 4 5; do echo $i > f$i; done",
            beyond: "for i in 1 2 3 4 5 6; do echo $i > f$i; done", code: "POLICY_CHANGE_BUDGET_EXCEEDED"),
        // A temporary file that is gone at the end does not count, a rename is one, a deletion too.
        Limit(
            budget: "max_files_changed: 3",
            within: "for i in 1 2 3 4 5; do : > t$i; rm t$i; done; rm a; mv b c; echo x > d",
            beyond: "rm a; mv b c; echo x > d; echo y > e", code: "POLICY_CHANGE_BUDGET_EXCEEDED"),
        Limit(
            budget: "max_file_writes: 4", within: "for i in 1 2 3 4; do echo $i > f$i; done; rm a",
            beyond: "for i in 1 2 3 4 5; do echo $i > f$i; done", code: "BUDGET_EXCEEDED_FILE_WRITES"),
        Limit(
            budget: "max_lines_per_file: 100", within: "seq 100 > new; seq 100 > other", beyond: "seq 101 > new",
            code: "POLICY_CHANGE_BUDGET_EXCEEDED"),
        Limit(
            budget: "max_bytes_written: 1MiB",
            within: "head -c 524288 /dev/urandom > x; head -c 524288 /dev/urandom > y",
            beyond: "head -c 524288 /dev/urandom > x; head -c 524289 /dev/urandom > y",
            code: "BUDGET_EXCEEDED_BYTES_WRITTEN"),
    ]

    @Test("exactly the limit of a change budget passes, one more does not", arguments: limits)
    func exact(_ limit: Limit) throws {
        for isBeyond in [false, true] {
            let stage = try Stage()
            try stage.file("a")
            try stage.file("b", "another\n")
            let before = try stage.describe()
            let result = try stage.step(
                isBeyond ? limit.beyond : limit.within, Policies.overlay(budgets: [limit.budget]))
            if isBeyond {
                try expectViolation(result, limit.code, before)
            } else {
                #expect(result.code == 0, "\(result.account)")
                #expect(result.state == "committed")
            }
        }
    }

    @Test("a runaway writer of files is stopped while it runs", arguments: Layer.allCases)
    func runawayFiles(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file("a")
        let before = try stage.describe()
        let script = "import itertools\nfor i in itertools.count(): open('f%d' % i, 'w').close()"
        let policy = Policies.overlay(
            budgets: [layer.budget, "max_files_changed: 100", "max_file_writes: 100", "max_runtime_s: 50"])
        let result = try stage.launch(JailRun(["/usr/bin/python3", "-c", script], policy: policy))
        #expect(
            result.issueCodes.contains("POLICY_CHANGE_BUDGET_EXCEEDED")
                || result.issueCodes.contains("BUDGET_EXCEEDED_FILE_WRITES"), "\(result.account)")
        #expect(result.code == 3 && !result.issueCodes.contains("BUDGET_EXCEEDED_RUNTIME"), "\(result.account)")
        #expect(result.process.seconds < 30, "\(result.account)")
        #expect(before == (try stage.describe()))
    }

    @Test("a runaway writer of bytes is stopped while it runs", arguments: ["16MiB", "300MiB"])
    func runawayBytes(_ size: String) throws {
        let stage = try Stage()
        try stage.file("a")
        let before = try stage.describe()
        let policy = Policies.overlay(budgets: ["max_bytes_written: \(size)", "max_runtime_s: 50"])
        let result = try stage.step(
            "for i in 1 2 3 4 5 6 7 8 9 10; do head -c 1073741824 /dev/zero > big$i; done; exec sleep 60", policy)
        #expect(result.issueCodes.contains("BUDGET_EXCEEDED_BYTES_WRITTEN"), "\(result.account)")
        #expect(result.code == 3 && result.process.seconds < 30, "\(result.account)")
        #expect(before == (try stage.describe()))
    }

    // MARK: paths

    @Test("protected paths stay, those that are not there yet too, and nothing is left in their place")
    func protected() throws {
        let stage = try Stage()
        try stage.file("a/kept.txt")
        let policy = Policies.overlay(workspace: ["protect: [\"a/kept.txt\", \"b/c/absent\", \"absent.yaml\"]"])
        let script = """
            echo evil > a/kept.txt || echo 1
            mkdir -p b/c/absent && echo evil > b/c/absent/file || echo 2
            echo evil > absent.yaml || echo 3
            mv a a2 || echo 4
            rm -rf a/kept.txt || echo 5
            echo fine > a/other.txt && echo 6
            """
        let result = try stage.step(script, policy)
        #expect(result.process.out == "1\n2\n3\n4\n5\n6\n", "\(result.account)")
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        #expect(try Files.text(stage.work("a/kept.txt")) == "original\n")
        #expect(try Files.text(stage.work("a/other.txt")) == "fine\n")
        #expect(result.changed == ["a/other.txt"])
        #expect(try Files.list(stage.workspace) == ["a"], "a place holder was left behind")
    }

    @Test("a pattern of protected names holds at the change set")
    func protectedPattern() throws {
        let stage = try Stage()
        try stage.file("x/config.lock")
        let before = try stage.describe()
        let result = try stage.step(
            "echo fine > ok; echo evil > x/config.lock", Policies.overlay(workspace: ["protect: [\"**/*.lock\"]"]))
        try expectViolation(result, "POLICY_PATH_NOT_ALLOWED", before)
    }

    @Test("a write pattern: inside it passes, outside it nothing is committed at all")
    func writePattern() throws {
        let policy = Policies.overlay(write: "[\"docs/*.md\"]")
        let stage = try Stage()
        try stage.file("docs/a.md")
        try stage.file("docs/code.c")
        try stage.file("README")
        let before = try stage.describe()
        let outside = try stage.step("echo x > docs/b.md; echo x > docs/code.c", policy)
        try expectViolation(outside, "POLICY_PATH_NOT_ALLOWED", before)
        let kernel = try stage.step("echo x > README || echo refused", policy, name: "run2")
        #expect(kernel.process.out == "refused\n", "\(kernel.account)")
        let inside = try stage.step("echo x > docs/b.md; echo y > docs/a.md", policy, name: "run3")
        #expect(inside.code == 0 && inside.state == "committed", "\(inside.account)")
        #expect(try Files.text(stage.work("docs/b.md")) == "x\n")
    }

    @Test("untrusted trees are not changed and not executed from")
    func untrusted() throws {
        let stage = try Stage()
        try stage.file("vendor/repo/tool", "#!/bin/sh\necho ran\n", mode: 0o755)
        let before = try stage.describe()
        let script =
            "head -1 vendor/repo/tool; vendor/repo/tool || echo 1; echo x > vendor/repo/new || echo 2; rm -rf vendor"
        let result = try stage.step(script, Policies.overlay(workspace: ["untrusted: [\"vendor/repo\"]"]))
        #expect(result.process.out == "#!/bin/sh\n1\n2\n", "\(result.account)")
        #expect(before == (try stage.describe()))
    }

    @Test("scratch is writable, shows what was there, is forgotten and not counted", arguments: Layer.allCases)
    func scratch(_ layer: Layer) throws {
        let stage = try Stage()
        try stage.file(".build/kept", "host\n")
        let policy = Policies.overlay(
            workspace: ["scratch: [\".build\", \"absent/cache\"]"], budgets: ["max_files_changed: 1", layer.budget])
        let script = """
            cat .build/kept; for i in 1 2 3; do echo x > .build/$i; echo x > absent/cache/$i; done
            echo more >> .build/kept; cat .build/kept absent/cache/1; echo real > result
            """
        let result = try stage.step(script, policy)
        #expect(result.process.out == "host\nhost\nmore\nx\n", "\(result.account)")
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        #expect(result.changed == ["result"])
        #expect(try Files.list(stage.workspace) == [".build", "result"])
        #expect(try Files.list(stage.work(".build")) == ["kept"])
        #expect(try Files.text(stage.work(".build/kept")) == "host\n")
        #expect(!Files.exists(result.runDirectory + "/scratch"))
    }

    @Test(
        "what can never be published is a violation",
        arguments: ["cp /bin/true tool; chmod 4755 tool", "cp /bin/true tool; chmod 2755 tool", "mkfifo pipe"])
    func refused(_ script: String) throws {
        let stage = try Stage()
        try stage.file("a")
        let before = try stage.describe()
        let result = try stage.step("echo x > fine; " + script, Policies.overlay())
        // The kernel may have refused the bit already; then the step failed and nothing was published either.
        guard result.childCode == 0 else {
            #expect(result.code == 1, "\(result.account)")
            #expect(before == (try stage.describe()))
            return
        }
        try expectViolation(result, "POLICY_PATH_NOT_ALLOWED", before)
    }

    @Test("a socket is left out and everything else is published")
    func sockets() throws {
        let stage = try Stage()
        let script = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('s'); open('file', 'w').write('x')"
        let result = try stage.launch(JailRun(["/usr/bin/python3", "-c", script], policy: Policies.overlay()))
        #expect(result.code == 0 && result.state == "committed", "\(result.account)")
        #expect(try Files.list(stage.workspace) == ["file"])
    }
}
