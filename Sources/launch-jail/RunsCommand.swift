import ArgumentParser
import JailKit
import JailLedger
import JailModel
import JailPolicy
import JailReport

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "The runs on this machine.", subcommands: [List.self, Show.self, Prune.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "All runs, newest first.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let store = try ReportFiles.store()
            let runs = try ReportFiles.ledger { () throws(LedgerError) in try store.runs() }
            if json {
                Console.show(
                    .array(
                        runs.map {
                            ["run_id": .string($0.name), "path": .string($0.path), "state": .string($0.state.rawValue)]
                        }))
                return
            }
            if runs.isEmpty { Console.show("no runs yet\n") }
            for run in runs {
                Console.show("\(SafeText.escape(run.name))  \(summary(of: run, in: store))\n")
            }
        }
    }

    /// The verdict and the command, as far as the run tells them.
    private static func summary(of run: RunEntry, in store: RunStore) -> String {
        guard run.state == .finished, let bytes = try? store.read(.report, of: run),
            let report = try? ReportDocument(decoding: bytes)
        else { return run.state.rawValue }
        let command = report.command.argv.map { SafeText.escape($0) }.joined(separator: " ")
        let shown = command.count > 60 ? command.prefix(59) + "…" : command[...]
        return "\(report.exitCode) \(report.verdict.rawValue)  \(shown)"
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "The report of one run.")

        @Argument(help: ArgumentHelp("A run id, a unique prefix, a run directory, or latest.", valueName: "run"))
        var reference = "latest"

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let found = try ReportFiles.document(reference)
            try RenderRequest(format: json ? "json" : "text", file: nil)
                .write(found.document, location: found.entry.path)
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune",
            abstract: "Remove old runs, and what is needed to roll them back. Pending changes stay unless told.")

        @Option(name: .customLong("older-than"), help: ArgumentHelp("Runs above this age go.", valueName: "days"))
        var days: Int64 = 30

        @Option(
            name: .customLong("max-size"),
            help: ArgumentHelp("The oldest go above this size, as 10GiB.", valueName: "size"))
        var size = "10GiB"

        @Flag(name: .customLong("drop-pending"), help: "Also drop changes that wait for commit or discard.")
        var dropsPending = false

        @Flag(name: .customLong("dry-run"), help: "Only say what would go.")
        var isDryRun = false

        func run() throws {
            guard days >= 0, days < 100_000 else {
                throw CommandFailure(.invalid, "--older-than \(days) is not a number of days")
            }
            guard let size = ByteCount(policyText: size) else {
                throw CommandFailure(.invalid, "--max-size \(SafeText.escape(self.size)) is not a size, as 10GiB")
            }
            let store = try ReportFiles.store()
            let runs = try ReportFiles.ledger { () throws(LedgerError) in try store.runs() }
            let selection = RunPruning(age: .seconds(days * 86400), size: size, dropsPending: dropsPending).select(runs)
            for run in selection.removed {
                if !isDryRun { try RunReference.refusing { () throws(StepRefused) in try RunPruning.remove(run) } }
                Console.show("\(isDryRun ? "would remove" : "removed") \(SafeText.escape(run.name))\n")
            }
            for run in selection.keptPending {
                Console.show("kept \(SafeText.escape(run.name)): its changes are pending (--drop-pending)\n")
            }
            Console.show("\(selection.removed.count) runs, \(ByteCount(selection.bytes))\n")
        }
    }
}
