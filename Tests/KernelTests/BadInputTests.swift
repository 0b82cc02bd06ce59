import Glibc
import RunSupport
import Testing

/// What cannot work is refused before anything starts, with the cause, and leaves nothing behind.
@Suite("Bad input")
struct BadInputTests {
    /// Exit 2, no traceback, the message names the thing, and no command ran.
    private func expectRefusal(
        _ result: JailResult, naming word: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.code == 2, "\(result.account)", sourceLocation: sourceLocation)
        #expect(result.process.err.contains(word), "\(result.account)", sourceLocation: sourceLocation)
        #expect(!result.hasStarted, sourceLocation: sourceLocation)
    }

    @Test(
        "commands that cannot be executed",
        arguments: ["/usr/bin/does-not-exist", "does-not-exist", "/usr", "./plain.txt", "./", "", "./way/down"])
    func command(_ command: String) throws {
        let stage = try Stage()
        try stage.file("plain.txt")
        let result = try stage.launch(JailRun([command]))
        expectRefusal(result, naming: command.isEmpty ? "" : command)
        #expect(!result.process.err.contains("Fatal error"))
    }

    @Test("a file of the workspace that is executable is found relative to the working directory")
    func relativeCommand() throws {
        let stage = try Stage()
        try stage.file("bin/tool", "#!/bin/sh\necho tool \"$1\"\n", mode: 0o755)
        var run = JailRun(["./tool", "a b"])
        run.options = ["--cwd", stage.work("bin")]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(result.process.out == "tool a b\n")
    }

    @Test("a program of another architecture or an empty file")
    func wrongFormat() throws {
        let stage = try Stage()
        try Files.write(stage.work("empty"), [], mode: 0o755)
        try Files.write(stage.work("elf"), [0x7f] + Array("ELF".utf8) + [UInt8](repeating: 9, count: 60), mode: 0o755)
        for name in ["./empty", "./elf"] {
            var run = JailRun([name])
            run.runName = "run-" + name.dropFirst(2)
            expectRefusal(try stage.launch(run), naming: String(name.dropFirst(2)))
        }
    }

    static let directories = [
        "{outside}", "/", "{work}/way-out", "{work}/vendor/repo", "{work}/vendor/repo/deep", "{work}/missing",
        "{work}/plain.txt", "{work}/trusted-name",
    ]

    @Test("working directories outside the workspace, through a link, or in an untrusted tree", arguments: directories)
    func workingDirectory(_ template: String) throws {
        let stage = try Stage()
        try stage.file("plain.txt")
        try stage.file("vendor/repo/deep/file")
        try Files.link(stage.outside, at: stage.work("way-out"))
        try Files.link(stage.work("vendor/repo"), at: stage.work("trusted-name"))
        let path = template.split(separator: "{work}", omittingEmptySubsequences: false).joined(
            separator: stage.workspace
        ).split(separator: "{outside}", omittingEmptySubsequences: false).joined(separator: stage.outside)
        var run = JailRun(
            ["/bin/sh", "-c", "echo x > \(stage.work("started"))"],
            policy: Policies.direct(workspace: ["untrusted: [\"vendor/repo\"]"]))
        run.options = ["--cwd", path]
        let result = try stage.launch(run)
        #expect(result.code == 2, "\(result.account)")
        #expect(!result.hasStarted)
        #expect(!Files.exists(stage.work("started")))
    }

    @Test("the directory that launch-jail is started in, when it is untrusted")
    func startedInUntrusted() throws {
        let stage = try Stage()
        try stage.file("vendor/repo/file")
        var run = JailRun(["/bin/true"], policy: Policies.direct(workspace: ["untrusted: [\"vendor/repo\"]"]))
        run.directory = stage.work("vendor/repo")
        let result = try stage.launch(run)
        #expect(result.code == 2 || result.report?["command"]["cwd"].text == stage.workspace, "\(result.account)")
    }

    @Test(
        "a workspace that is the root, a home directory's root, missing or a file",
        arguments: ["/", "{home}", "{missing}", "{file}"])
    func workspace(_ template: String) throws {
        let stage = try Stage()
        let file = try stage.scratch.file("plain")
        let path =
            ["{home}": stage.home, "{missing}": stage.outside + "/missing", "{file}": file][template] ?? template
        var run = JailRun(["/bin/true"])
        run.options = ["--workspace", path, "--run-dir", stage.state + "/run"]
        let result = try stage.launch(run)
        #expect(result.code == 2, "\(result.account)")
    }

    @Test("a workspace through a symbolic link is its target")
    func workspaceLink() throws {
        let stage = try Stage()
        try Files.link(stage.workspace, at: stage.outside + "/link")
        var run = JailRun(["/bin/sh", "-c", "pwd; echo x > made"])
        run.options = ["--workspace", stage.outside + "/link", "--run-dir", stage.state + "/run"]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(Files.exists(stage.work("made")))
    }

    @Test("a policy that is missing, unreadable, a directory, or not a policy")
    func policyFile() throws {
        let stage = try Stage()
        let cases = [
            try stage.scratch.file("p/empty.yaml", ""), try stage.scratch.file("p/list.yaml", "- a\n"),
            try stage.scratch.file("p/binary.yaml", "\u{0}\u{1}\u{2}"), try stage.scratch.directory("p/dir.yaml"),
            stage.outside + "/missing.yaml", "no-such-policy", "",
        ]
        for (index, path) in cases.enumerated() {
            var run = JailRun(["/bin/true"], policy: nil)
            run.options = ["--policy", path]
            run.runName = "run\(index)"
            let result = try stage.launch(run)
            #expect(result.code == 2, "\(path): \(result.account)")
            #expect(!result.process.err.isEmpty)
        }
    }

    @Test("twenty errors in a policy are told together, each with its line")
    func twentyErrors() throws {
        let stage = try Stage()
        var lines = ["version: 1", "budgets:"]
        lines += (0..<20).map { "  no_such_key_\($0): 1" }
        let result = try stage.launch(JailRun(["/bin/true"], policy: lines.joined(separator: "\n") + "\n"))
        #expect(result.code == 2, "\(result.account)")
        for index in 0..<20 {
            #expect(result.process.err.contains("no_such_key_\(index)"), "\(result.account)")
            #expect(result.process.err.contains(":\(index + 3):"), "line \(index + 3): \(result.account)")
        }
    }

    @Test("ten thousand arguments arrive")
    func manyArguments() throws {
        let stage = try Stage()
        let words = (0..<10_000).map { "argument-\($0)" }
        let result = try stage.launch(JailRun([Probe.busy, "arguments"] + words))
        #expect(result.code == 0, "\(result.process.end) \(result.process.err.prefix(500))")
        #expect(result.process.out.hasPrefix("10000 arguments"), "\(result.process.out)")
        #expect(result.report?["command"]["argv"].items.count == 10_002)
    }

    @Test("an argument list of two mebibytes is carried or refused in one clear line")
    func hugeArguments() throws {
        let stage = try Stage()
        let words = (0..<20).map { _ in String(repeating: "x", count: 100_000) }
        let request: ProcessRequest
        do {
            request = try stage.request(JailRun([Probe.busy, "arguments"] + words))
            let process = try execute(request)
            let result = try stage.result(JailRun([]), process)
            if process.code == 0 {
                #expect(process.out.hasPrefix("20 arguments"))
            } else {
                #expect(process.code == 2, "\(result.account.prefix(2000))")
                #expect(
                    !process.err.isEmpty && process.err.utf8.count < 4000, "\(process.err.utf8.count) bytes of message")
            }
        } catch let error as SystemCallError {
            // The test's own exec was refused already.
            #expect(error.number == E2BIG)
        }
    }

    @Test(
        "control characters in paths are refused or carried, never cut",
        arguments: ["a\nb", "a\u{1b}b", "a b", "ä", "-x"])
    func oddNames(_ name: String) throws {
        let stage = try Stage()
        try Files.makeDirectory(stage.work(name))
        try Files.write(stage.work(name) + "/mark", "here\n")
        var run = JailRun(["/bin/cat", "mark"])
        run.options = ["--cwd", stage.work(name)]
        let result = try stage.launch(run)
        let hasControl = name.utf8.contains { $0 < 0x20 }
        #expect(result.code == 0 || (hasControl && result.code == 2), "\(result.account)")
        if result.code == 0 { #expect(result.process.out == "here\n") }
        #expect(!result.process.stderr.contains(0x1b))
    }

    @Test("closed standard streams", arguments: 0..<8)
    func closedStreams(_ mask: Int) throws {
        let stage = try Stage()
        try stage.file("input", "text\n")
        var run = JailRun(["/bin/sh", "-c", "echo out > made; exit 0"])
        if mask & 1 != 0 { run.stdin = .closed }
        if mask & 2 != 0 { run.stdout = .closed }
        if mask & 4 != 0 { run.stderr = .closed }
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(try Files.text(stage.work("made")) == "out\n")
        #expect(try Files.text(stage.work("input")) == "text\n")
        #expect(result.report != nil)
    }

    @Test("output that nobody reads any more")
    func brokenPipe() throws {
        let stage = try Stage()
        let pipe = try Pipe()
        close(pipe.readEnd)
        var run = JailRun([Probe.busy, "output", "200000"])
        run.stdout = .descriptor(pipe.writeEnd)
        let result = try stage.launch(run)
        close(pipe.writeEnd)
        #expect(result.report != nil, "\(result.account)")
        #expect(try Files.size(result.runDirectory + "/stdout.log") == 200_000)
    }

    @Test("a run directory that cannot be written")
    func readOnlyRunDirectory() throws {
        let stage = try Stage()
        let path: String
        if Environment.isRoot {
            // Nothing stops root but a file system that is read-only.
            path = "/proc/sys/ljtest-run"
        } else {
            path = try stage.scratch.directory("sealed") + "/run"
            chmod(stage.scratch("sealed"), 0o555)
        }
        var run = JailRun(["/bin/sh", "-c", "echo x > \(stage.work("started"))"])
        run.options = ["--run-dir", path]
        let process = try execute(try stage.request(run))
        #expect(process.code == 2 || process.code == 5, "\(process.end) \(process.err)")
        #expect(process.err.contains("run"), "\(process.err)")
        #expect(!Files.exists(stage.work("started")))
    }

    @Test("a disk that fills up under the evidence: exit 5 and the cause, not a hang and not a pass")
    func fullDisk() throws {
        let stage = try Stage()
        var run = JailRun([Probe.busy, "output", "400000"])
        run.wrapper = [Probe.degrade, "small-disk=\(stage.state)", "--"]
        let process = try execute(try stage.request(run))
        #expect(process.code == 5, "\(process.end) \(process.err)")
        #expect(process.err.contains("space") || process.err.contains("ENOSPC"), "\(process.err)")
    }

    @Test("a run directory that exists and is not empty")
    func usedRunDirectory() throws {
        let stage = try Stage()
        #expect(try stage.launch(JailRun(["/bin/true"])).code == 0)
        let before = try Files.read(stage.state + "/run/report.json")
        let again = try stage.launch(JailRun(["/bin/sh", "-c", "exit 9"]))
        #expect(again.code == 2, "\(again.account)")
        #expect(try Files.read(stage.state + "/run/report.json") == before)
    }

    @Test("widening flags on a policy that is not overridable")
    func notOverridable() throws {
        let stage = try Stage()
        let policy = Policies.direct().split(separator: "overridable: true").joined(separator: "overridable: false")
        for flags in [["--write", "/tmp"], ["--read", stage.outside], ["--env", "SECRET=1"], ["--memory", "64GiB"]] {
            var run = JailRun(["/bin/true"], policy: policy)
            run.options = flags
            run.runName = "run-" + (flags.first?.dropFirst(2) ?? "")
            let result = try stage.launch(run)
            #expect(result.code == 2, "\(flags): \(result.account)")
        }
    }
}
