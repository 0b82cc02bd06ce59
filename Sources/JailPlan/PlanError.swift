public import JailModel

/// Why no plan could be made.
///
/// Nothing has been started.
public struct PlanError: Error, Sendable, Hashable {
    public let refusal: LaunchRefusal

    public init(_ verdict: Verdict, _ code: ErrorCode, _ message: String, hint: String = "") {
        refusal = LaunchRefusal(verdict: verdict, code: code, message: message, hint: hint)
    }
}
