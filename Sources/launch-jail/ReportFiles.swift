import JailKit
import JailLedger
import JailModel
import JailReport
import JailSystem

/// Finds runs and renders their reports for the command line.
enum ReportFiles {
    static func store() throws -> RunStore {
        try ledger { () throws(LedgerError) in try RunStore.standard(CurrentProcess.environment) }
    }

    static func ledger<Value>(_ body: () throws(LedgerError) -> Value) throws -> Value {
        do throws(LedgerError) {
            return try body()
        } catch {
            throw CommandFailure(error.verdict, error.message, hint: error.hint)
        }
    }

    static func checked<Value>(_ body: () throws(ReportError) -> Value) throws -> Value {
        do throws(ReportError) {
            return try body()
        } catch {
            throw CommandFailure(.invalid, "the report cannot be read: \(error)")
        }
    }

    /// The report of a finished run.
    static func document(_ reference: String) throws -> (document: ReportDocument, entry: RunEntry) {
        let store = try store()
        let entry = try ledger { () throws(LedgerError) in try store.resolve(reference) }
        guard entry.state == .finished else {
            throw CommandFailure(
                entry.state == .running ? .invalid : .internal,
                "run \(SafeText.escape(entry.name)) is \(entry.state.rawValue): it has no report",
                hint: "its events are in \(SafeText.escape(entry.path))/events.ndjson")
        }
        let bytes = try ledger { () throws(LedgerError) in try store.read(.report, of: entry) }
        let document = try checked { () throws(ReportError) in try ReportDocument(decoding: bytes) }
        // What was decided after the run is no part of its report: it stands beside it.
        guard let state = RunChanges.currentState(entry), document.changes.state != state,
            document.changes.state != .none
        else { return (document, entry) }
        return (try checked { () throws(ReportError) in try document.showing(state) }, entry)
    }
}

/// A rendering that was asked for: `text=FILE`.
struct RenderRequest {
    enum Format: String, CaseIterable { case text, json }
    let format: Format
    let file: String?

    init(format: String, file: String?) throws {
        guard let known = Format(rawValue: format) else {
            let later = ["markdown", "html", "sarif", "junit", "intoto"]
            if later.contains(format) {
                throw CommandFailure(.invalid, "this version does not render \(format)", hint: "use text or json")
            }
            throw CommandFailure(.invalid, "unknown report format \(SafeText.escape(format))", hint: "text or json")
        }
        self.format = known
        self.file = file
    }

    init(argument: String) throws {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw CommandFailure(.invalid, "--report \(SafeText.escape(argument)) is not FORMAT=FILE")
        }
        try self.init(format: parts[0], file: parts[1])
    }

    /// Tries the file before a step is run for nothing.
    func checkFile() throws {
        guard let file else { return }
        do throws(SystemError) {
            _ = try Files.open(file, [.write, .create, .noFollow, .nonBlocking], mode: 0o644)
        } catch {
            throw CommandFailure(.invalid, "the report cannot be written: \(error)")
        }
    }

    func write(_ document: ReportDocument, location: String) throws {
        guard let file else {
            switch format {
            case .json: Console.show(document.json)
            case .text:
                Console.show(
                    TextReport.render(
                        document, location: location, colour: Console.hasColour(1), width: Console.width(1)))
            }
            return
        }
        let bytes: [UInt8]
        switch format {
        case .json: bytes = document.json.encoded(.indented) + [UInt8(ascii: "\n")]
        case .text: bytes = Array(TextReport.render(document, location: location).utf8)
        }
        do throws(SystemError) {
            let output = try Files.open(file, [.write, .create, .truncate, .noFollow], mode: 0o644)
            try Files.writeAll(output.rawValue, bytes)
        } catch {
            throw CommandFailure(.internal, "the report cannot be written: \(error)")
        }
    }
}
