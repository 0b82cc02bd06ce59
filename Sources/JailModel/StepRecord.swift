/// The command as it was asked for and as it was found.
public struct CommandRecord: Sendable, Hashable {
    public var argv: [ByteString]
    public var cwd: String
    public var executable: String
    public var sha256: SHA256Value?

    public init(argv: [ByteString], cwd: String, executable: String, sha256: SHA256Value?) {
        self.argv = argv
        self.cwd = cwd
        self.executable = executable
        self.sha256 = sha256
    }
}

/// How the command ended, told by the jail's init and never by the command itself.
public enum ChildEnd: Sendable, Hashable {
    case exited(Int32)
    case signaled(Int32)
}

/// What became of the launch.
public enum LaunchOutcome: Sendable, Hashable {
    /// The command ran and ended.
    case ended(ChildEnd)
    /// Nothing was started, by a decision that the user can change.
    case refused(LaunchRefusal)
    /// launch-jail could not do its work; whether the command had started is said.
    case failed(LaunchFault, started: Bool)
}

/// Why nothing was started.
public struct LaunchRefusal: Sendable, Hashable {
    public var verdict: Verdict
    public var code: ErrorCode
    public var message: String
    public var hint: String

    public init(verdict: Verdict, code: ErrorCode, message: String, hint: String = "") {
        self.verdict = verdict
        self.code = code
        self.message = message
        self.hint = hint
    }
}

/// A fault of launch-jail or of the host under it.
public struct LaunchFault: Sendable, Hashable {
    /// What was being done, in the plan's words.
    public var step: String
    /// The kernel's error number, 0 when there was none.
    public var errno: Int32
    public var message: String

    public init(step: String, errno: Int32 = 0, message: String) {
        self.step = step
        self.errno = errno
        self.message = message
    }
}

/// An operation that must be refused, tried in the finished jail before the command.
public struct CanaryResult: Sendable, Hashable {
    public var name: String
    /// The error that refused it; 0 means that it succeeded, and the jail is not what it claims to be.
    public var errno: Int32
    public var guarantee: Guarantee

    public init(name: String, errno: Int32, guarantee: Guarantee) {
        self.name = name
        self.errno = errno
        self.guarantee = guarantee
    }

    public var wasDenied: Bool { errno != 0 }
}

/// What the jailed process read back about itself after everything was applied.
public struct AppliedState: Sendable, Hashable {
    public var effectiveCapabilities: UInt64
    public var permittedCapabilities: UInt64
    public var inheritableCapabilities: UInt64
    public var boundingCapabilities: UInt64
    public var ambientCapabilities: UInt64
    public var hasNoNewPrivileges: Bool
    public var secureBits: UInt32
    public var seccompFilters: Int
    public var landlockABI: Int
    public var uid: UInt32
    public var gid: UInt32

    public init(
        effectiveCapabilities: UInt64, permittedCapabilities: UInt64, inheritableCapabilities: UInt64,
        boundingCapabilities: UInt64, ambientCapabilities: UInt64, hasNoNewPrivileges: Bool, secureBits: UInt32,
        seccompFilters: Int, landlockABI: Int, uid: UInt32, gid: UInt32
    ) {
        self.effectiveCapabilities = effectiveCapabilities
        self.permittedCapabilities = permittedCapabilities
        self.inheritableCapabilities = inheritableCapabilities
        self.boundingCapabilities = boundingCapabilities
        self.ambientCapabilities = ambientCapabilities
        self.hasNoNewPrivileges = hasNoNewPrivileges
        self.secureBits = secureBits
        self.seccompFilters = seccompFilters
        self.landlockABI = landlockABI
        self.uid = uid
        self.gid = gid
    }
}

/// What the step used, in the units of `usage` in report.json.
public struct Usage: Sendable, Hashable {
    public var wall: Duration = .zero
    public var cpu: Duration = .zero
    /// What read the CPU time: `cgroup1 cpuacct`, `cgroup2 cpu.stat`, `perf task-clock`, or `rusage (lower bound)`.
    public var cpuMeter = ""
    public var maxRSS: ByteCount = ByteCount(0)
    public var memoryMeter = ""
    public var outputBytes: UInt64 = 0
    public var bytesWritten: UInt64 = 0
    public var filesChanged: UInt64 = 0
    public var fileWrites: UInt64 = 0
    public var connections: UInt64 = 0
    public var egressBytes: UInt64 = 0
    public var llmCalls: UInt64 = 0
    public var llmTokens: UInt64 = 0
    public var denials: UInt64 = 0
    public var execs: UInt64 = 0

    public init() {}
}

/// A digest of a log that the parent wrote.
public struct StreamRecord: Sendable, Hashable {
    public var bytes: UInt64
    public var stored: UInt64
    public var sha256: SHA256Value?
    /// Whether bytes were dropped after the output budget.
    public var isTruncated: Bool

    public init(bytes: UInt64 = 0, stored: UInt64 = 0, sha256: SHA256Value? = nil, isTruncated: Bool = false) {
        self.bytes = bytes
        self.stored = stored
        self.sha256 = sha256
        self.isTruncated = isTruncated
    }
}

/// All evidence of one step, closed when its process tree is gone.
///
/// Gates read this and nothing else.
public struct StepRecord: Sendable, Hashable {
    public var runID: String
    public var version: String
    public var profile: Profile
    public var policyName: String
    public var policyDigest: SHA256Value
    public var command: CommandRecord
    public var outcome: LaunchOutcome
    public var orphansKilled: Int
    /// Whether the end of the whole process tree was proven, and by what (`pid-ns`, `listener-hup`).
    public var noSurvivors: String?
    public var usage: Usage
    public var budgets: [BudgetKind: UInt64]
    public var breaches: [BudgetBreach]
    public var denials: [Denial]
    /// Denials beyond the cap, counted only.
    public var denialsDropped: UInt64
    public var areDenialsItemised: Bool
    public var execs: [ExecRecord]
    public var egress: [EgressRecord]
    public var canaries: [CanaryResult]
    /// Protected paths that are not what they were before the step, a sentence each.
    public var pathViolations: [String]
    public var workspaceMode: WorkspaceModeName
    /// What the step changed; `nil` where no layer took it.
    public var changes: ChangeRecord?
    /// Changes that make something run outside the jail later, whether the policy allows them or not.
    public var handoffs: [TrustHandoff]
    /// `workspace.handoff` of the policy.
    public var allowedHandoffs: [HandoffClass]
    public var applied: AppliedState?
    public var planDigest: SHA256Value?
    public var host: HostFacts
    public var enforcement: [Guarantee: EnforcementClaim]
    public var networkMode: NetworkModeName
    public var onDenied: DeniedAction
    public var stdout: StreamRecord
    public var stderr: StreamRecord
    /// The signal that stopped launch-jail, when one did.
    public var interruptedBy: Int32?
    /// What weakens the evidence, a sentence each; any entry makes the verdict internal.
    public var evidenceGaps: [String]
    public var warnings: [String]
    /// Milliseconds by name, as decimals with three places.
    public var timings: [String: Duration]

    public init(
        runID: String, version: String, profile: Profile, policyName: String, policyDigest: SHA256Value,
        command: CommandRecord, outcome: LaunchOutcome, host: HostFacts
    ) {
        self.runID = runID
        self.version = version
        self.profile = profile
        self.policyName = policyName
        self.policyDigest = policyDigest
        self.command = command
        self.outcome = outcome
        self.host = host
        orphansKilled = 0
        noSurvivors = nil
        usage = Usage()
        budgets = [:]
        breaches = []
        denials = []
        denialsDropped = 0
        areDenialsItemised = false
        execs = []
        egress = []
        canaries = []
        pathViolations = []
        workspaceMode = .direct
        changes = nil
        handoffs = []
        allowedHandoffs = []
        applied = nil
        planDigest = nil
        enforcement = [:]
        networkMode = .none
        onDenied = .fail
        stdout = StreamRecord()
        stderr = StreamRecord()
        interruptedBy = nil
        evidenceGaps = []
        warnings = []
        timings = [:]
    }
}

/// `network.mode` of a policy.
public enum NetworkModeName: String, Sendable, Hashable, CaseIterable { case none, allowlist, host }

/// `network.on_denied` of a policy.
public enum DeniedAction: String, Sendable, Hashable, CaseIterable { case fail, warn }
