import ArgumentParser
import JailKit
import JailModel
import JailPlan

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Print what would be enforced and how. Starts nothing.",
        usage: "launch-jail plan [<options>] -- CMD [ARG…]")

    @OptionGroup var step: StepArguments

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let options = try step.options()
        let planned: PlannedStep
        do throws(StepRefused) {
            planned = try PlannedStep.make(options, runDirectory: options.runDirectory ?? "/launch-jail-run")
        } catch {
            throw CommandFailure(error)
        }
        if json { Console.show(planned.plan.json()) } else { Console.show(planned.plan.description) }
    }
}
