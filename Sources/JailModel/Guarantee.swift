/// The twelve guarantees.
///
/// The raw value is the name in policies (`require:`) and reports.
public enum Guarantee: String, CaseIterable, Sendable, Hashable, Comparable {
    case pinnedInputs = "pinned_inputs"
    case hermeticPaths = "hermetic_paths"
    case supplyChain = "supply_chain"
    case networkEgress = "network_egress"
    case secretHygiene = "secret_hygiene"
    case budgets = "budgets"
    case changeBudget = "change_budget"
    case ciParity = "ci_parity"
    case stableTests = "stable_tests"
    case untrustedExec = "untrusted_exec"
    case versionLocks = "version_locks"
    case rollback = "rollback"

    /// The letter A to L that the seed gave it.
    ///
    /// Gates are identified by name; the letter only groups them.
    public var letter: String {
        let index = Guarantee.allCases.firstIndex(of: self) ?? 0
        return String(decoding: [UInt8(ascii: "A") + UInt8(index)], as: UTF8.self)
    }

    public static func < (lhs: Guarantee, rhs: Guarantee) -> Bool { lhs.letter < rhs.letter }
}

/// The gates that every report names.
///
/// The raw value is stable; letters are not (guarantees.md, section 9).
public enum GateName: String, CaseIterable, Sendable, Hashable {
    case pinnedRefs = "gate_j_pinned_refs"
    case hermeticPaths = "gate_b_hermetic_paths"
    case supplyChainPinning = "gate_k_supply_chain_pinning"
    case networkAllowlist = "gate_n_network_allowlist"
    case secretsHygiene = "gate_l_secrets_hygiene"
    case noFalsePass = "gate_m_no_false_pass"
    case budgetConfig = "gate_o_budget_config"
    case budgets = "gate_f_budgets"
    case changeBudget = "gate_s_change_budget"
    case ciParity = "gate_q_ci_parity"
    case testDeterminism = "gate_t_test_determinism"
    case untrustedCode = "gate_r_untrusted_code_policy"
    case versionLocks = "gate_p_version_locks"
    case rollbackCapability = "gate_t_rollback_capability"

    /// The guarantee that this gate judges.
    public var guarantee: Guarantee {
        switch self {
        case .pinnedRefs: .pinnedInputs
        case .hermeticPaths: .hermeticPaths
        case .supplyChainPinning: .supplyChain
        case .networkAllowlist: .networkEgress
        case .secretsHygiene, .noFalsePass: .secretHygiene
        case .budgetConfig, .budgets: .budgets
        case .changeBudget: .changeBudget
        case .ciParity: .ciParity
        case .testDeterminism: .stableTests
        case .untrustedCode: .untrustedExec
        case .versionLocks: .versionLocks
        case .rollbackCapability: .rollback
        }
    }
}

/// Who makes a guarantee hold.
///
/// Ordered: a larger value is stronger.
public enum EnforcementLevel: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Nothing does.
    case none
    /// It is seen, not stopped.
    case observed
    /// Judged from files before anything starts.
    case `static`
    /// launch-jail meters and stops it while it runs.
    case supervisor
    /// The kernel refuses it.
    case kernel

    public static func < (lhs: EnforcementLevel, rhs: EnforcementLevel) -> Bool {
        guard let left = allCases.firstIndex(of: lhs), let right = allCases.firstIndex(of: rhs) else { return false }
        return left < right
    }
}

/// What enforces one guarantee in one launch, and what it leaves open.
public struct EnforcementClaim: Sendable, Hashable {
    public var level: EnforcementLevel
    /// Short stable words: `mount-ns`, `landlock:7`, `seccomp`, `netns`, `rlimit:nproc`, `cgroup1:memory`.
    public var mechanisms: [String]
    /// What this host cannot close, one sentence each.
    ///
    /// Empty when the guarantee holds whole.
    public var gaps: [String]
    /// Limits of the mechanisms that do not break the guarantee, one sentence each.
    public var notes: [String]

    public init(
        level: EnforcementLevel, mechanisms: [String] = [], gaps: [String] = [], notes: [String] = []
    ) {
        self.level = level
        self.mechanisms = mechanisms
        self.gaps = gaps
        self.notes = notes
    }

    public static let none = EnforcementClaim(level: .none)
}

/// Where a run takes place, which decides how a gate that cannot be judged counts (guarantees.md, section 2.1).
public enum Profile: String, Sendable, Hashable, CaseIterable { case local, ci, prod }
