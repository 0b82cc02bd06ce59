import JailKit
import JailModel
import JailSystem

/// What is said to people: results on standard output, everything else on standard error.
enum Console {
    /// Writes to standard output; a reader that is gone is no error.
    static func show(_ text: String) { try? Files.writeAll(1, Array(text.utf8)) }

    /// Writes to standard output as JSON.
    static func show(_ value: JSONValue) {
        try? Files.writeAll(1, value.encoded(.indented) + [UInt8(ascii: "\n")])
    }

    /// Writes to standard error.
    static func complain(_ text: String) {
        guard Terminal.isOpen(2) else { return }
        try? Files.writeAll(2, Array(text.utf8))
    }

    /// One line with the cause, and one with what to do.
    static func complain(_ failure: CommandFailure) {
        complain("launch-jail: \(failure.message)\n" + (failure.hint.isEmpty ? "" : "  hint: \(failure.hint)\n"))
    }

    /// Whether colours may be used on a stream (https://no-color.org).
    static func hasColour(_ fd: Int32) -> Bool {
        guard Terminal.isTerminal(fd), CurrentProcess.environment["NO_COLOR"]?.isEmpty ?? true else { return false }
        return CurrentProcess.environment["TERM"] != "dumb"
    }

    static func width(_ fd: Int32) -> Int { Terminal.windowSize(fd).map { Int($0.columns) } ?? 100 }
}

/// A command that ends with a documented exit code and one sentence.
struct CommandFailure: Error {
    let exitCode: Int32
    let message: String
    let hint: String

    init(_ verdict: Verdict, _ message: String, hint: String = "") {
        exitCode = verdict.exitCode
        self.message = message
        self.hint = hint
    }

    init(_ refused: StepRefused) {
        self.init(refused.refusal.verdict, refused.refusal.message, hint: refused.refusal.hint)
    }
}
