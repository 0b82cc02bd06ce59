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
                Console.show("\(SafeText.escape(run.name))  \(run.state.rawValue)  \(SafeText.escape(run.path))\n")
            }
        }
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
