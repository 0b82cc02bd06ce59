import ArgumentParser
import JailModel
import JailSystem

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Try each kernel feature; say what this host can enforce, and the remedy for what it cannot.")

    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: ArgumentHelp("Where id-mapped mounts are tried.", valueName: "dir"))
    var workspace = "."

    func run() throws {
        guard ((try? Files.status(workspace, followingLinks: true)) ?? nil)?.kind == .directory else {
            throw CommandFailure(.invalid, "--workspace \(SafeText.escape(workspace)) is not a directory")
        }
        let report: DoctorReport
        do throws(SystemError) {
            report = DoctorReport(try Doctor.examine(workspace: workspace))
        } catch {
            throw CommandFailure(.internal, "the host cannot be examined: \(error)")
        }
        if json { Console.show(report.json) } else { Console.show(report.text) }
    }
}
