public import JailModel

/// Text that is no report of this format: which key, and what is wrong with it.
public struct ReportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the key, as `gates[3].status`; empty for the text as a whole.
    public let key: String
    public let reason: String

    public init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }

    public var description: String { key.isEmpty ? reason : "\(key): \(reason)" }
}

/// A report as the renderers read it: of a run that just ended, or read back from report.json.
///
/// Closed values for what is decided on; the text in it is untrusted and goes through ``SafeText`` when it is printed.
public struct ReportDocument: Sendable, Hashable {
    /// The whole report, for `--format json`; what is written again has the same bytes.
    public let json: JSONValue
    public let version: String
    public let runID: String
    public let profile: Profile
    public let policyName: String
    public let verdict: Verdict
    public let exitCode: Int64
    public let command: Command
    public let child: Child
    public let outcome: Outcome
    public let usage: Used
    public let budgets: [BudgetKind: Int64]
    public let gates: [Gate]
    public let issues: [ReportedIssue]
    public let denials: [ReportedDenial]
    public let denialsDropped: Int64
    public let areDenialsItemised: Bool
    public let canaries: [Canary]
    public let host: Host
    public let evidenceGaps: [String]
    public let warnings: [String]
    public let residual: [String]
    public let interruptedBy: Int64?
    public let changes: Changes

    /// What the step changed in a layered workspace.
    public struct Changes: Sendable, Hashable {
        public let state: ChangeState
        /// `workspace.mode` of the policy.
        public let mode: WorkspaceModeName
        public let layer: String
        public let files: [ChangedFile]
        /// How many files are not listed.
        public let omitted: Int64
        public let conflicts: [String]
    }

    public struct ChangedFile: Sendable, Hashable {
        public let path: String
        public let from: String
        public let kind: ChangeKind
        public let added: Int64
        public let removed: Int64
        public let isBinary: Bool
        public let isDirectory: Bool
        public let sizeBefore: Int64
        public let sizeAfter: Int64
    }

    public struct Command: Sendable, Hashable {
        public let argv: [String]
        public let cwd: String
        public let executable: String
        public let sha256: String
    }

    public struct Child: Sendable, Hashable {
        public let isStarted: Bool
        public let exitCode: Int64?
        public let signal: Int64?
        public let orphansKilled: Int64
    }

    public struct Outcome: Sendable, Hashable {
        /// What launch-jail was doing when it failed; empty otherwise.
        public let step: String
        public let message: String
        public let hint: String
    }

    /// Times in microseconds, sizes in bytes.
    public struct Used: Sendable, Hashable {
        public let wall: Int64
        public let cpu: Int64
        public let cpuMeter: String
        public let memory: Int64
        public let memoryMeter: String
        /// The plain counts by key, as `output_bytes`.
        public let counts: [String: Int64]
    }

    public struct Gate: Sendable, Hashable {
        public let name: GateName
        public let status: GateStatus
        public let enforcement: EnforcementLevel
        public let mechanisms: [String]
        public let reason: String
        public let issues: [String]
        public let evidence: [String]

        public var isFailure: Bool { status == .fail || status == .blocked }
    }

    public struct ReportedIssue: Sendable, Hashable {
        public let id: String
        public let gate: GateName
        public let severity: Severity
        public let code: String
        public let message: String
        public let suggestedFix: String
    }

    public struct ReportedDenial: Sendable, Hashable {
        public let kind: Denial.Kind
        public let subject: String
        public let count: Int64
        public let rule: String
        public let remedy: String
    }

    public struct Canary: Sendable, Hashable {
        public let name: String
        public let isDenied: Bool
    }

    public struct Host: Sendable, Hashable {
        public let kernel: String
        public let arch: String
        public let tier: Tier
        public let landlockABI: Int64
    }

    /// Reads report.json; more keys than the known ones are left alone.
    public init(decoding bytes: [UInt8]) throws(ReportError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw ReportError(key: "", reason: "not a JSON text: \(error)")
        }
        try self.init(value)
    }

    /// Takes the report of a value that has its form.
    public init(_ json: JSONValue) throws(ReportError) {
        let top = ReportReader(json)
        guard try top.text("schema") == Report.schema else {
            throw ReportError(key: "schema", reason: "not \(Report.schema)")
        }
        self.json = json
        version = try top.text("launch_jail")
        runID = try top.text("run_id")
        profile = try top.choice("profile")
        policyName = try top["policy"].text("name")
        verdict = try top.choice("verdict")
        exitCode = try top.number("exit_code")
        command = try Command(top["command"])
        child = try Child(top["child"])
        outcome = try Outcome(top["outcome"])
        usage = try Used(top["usage"])
        budgets = try Self.budgets(top)
        gates = try top.elements("gates", Gate.init)
        issues = try top.elements("issues", ReportedIssue.init)
        denials = try top.elements("denials", ReportedDenial.init)
        denialsDropped = try top.number("denials_dropped")
        areDenialsItemised = try top.flag("denials_itemised")
        canaries = try top.elements("canaries", Canary.init)
        host = try Host(top["host"])
        evidenceGaps = try top.texts("evidence_gaps")
        warnings = try top.texts("warnings")
        residual = try top.texts("residual")
        interruptedBy = try top.optionalNumber("interrupted_by")
        changes = try Changes(top["changes"])
    }

    /// The bytes of report.json again.
    public func encoded() -> [UInt8] { json.encoded(.indented, asciiOnly: true) + [UInt8(ascii: "\n")] }

    private static func budgets(_ top: ReportReader) throws(ReportError) -> [BudgetKind: Int64] {
        let reader = try top["budgets"]
        var found: [BudgetKind: Int64] = [:]
        for kind in BudgetKind.allCases {
            if let limit = try reader.optionalNumber(kind.rawValue) { found[kind] = limit }
        }
        return found
    }
}
