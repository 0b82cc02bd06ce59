import ArgumentParser
import JailLedger
import JailModel
import JailReport

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "The runs on this machine.", subcommands: [List.self, Show.self],
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
}
