public import JailModel
public import JailPolicy
public import JailReport

/// One step as it was asked for, before anything is resolved.
public struct StepOptions: Sendable {
    public var policy: Policy
    public var argv: [ByteString]
    /// `nil`: the current directory.
    public var workspace: String?
    /// `nil`: the current directory where that is inside the workspace, else the workspace itself.
    public var cwd: String?
    /// `nil`: a new folder under the state directory.
    public var runDirectory: String?
    public var wantsTerminal = false
    /// Whether the command's output is shown on our own streams as well as logged.
    public var showsOutput = true
    public var exitMode = ExitMode.verdict
    /// Where JSON lines for programs go.
    public var statusDescriptor: Int32?
    public var environment: [String: String]
    /// Changes of an earlier step in the run directory, which this step continues.
    var openChanges: ChangeFile?
    /// How many files the earlier steps of the run directory created or modified.
    var earlierWrites: UInt64 = 0

    public init(policy: Policy, argv: [ByteString], environment: [String: String]) {
        self.policy = policy
        self.argv = argv
        self.environment = environment
    }
}

/// What a run came to, for the command line.
public struct StepResult: Sendable {
    public let report: Report
    public let exitCode: Int32
    public let runDirectory: String
}

/// Nothing was started, and no run directory was left: the message is enough (contract, section 7).
public struct StepRefused: Error, Sendable, Hashable {
    public let refusal: LaunchRefusal

    public init(_ refusal: LaunchRefusal) { self.refusal = refusal }

    public init(_ verdict: Verdict, _ code: ErrorCode, _ message: String, hint: String = "") {
        refusal = LaunchRefusal(verdict: verdict, code: code, message: message, hint: hint)
    }
}
