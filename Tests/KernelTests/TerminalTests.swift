import Glibc
import RunSupport
import Testing

/// --tty: a terminal inside the jail.
@Suite("Terminal")
struct TerminalTests {
    private func interactive(_ command: [String], _ actions: [String] = []) throws -> (JailResult, String) {
        let stage = try Stage()
        var run = JailRun(command)
        run.options = ["--tty", "--quiet"]
        run.wrapper = [Probe.ptyrun, "--rows", "33", "--columns", "101"] + actions + ["--"]
        let result = try stage.launch(run)
        return (result, result.process.out)
    }

    @Test("the command has a terminal of its own, of the caller's size, in the foreground")
    func terminal() throws {
        let (result, text) = try interactive([Probe.busy, "terminal"])
        #expect(text.contains("tty=111 rows=33 columns=101 foreground=1 name=/dev/pts/0"), "\(result.account)")
        #expect(result.code == 0, "\(result.account)")
    }

    @Test("without --tty no stream is a terminal, whatever the caller has")
    func noTerminal() throws {
        let stage = try Stage()
        var run = JailRun([Probe.busy, "terminal"])
        run.wrapper = [Probe.ptyrun, "--"]
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(result.process.out.contains("tty=000"), "\(result.account)")
    }

    @Test("--tty without a terminal is refused or gives one, and never hangs")
    func ttyWithoutTerminal() throws {
        let stage = try Stage()
        var run = JailRun([Probe.busy, "terminal"])
        run.options = ["--tty", "--quiet"]
        let result = try stage.launch(run)
        #expect(result.code == 2 || result.process.out.contains("tty=111"), "\(result.account)")
    }

    @Test("a change of the window's size arrives")
    func resize() throws {
        let script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.05; done"
        let (result, text) = try interactive(["/bin/bash", "-c", script], ["--await", "ready", "--resize", "44x55"])
        #expect(text.contains("44 55"), "\(result.account)")
        #expect(result.childCode == 5, "\(result.account)")
    }

    @Test("control-C typed at the terminal interrupts the command and not the run")
    func controlC() throws {
        let script = "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.05; done"
        let (result, text) = try interactive(["/bin/bash", "-c", script], ["--await", "ready", "--send", "\\x03"])
        #expect(text.contains("caught"), "\(result.account)")
        #expect(result.childCode == 6, "\(result.account)")
        #expect(result.code == 1, "\(result.account)")
    }

    @Test("typed text reaches the command, and control-D ends its input")
    func typing() throws {
        let (result, text) = try interactive(
            ["/bin/sh", "-c", "echo ready; cat; echo end"],
            ["--await", "ready", "--send", "hello\\n", "--await", "hello", "--send", "\\x04"])
        #expect(text.contains("hello"), "\(result.account)")
        #expect(text.contains("end"), "\(result.account)")
    }

    @Test("an interactive bash has job control")
    func jobControl() throws {
        let (result, text) = try interactive(
            ["/bin/bash", "--norc", "--noprofile", "-i"],
            [
                "--send", "echo re''ady\\n", "--await", "ready",
                "--send", "sh -c 'echo sta\"\"rted; exec sleep 30'\\n", "--await", "started",
                "--send", "\\x1a", "--await", "Stopped", "--send", "jobs\\n", "--await", "Stopped",
                "--send", "fg\\n", "--await", "exec sleep", "--send", "\\x03", "--await", "bash-",
                // Spaces, because a shell that sets up its line editor may drop what is typed meanwhile.
                "--send", "        exit 4\\n",
            ])
        #expect(!text.contains("no job control"), "\(result.account)")
        #expect(result.childCode == 4, "\(result.account)")
    }

    @Test("the caller's terminal is left as it was found")
    func restored() throws {
        let stage = try Stage()
        let request = try stage.request(
            {
                var run = JailRun(["/bin/sh", "-c", "stty raw -echo; exit 0"])
                run.options = ["--tty", "--quiet"]
                return run
            }())
        let words = request.argv.map { "'\($0)'" }.joined(separator: " ")
        var outer = request
        let script = "a=$(stty -g); \(words); b=$(stty -g); [ \"$a\" = \"$b\" ] && echo same || echo \"$a $b\""
        outer.argv = [Probe.ptyrun, "--", "/bin/sh", "-c", script]
        let result = try execute(outer)
        #expect(result.out.contains("same"), "\(result.out) \(result.err)")
    }
}
