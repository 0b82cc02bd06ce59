import Glibc
import RunSupport
import Testing

/// F9, F10, F18, F21, F22: names that are not what they seem, and a tree that changes while the step runs.
@Suite("Escapes: links, aliases and races")
struct LinkAndRaceEscapes {
    private let policy = Policies.direct(workspace: ["protect: [\".git/config\", \"guarded\"]"])

    private func shell(_ script: String, in directory: String) -> ProcessRequest {
        ProcessRequest(["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: directory)
    }

    /// Starts a step whose script waits for the file `go` of its workspace after it has said `ready`.
    private func start(_ script: String, on stage: Stage, policy: String) throws -> (JailRun, RunningProcess) {
        let run = JailRun(["/bin/sh", "-c", script], policy: policy)
        return (run, try RunningProcess(try stage.request(run)))
    }

    private static let waits = "echo ready; while [ ! -e go ]; do :; done"

    // MARK: F18

    /// Where names are compared byte by byte an alias is another file; the protected one does not change through it.
    @Test(
        "F18: another spelling of a protected path is another file",
        arguments: [".GIT", ".Git", ".git\u{200c}", "git~1", ".git.", ".git ", ".g\u{ed}t", ".g\u{69}\u{301}t"])
    func alias(_ name: String) throws {
        let script = "echo evil >> .git/config; mkdir -p '\(name)' && echo evil >> '\(name)/config' && echo alias"
        let control = try Stage()
        try control.file(".git/config", "[core]\n")
        #expect(try execute(shell(script, in: control.workspace)).out == "alias\n")
        #expect(try Files.text(control.work(".git/config")) == "[core]\nevil\n")
        #expect(try Files.text(control.work("\(name)/config")) == "evil\n")

        let stage = try Stage()
        try stage.file(".git/config", "[core]\n")
        let result = try stage.launch(JailRun(["/bin/sh", "-c", script], policy: policy))
        #expect(result.code == 0, "\(result.account)")
        #expect(result.process.out == "alias\n")
        #expect(try Files.text(stage.work(".git/config")) == "[core]\n")
        #expect(try Files.text(stage.work("\(name)/config")) == "evil\n")
    }

    // MARK: F21

    @Test("F21: a protected directory covers what is made in it after the launch")
    func lateFile() throws {
        let script = """
            echo evil > guarded/new && echo made; \(Self.waits)
            echo evil >> guarded/late && echo wrote; echo evil >> guarded/sub/late && echo wrote
            rm -f guarded/late && [ ! -e guarded/late ] && echo removed; true
            """
        func makeLate(_ stage: Stage) throws {
            try stage.file("guarded/late", "late\n", mode: 0o666)
            try stage.file("guarded/sub/late", "late\n", mode: 0o666)
            try stage.file("go")
        }
        let control = try Stage()
        try control.file("guarded/old")
        let outside = try RunningProcess(shell(script, in: control.workspace))
        try outside.wait(forOutput: "ready")
        try makeLate(control)
        #expect(outside.finish().out == "made\nready\nwrote\nwrote\nremoved\n")

        let stage = try Stage()
        try stage.file("guarded/old")
        let (run, process) = try start(script, on: stage, policy: policy)
        try process.wait(forOutput: "ready")
        try makeLate(stage)
        let result = try stage.result(run, process.finish())
        #expect(result.process.out == "ready\n", "\(result.account)")
        #expect(try Files.list(stage.work("guarded")) == ["late", "old", "sub"])
        #expect(try Files.text(stage.work("guarded/late")) == "late\n")
        #expect(try Files.text(stage.work("guarded/sub/late")) == "late\n")
    }

    // MARK: F22

    @Test("F22: a granted file that is replaced from outside stays the one that was granted")
    func replacedFile() throws {
        let stage = try Stage()
        let control = try Stage()
        func script(_ stage: Stage) -> String {
            "cat \(stage.outside)/shown; \(Self.waits); cat \(stage.outside)/shown; echo step >> fixed; cat fixed"
        }
        /// Replaces both files in one step each, as editors and package managers do.
        func replace(_ stage: Stage) throws {
            try stage.scratch.file("outside/next", "secret\n")
            #expect(rename(stage.outside + "/next", stage.outside + "/shown") == 0)
            try stage.scratch.file("outside/next", "new\n", mode: 0o666)
            #expect(rename(stage.outside + "/next", stage.work("fixed")) == 0)
            try stage.file("go")
        }
        for each in [stage, control] {
            try each.scratch.file("outside/shown", "granted\n")
            try each.file("fixed", "old\n", mode: 0o666)
        }
        let outside = try RunningProcess(shell(script(control), in: control.workspace))
        try outside.wait(forOutput: "ready")
        try replace(control)
        #expect(outside.finish().out == "granted\nready\nsecret\nnew\nstep\n")
        #expect(try Files.text(control.work("fixed")) == "new\nstep\n")

        let policy = Policies.direct(write: "[\"fixed\"]", read: [stage.outside + "/shown"])
        let (run, process) = try start(script(stage), on: stage, policy: policy)
        try process.wait(forOutput: "ready")
        try replace(stage)
        let result = try stage.result(run, process.finish())
        #expect(result.process.out.hasPrefix("granted\nready\ngranted\n"), "\(result.account)")
        #expect(!result.process.out.contains("secret"))
        #expect(try Files.text(stage.work("fixed")) == "new\n", "the step reached a file that was never granted")
    }

    // MARK: F9

    /// Swaps the directory `way` for a link to the outside and back, as fast as it can, and counts in `swaps`.
    private static let racer = """
        import os, sys
        way, away, outside, count = sys.argv[1], sys.argv[2], sys.argv[3], 0
        print("racing", flush=True)
        while True:
            os.rename(way, away)
            os.symlink(outside, way)
            os.unlink(way)
            os.rename(away, way)
            count += 1
            if count % 100 == 0: print(count, flush=True)
        """

    private func race(_ stage: Stage) throws -> RunningProcess {
        try Files.makeDirectory(stage.work("way"))
        let words = [stage.work("way"), stage.outside + "/away", stage.outside + "/target"]
        try stage.scratch.directory("outside/target")
        let racer = try RunningProcess(ProcessRequest(["/usr/bin/python3", "-c", Self.racer] + words))
        try racer.wait(forOutput: "racing")
        return racer
    }

    @Test("F9: a directory that becomes a link to the outside while the step writes leads nowhere")
    func liveRace() throws {
        let control = try Stage()
        let controlRacer = try race(control)
        let hits = "until [ -e '\(control.outside)/target/hit' ]; do echo x > way/hit; done 2>/dev/null; echo hit"
        #expect(try execute(shell(hits, in: control.workspace)).out == "hit\n", "the race must be winnable")
        controlRacer.send(SIGKILL)
        _ = controlRacer.finish()

        let stage = try Stage()
        let racer = try race(stage)
        // Twenty thousand tries, and on until both states were met: the directory, and no way through the link.
        let script = """
            tries=0 wrote=0 failed=0
            while [ $tries -lt 20000 ] || [ $wrote -eq 0 ] || [ $failed -eq 0 ]; do
                if { echo x > way/hit; } 2>/dev/null; then wrote=$((wrote + 1)); else failed=$((failed + 1)); fi
                tries=$((tries + 1))
            done
            echo both
            """
        let result = try stage.launch(JailRun(["/bin/sh", "-c", script], policy: Policies.direct()))
        racer.send(SIGKILL)
        let swaps = racer.finish().out
        #expect(result.process.out == "both\n", "\(result.account)")
        #expect(swaps.contains("100\n"), "the race was not live: \(swaps)")
        #expect(try Files.list(stage.outside + "/target") == [])
        #expect(Set(try Files.list(stage.outside)).isSubset(of: ["away", "target"]))
    }

    // MARK: F10

    @Test("F10: a protected file that already has a second name is written through it, and that is a violation")
    func oldHardLink() throws {
        let script = "echo evil >> linked && cat .git/config"
        let control = try Stage()
        try control.file(".git/config", "[core]\n")
        #expect(link(control.work(".git/config"), control.work("linked")) == 0)
        #expect(try execute(shell(script, in: control.workspace)).out == "[core]\nevil\n")

        let stage = try Stage()
        try stage.file(".git/config", "[core]\n")
        #expect(link(stage.work(".git/config"), stage.work("linked")) == 0)
        let result = try stage.launch(JailRun(["/bin/sh", "-c", script], policy: policy))
        // Direct mode cannot refuse it: the name is writable, and the kernel's rules are about names.
        #expect(result.code == 3, "\(result.account)")
        #expect(result.gate("gate_b_hermetic_paths")["status"].text == "fail", "\(result.account)")
        #expect(result.issueCodes.contains("POLICY_PATH_NOT_ALLOWED"))
    }

    @Test("F10: the step itself cannot give a protected file a second name")
    func newHardLink() throws {
        let script = "ln .git/config linked && echo evil >> linked; cat .git/config"
        let control = try Stage()
        try control.file(".git/config", "[core]\n")
        #expect(try execute(shell(script, in: control.workspace)).out == "[core]\nevil\n")

        let stage = try Stage()
        try stage.file(".git/config", "[core]\n")
        let result = try stage.launch(JailRun(["/bin/sh", "-c", script], policy: policy))
        #expect(result.process.out == "[core]\n", "\(result.account)")
        #expect(try Files.text(stage.work(".git/config")) == "[core]\n")
        #expect(!Files.exists(stage.work("linked")))
    }
}
