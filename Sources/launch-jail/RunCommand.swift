import ArgumentParser
import JailKit
import JailModel
import JailReport
import JailSystem

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run one step in a jail; exit with the verdict.",
        usage: "launch-jail run [<options>] -- CMD [ARG…]")

    @OptionGroup var step: StepArguments

    @Option(
        name: .customLong("exit-code"),
        help: ArgumentHelp("verdict, or child: the command's own status for verdicts 0 and 1.", valueName: "what"))
    var exitCode = "verdict"

    @Option(
        name: .customLong("report"),
        help: ArgumentHelp("Also render the report: text=FILE or json=FILE. Repeatable.", valueName: "format=file"))
    var reports: [String] = []

    @Flag(help: "Say nothing oneself; the command's output is still shown.")
    var quiet = false

    @Option(
        name: .customLong("status-fd"),
        help: ArgumentHelp("Write JSON lines for programs to this descriptor.", valueName: "n"))
    var statusDescriptor: Int32?

    @Option(name: .customLong("repeat"), help: .hidden)
    var repetitions: Int?

    @Option(name: .customLong("learn"), help: .hidden)
    var learn: String?

    func run() throws {
        guard repetitions ?? 1 == 1, learn == nil else {
            throw CommandFailure(
                .unenforceable, "--\(learn == nil ? "repeat" : "learn") is not enforced by this version",
                hint: "leave the flag out")
        }
        var options = try step.options()
        guard let mode = ExitMode(rawValue: exitCode) else {
            throw CommandFailure(.invalid, "--exit-code \(SafeText.escape(exitCode)) is neither verdict nor child")
        }
        options.exitMode = mode
        if let statusDescriptor {
            guard statusDescriptor > 2, Terminal.isOpen(statusDescriptor) else {
                throw CommandFailure(.invalid, "--status-fd \(statusDescriptor) is not an open descriptor above 2")
            }
            options.statusDescriptor = statusDescriptor
        }
        let extra = try reports.map(RenderRequest.init(argument:))
        for request in extra { try request.checkFile() }
        let result: StepResult
        do throws(StepRefused) {
            result = try StepRun.run(options)
        } catch {
            Console.complain(CommandFailure(error))
            throw ExitCode(ExitDecision.code(error.refusal.verdict, mode: mode, child: nil))
        }
        let document = try ReportFiles.checked { () throws(ReportError) in try result.report.document() }
        for request in extra { try request.write(document, location: result.runDirectory) }
        if !quiet {
            Console.complain(
                SummaryText.render(
                    document, location: result.runDirectory, colour: Console.hasColour(2), width: Console.width(2)))
        }
        throw ExitCode(result.exitCode)
    }
}
