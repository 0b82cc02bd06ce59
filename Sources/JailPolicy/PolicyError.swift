/// One mistake in a policy: where it is, what it is, and what to write instead.
public struct PolicyDiagnostic: Sendable, Hashable, CustomStringConvertible {
    public let file: String
    /// From 1; 0 when the whole file is meant.
    public let line: Int
    public let column: Int
    /// The key path, such as `budgets.max_memory`.
    public let key: String
    public let message: String
    /// One sentence the user can act on; empty when there is none.
    public let hint: String

    public init(file: String, line: Int, column: Int, key: String, message: String, hint: String = "") {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.message = message
        self.hint = hint
    }

    /// `policy.yaml:12:3: budgets.max_memory: …; hint`.
    public var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place): \(subject)\(message)" + (hint.isEmpty ? "" : "; \(hint)")
    }
}

/// Every mistake of a policy at once, in the order of the file.
///
/// Exit 2; nothing is started.
public struct PolicyError: Error, Sendable, Hashable {
    public let diagnostics: [PolicyDiagnostic]

    public init(diagnostics: [PolicyDiagnostic]) { self.diagnostics = diagnostics }
}
