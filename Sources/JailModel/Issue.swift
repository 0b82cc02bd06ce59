/// How much an issue matters.
///
/// Lower case in every file (guarantees.md, section 2.5).
public enum Severity: String, Sendable, Hashable, Comparable, CaseIterable {
    case info, warn, error, blocker

    public static func < (lhs: Severity, rhs: Severity) -> Bool {
        guard let left = allCases.firstIndex(of: lhs), let right = allCases.firstIndex(of: rhs) else { return false }
        return left < right
    }
}

/// One finding of a gate: what, why, and what to do about it.
public struct Issue: Sendable, Hashable {
    public let gate: GateName
    public let severity: Severity
    public let code: ErrorCode
    public let message: String
    public let files: [String]
    public let suggestedFix: String?

    public init(
        gate: GateName, severity: Severity, code: ErrorCode, message: String, files: [String] = [],
        suggestedFix: String? = nil
    ) {
        self.gate = gate
        self.severity = severity
        self.code = code
        self.message = message
        self.files = files
        self.suggestedFix = suggestedFix
    }
}
