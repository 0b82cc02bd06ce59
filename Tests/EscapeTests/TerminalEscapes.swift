import Glibc
import RunSupport
import Testing

/// P7, P8, P13: the caller's terminal.
@Suite("Escapes: terminal")
struct TerminalEscapes {
    static let typing = ["tiocsti", "tiocsti-high-bits", "tioclinux", "tioclinux-high-bits"]

    private static func unread(_ result: ProcessResult) -> Bool { !result.err.contains("unread input: 0") }

    @Test("nothing can be typed into the caller's terminal", arguments: typing, [false, true])
    func injection(_ attack: String, isInteractive: Bool) throws {
        let stage = try Stage()
        let control = try Probe.control([attack], on: stage, wrapper: [Probe.ptyrun, "--"])
        #expect(control.outcome == .worked, "\(control.result.out)")
        if attack.hasPrefix("tiocsti") { #expect(Self.unread(control.result), "the control must leave a typed byte") }

        var run = JailRun([Probe.escape, attack])
        run.wrapper = [Probe.ptyrun, "--"]
        run.options = isInteractive ? ["--tty"] : []
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        #expect(!Self.unread(result.process), "\(result.account)")
        if isInteractive { expectDenial("ioctl", in: result) }
    }

    @Test("without --tty there is no controlling terminal")
    func controllingTerminal() throws {
        let stage = try Stage()
        let control = try Probe.control(["controlling-terminal"], on: stage, wrapper: [Probe.ptyrun, "--"])
        #expect(control.outcome == .worked, "\(control.result.out)")
        var run = JailRun([Probe.escape, "controlling-terminal"])
        run.wrapper = [Probe.ptyrun, "--"]
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }

    /// Clipboard, window title, a hyperlink, a report request, a device control string, a C1 control in UTF-8 and raw.
    static let sequences: [[UInt8]] = [
        Array("\u{1b}]52;c;ZXZpbA==\u{7}".utf8), Array("\u{1b}]0;title\u{7}".utf8),
        Array("\u{1b}]8;;http://example.com\u{1b}\\x\u{1b}]8;;\u{1b}\\".utf8), Array("\u{1b}[6n".utf8),
        Array("\u{1b}P+q544e\u{1b}\\".utf8), Array("\u{9b}6n".utf8), Array("\u{1b}c".utf8),
        Array("\u{1b}[?1049h".utf8),
    ]

    @Test("sequences that attack a terminal do not reach it, and stand in the log as they were", arguments: sequences)
    func sequence(_ bytes: [UInt8]) throws {
        let stage = try Stage()
        let text = Array("before".utf8) + bytes + Array("after\n".utf8)
        try Files.write(stage.work("text"), text)
        let control = try execute(ProcessRequest([Probe.ptyrun, "--", "/bin/cat", stage.work("text")]))
        #expect(control.stdout.contains(bytes), "the control must show the sequence")

        var run = JailRun(["/bin/cat", stage.work("text")])
        run.wrapper = [Probe.ptyrun, "--"]
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(!result.process.stdout.contains(bytes), "\(result.process.stdout)")
        #expect(result.process.stdout.contains(Array("before".utf8)))
        #expect(result.process.stdout.contains(Array("after".utf8)))
        #expect(try Files.read(result.runDirectory + "/stdout.log") == text)
    }

    @Test("colours are kept")
    func colours() throws {
        let stage = try Stage()
        let text = Array("\u{1b}[31mred\u{1b}[0m\n".utf8)
        try Files.write(stage.work("text"), text)
        var run = JailRun(["/bin/cat", stage.work("text")])
        run.wrapper = [Probe.ptyrun, "--"]
        run.options = ["--quiet"]
        let result = try stage.launch(run)
        #expect(result.process.stdout.contains(Array("red".utf8)), "\(result.account)")
    }

    /// P8, F19: names with control characters reach neither the terminal nor break the report.
    @Test("control characters in arguments and names are escaped in what launch-jail prints")
    func names() throws {
        let stage = try Stage()
        let evil = "a\u{1b}]0;evil\u{7}\nb"
        var run = JailRun(["/bin/sh", "-c", "exit 3", evil])
        run.wrapper = [Probe.ptyrun, "--"]
        let result = try stage.launch(run)
        #expect(result.code == 1, "\(result.account)")
        #expect(!result.process.stdout.contains(Array("\u{1b}]0;evil".utf8)))
        #expect(result.report?["command"]["argv"][3].text == evil)
    }
}
