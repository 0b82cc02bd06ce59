import ArgumentParser
import JailLedger

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Render the report of a run again, from the recorded evidence.")

    @Argument(help: ArgumentHelp("A run id, a unique prefix of one, a run directory, or latest.", valueName: "run"))
    var reference = "latest"

    @Option(help: ArgumentHelp("text or json.", valueName: "format"))
    var format = "text"

    @Option(help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
    var output: String?

    func run() throws {
        let found = try ReportFiles.document(reference)
        try RenderRequest(format: format, file: output).write(found.document, location: found.entry.path)
    }
}
