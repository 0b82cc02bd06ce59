/// What a run came to.
///
/// The exit code is part of the contract (section 2) and is never chosen by the command.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
    case pass
    case childFailed = "child_failed"
    case invalid
    case violation
    case external
    case `internal` = "internal"
    case unenforceable

    /// The process exit code of this verdict.
    public var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .childFailed: 1
        case .invalid: 2
        case .violation: 3
        case .external: 4
        case .internal: 5
        case .unenforceable: 6
        }
    }

    /// The one that counts when several hold: 5, 6, 2, 3, 4, 1, 0.
    public static func worst(_ verdicts: some Sequence<Verdict>) -> Verdict {
        let order: [Verdict] = [.internal, .unenforceable, .invalid, .violation, .external, .childFailed, .pass]
        let present = Set(verdicts)
        return order.first { present.contains($0) } ?? .pass
    }
}

/// What a gate found.
///
/// `reason` says why it was blocked or does not apply.
public enum GateStatus: String, Sendable, Hashable { case pass, fail, blocked, notApplicable = "not_applicable" }

/// One gate's judgement with the evidence that it rests on.
public struct GateVerdict: Sendable, Hashable {
    public let gate: GateName
    public let status: GateStatus
    public let enforcement: EnforcementClaim
    public let reason: String
    public let issues: [Issue]
    /// Stable lines for `gates/NAME.log`; no timestamps.
    public let evidence: [String]

    public init(
        gate: GateName, status: GateStatus, enforcement: EnforcementClaim, reason: String = "", issues: [Issue] = [],
        evidence: [String] = []
    ) {
        self.gate = gate
        self.status = status
        self.enforcement = enforcement
        self.reason = reason
        self.issues = issues
        self.evidence = evidence
    }

    /// A blocked gate counts as a failure: what was not judged is never a pass.
    public var isFailure: Bool { status == .fail || status == .blocked }
}
