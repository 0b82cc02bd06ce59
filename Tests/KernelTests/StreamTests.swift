import Glibc
import RunSupport
import Testing

/// Standard input, output and error.
@Suite("Streams")
struct StreamTests {
    @Test("input reaches the command and its end does too", arguments: [0, 1, 65_536, 3_000_000])
    func input(_ size: Int) throws {
        let stage = try Stage()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var run = JailRun(["/bin/cat"])
        run.input = bytes
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.process.end) \(result.process.err)")
        #expect(result.process.stdout == bytes)
    }

    @Test("large outputs are byte-identical, on the stream and in the log", arguments: [1, 2])
    func output(_ stream: Int) throws {
        let stage = try Stage()
        let words = ["output", "8388608", "\(stream)", "7"]
        let expected = try execute(ProcessRequest([Probe.busy] + words))
        var run = JailRun([Probe.busy] + words)
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.process.end)")
        let wanted = stream == 1 ? expected.stdout : expected.stderr
        #expect(wanted.count == 8_388_608)
        #expect((stream == 1 ? result.process.stdout : result.process.stderr) == wanted)
        let log = stream == 1 ? "stdout.log" : "stderr.log"
        #expect(try Files.read(result.runDirectory + "/" + log) == wanted)
        #expect(result.report?["usage"]["output_bytes"].int == 8_388_608)
    }

    @Test("both streams at once, more than a pipe holds")
    func bothStreams() throws {
        let stage = try Stage()
        let script = "\(Probe.busy) output 1000000 1 3 & \(Probe.busy) output 1000000 2 4 & wait"
        var run = JailRun(["/bin/sh", "-c", script])
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(
            result.process.stdout == (try execute(ProcessRequest([Probe.busy, "output", "1000000", "1", "3"]))).stdout)
        #expect(
            result.process.stderr == (try execute(ProcessRequest([Probe.busy, "output", "1000000", "2", "4"]))).stderr)
    }

    @Test("a command that does not read its input ends all the same")
    func unreadInput() throws {
        let stage = try Stage()
        var run = JailRun(["/bin/true"])
        run.input = [UInt8](repeating: 1, count: 1_000_000)
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
    }

    @Test("an input that stays open does not keep the run alive")
    func openInput() throws {
        let stage = try Stage()
        let pipe = try Pipe()
        defer {
            close(pipe.readEnd)
            close(pipe.writeEnd)
        }
        var run = JailRun(["/bin/true"])
        run.stdin = .descriptor(pipe.readEnd)
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(result.process.seconds < 10)
    }

    @Test("output arrives while the command runs")
    func live() throws {
        let stage = try Stage()
        let process = try RunningProcess(
            try stage.request(JailRun(["/bin/sh", "-c", "echo first; exec \(Probe.busy) stubborn"])))
        try process.wait(forOutput: "first\nready")
        process.send(SIGTERM)
        process.send(SIGTERM)
        #expect(process.finish().end != .timedOut)
    }

    @Test("--quiet silences launch-jail and never the command")
    func quiet() throws {
        let stage = try Stage()
        var run = JailRun(["/bin/sh", "-c", "echo out; echo err >&2"])
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(result.process.out == "out\n")
        #expect(result.process.err == "err\n")
    }

    @Test("a read-only device, a directory and a terminal's absence as standard input")
    func oddInputs() throws {
        let stage = try Stage()
        for (index, path) in ["/dev/null", "/usr", "/dev/zero"].enumerated() {
            let fd = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(fd) }
            var run = JailRun(["/bin/true"])
            run.stdin = .descriptor(fd)
            run.runName = "run\(index)"
            let result = try stage.launch(run)
            #expect(result.code == 0, "\(path): \(result.account)")
        }
    }

    @Test("the command's descriptors show no path of the host")
    func descriptorLinks() throws {
        let stage = try Stage()
        let secret = try stage.scratch.file("outside/input.txt", "text\n")
        let fd = open(secret, O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var run = JailRun(["/bin/ls", "-l", "/proc/self/fd"])
        run.stdin = .descriptor(fd)
        let result = try stage.launch(run)
        #expect(!result.process.out.contains(stage.outside), "\(result.process.out)")
    }

    @Test("signals arrive unblocked and with their default meaning")
    func signalState() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun([Probe.busy, "signals"]))
        #expect(result.childCode == 0, "\(result.account)")
    }
}
