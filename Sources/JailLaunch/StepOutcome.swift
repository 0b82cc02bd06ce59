public import JailModel
internal import JailSystem

/// What the supervisor saw of one launch, from the clone to the end of the last process.
public struct StepOutcome: Sendable {
    public var end: ChildEnd?
    /// Why there is no end: the launch failed, or init died before it could tell.
    public var failure: LaunchFailure?
    public var started = false
    public var orphansKilled = 0
    public var noSurvivors: String?
    public var usage = Usage()
    public var breaches: [BudgetBreach] = []
    public var denials: [Denial] = []
    public var denialsDropped: UInt64 = 0
    public var areDenialsItemised = false
    public var execs: [ExecRecord] = []
    public var canaries: [CanaryResult] = []
    public var applied: AppliedState?
    public var stdout = StreamRecord()
    public var stderr = StreamRecord()
    public var interruptedBy: Int32?
    public var evidenceGaps: [String] = []
    public var warnings: [String] = []
    public var timings: [String: Duration] = [:]
    /// The layer that took the changes of the step; it lives as long as somebody holds it.
    public var layer: LayerHandle?

    /// Nothing was seen yet.
    public init() {}
}

/// The top directory of the layer that took a step's changes, open for the supervisor only.
///
/// On a tmpfs the changes are gone with the last descriptor: nothing has to be cleaned up.
public final class LayerHandle: Sendable {
    private let directory: OwnedFD

    init(_ directory: consuming OwnedFD) { self.directory = directory }

    /// The descriptor, lent.
    public var descriptor: Int32 { directory.rawValue }
}

/// What a launch needs besides its plan.
public struct LaunchContext: Sendable {
    /// Names the cgroup.
    public var runID: String
    /// Open for appending; they stay the caller's.
    public var stdoutLog: Int32
    public var stderrLog: Int32
    public var networkMode: NetworkModeName
    public var host: HostFacts
    /// The inode of our own pid namespace.
    public var pidNamespace: UInt64
    /// Whether the command's output is also shown on our own streams.
    public var showsOutput: Bool

    public init(
        runID: String, stdoutLog: Int32, stderrLog: Int32, networkMode: NetworkModeName, host: HostFacts,
        pidNamespace: UInt64, showsOutput: Bool
    ) {
        self.runID = runID
        self.stdoutLog = stdoutLog
        self.stderrLog = stderrLog
        self.networkMode = networkMode
        self.host = host
        self.pidNamespace = pidNamespace
        self.showsOutput = showsOutput
    }
}
