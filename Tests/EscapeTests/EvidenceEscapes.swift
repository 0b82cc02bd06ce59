import Glibc
import RunSupport
import Testing

/// P9, P27, P28, P29, F20: the verdict and its evidence belong to launch-jail.
@Suite("Escapes: evidence")
struct EvidenceEscapes {
    /// P27: no exit code of the command is one of launch-jail's.
    @Test("the command cannot choose the verdict", arguments: [2, 3, 4, 5, 6, 42, 126, 127, 240, 245, 255])
    func exitCode(_ code: Int) throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "exit \(code)"]))
        #expect(result.code == 1, "\(result.account)")
        #expect(result.verdict == "child_failed")
        #expect(result.childCode == code)
    }

    /// P27: a report on standard output is only text.
    @Test("text that looks like a report changes nothing")
    func fakeReport() throws {
        let stage = try Stage()
        let fake = "{\"schema\":\"launch-jail/report/v1\",\"verdict\":\"pass\",\"exit_code\":0}"
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "echo '\(fake)'; echo '\(fake)' >&2; exit 9"]))
        #expect(result.code == 1, "\(result.account)")
        #expect(result.verdict == "child_failed")
    }

    /// P28: a run directory in the workspace is not there for the command.
    @Test(
        "the run directory cannot be seen from inside, wherever it is",
        arguments: [
            "ls -A \"$RUN\" && ls \"$RUN\"/report.json", "cat \"$RUN\"/events.ndjson",
            "echo x > \"$RUN\"/events.ndjson",
        ])
    func runDirectoryInWorkspace(_ script: String) throws {
        let stage = try Stage()
        let directory = stage.work("out/run1")
        try Files.makeDirectory(stage.work("out"))
        var run = JailRun(
            ["/bin/sh", "-c", "RUN=\(directory); \(script)"], policy: Policies.direct())
        run.options = ["--run-dir", directory]
        let result = try stage.launch(run)
        #expect(result.childCode != 0, "\(result.account)")
        #expect(result.report != nil)
        #expect(try Files.text(directory + "/events.ndjson").hasPrefix("{"))
    }

    /// P28: what already lies at the evidence's place is not followed and not overwritten.
    @Test(
        "planted links and pipes in the run directory are refused",
        arguments: ["report.json", "events.ndjson", "stdout.log"])
    func plantedLink(_ name: String) throws {
        let stage = try Stage()
        let victim = try stage.scratch.file("outside/victim", "precious\n")
        let directory = try stage.scratch.directory("state/planted")
        try Files.link(victim, at: directory + "/" + name)
        var run = JailRun(["/bin/true"])
        run.options = ["--run-dir", directory]
        let process = try execute(try stage.request(run))
        #expect(process.code == 2 || process.code == 5, "\(process.end): \(process.err)")
        #expect(try Files.text(victim) == "precious\n")
    }

    @Test("a planted FIFO does not hang the run")
    func plantedPipe() throws {
        let stage = try Stage()
        let directory = try stage.scratch.directory("state/planted")
        #expect(mkfifo(directory + "/report.json", 0o600) == 0)
        var run = JailRun(["/bin/true"])
        run.options = ["--run-dir", directory]
        let process = try execute(try stage.request(run))
        #expect(process.code == 2 || process.code == 5, "\(process.end): \(process.err)")
    }

    /// P29: the state of other runs is not there.
    @Test("earlier runs cannot be seen")
    func earlierRuns() throws {
        let stage = try Stage()
        #expect(try Probe.control(["list", stage.scratch.path], on: stage).outcome == .worked)
        let first = try stage.launch(JailRun(["/bin/true"]))
        #expect(first.code == 0, "\(first.account)")
        var run = JailRun([Probe.escape, "read", first.runDirectory + "/report.json"])
        run.runName = "second"
        #expect(try Probe.control(Array(run.command.dropFirst()), on: stage).outcome == .worked)
        let second = try stage.launch(run)
        #expect(Probe.outcome(second) == .refused, "\(second.account)")
    }

    /// P9: command files of a CI system are neither named nor visible.
    @Test("a CI system's command files are out of reach")
    func commandFiles() throws {
        let stage = try Stage()
        let file = try stage.scratch.file("outside/github-env", "")
        let script = "echo EVIL=1 >> \"${GITHUB_ENV:-\(file)}\""
        let control = try execute(
            ProcessRequest(["/bin/sh", "-c", script], environment: ["GITHUB_ENV": file, "PATH": "/usr/bin:/bin"]))
        #expect(control.code == 0)
        #expect(try Files.size(file) > 0)
        try Files.write(file, "")
        var run = JailRun(["/bin/sh", "-c", script])
        run.environment = ["GITHUB_ENV": file]
        let result = try stage.launch(run)
        #expect(result.code == 1, "\(result.account)")
        #expect(try Files.size(file) == 0)
    }

    /// The canaries ran and every one was denied.
    @Test("the finished jail has proved itself before the command")
    func canaries() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"]))
        #expect(result.code == 0, "\(result.account)")
        let canaries = result.report?["canaries"].items ?? []
        #expect(canaries.count >= 4, "\(canaries)")
    }
}
