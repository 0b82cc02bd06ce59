import ArgumentParser
import JailKit
import JailModel
import JailSystem

/// The command line.
///
/// Synchronous on purpose: an `async` entry point costs 7 to 40 ms at exit in a static binary.
@main
struct LaunchJail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch-jail",
        abstract: "Run an untrusted command in a kernel jail and report, gate by gate, what held.",
        discussion: """
            EXIT CODES
              0  pass: the command exited 0 and every applicable gate passed
              1  the command failed; every applicable gate passed
              2  invalid usage, policy or configuration, or the command cannot be executed
              3  policy violation: at least one gate failed
              4  an external dependency failed
              5  internal error of launch-jail, or evidence incomplete
              6  this host cannot enforce a guarantee that the policy requires
            """,
        version: StepRun.version,
        subcommands: [
            RunCommand.self, PlanCommand.self, DoctorCommand.self, ReportCommand.self, RunsCommand.self,
            DiffCommand.self, CommitCommand.self, DiscardCommand.self, RollbackCommand.self, PolicyCommand.self,
        ])

    /// Commands of the contract that this version does not have.
    private static let later = ["job", "check", "verify", "scan", "keygen"]

    private static func refuseLaterCommands() throws {
        guard CommandLine.arguments.count > 1, later.contains(CommandLine.arguments[1]) else { return }
        throw CommandFailure(
            .invalid, "this version has no `\(CommandLine.arguments[1])`",
            hint: "`launch-jail --help` lists what it has")
    }

    /// Parses and runs; every failure ends with one of the documented codes.
    static func main() {
        ignoreBrokenPipes()
        CurrentProcess.reserveStandardStreams()
        do {
            try refuseLaterCommands()
            var command = try parseAsRoot()
            try command.run()
        } catch let exit as ExitCode {
            CurrentProcess.exit(exit.rawValue)
        } catch let failure as CommandFailure {
            Console.complain(failure)
            CurrentProcess.exit(failure.exitCode)
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code == .success {
                Console.show(text + "\n")
                CurrentProcess.exit(0)
            }
            Console.complain(text + "\n")
            CurrentProcess.exit(Verdict.invalid.exitCode)
        }
    }
}
