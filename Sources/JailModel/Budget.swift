/// The budgets of a policy.
///
/// The raw value is the policy key; limits are inclusive.
public enum BudgetKind: String, Sendable, Hashable, CaseIterable {
    case runtime = "max_runtime_s"
    case cpu = "max_cpu_s"
    case memory = "max_memory"
    case processes = "max_processes"
    case openFiles = "max_open_files"
    case output = "max_output"
    case bytesWritten = "max_bytes_written"
    case filesChanged = "max_files_changed"
    case linesPerFile = "max_lines_per_file"
    case fileWrites = "max_file_writes"
    case patchAttempts = "max_patch_attempts"
    case llmCalls = "max_llm_calls"
    case llmTokens = "max_llm_tokens"
    case connections = "max_connections"
    case egress = "max_egress"
    case denials = "max_denials"

    /// What a breach of this budget is called in issues.
    public var errorCode: ErrorCode {
        switch self {
        case .runtime: .budgetRuntime
        case .cpu: .budgetCPU
        case .memory: .budgetMemory
        case .processes: .budgetProcesses
        case .openFiles: .budgetOpenFiles
        case .output: .budgetOutput
        case .bytesWritten: .budgetBytesWritten
        case .filesChanged, .linesPerFile: .changeBudget
        case .fileWrites: .budgetFileWrites
        case .patchAttempts: .budgetPatchAttempts
        case .llmCalls: .budgetLLMCalls
        case .llmTokens: .budgetLLMTokens
        case .connections: .budgetConnections
        case .egress: .budgetEgress
        case .denials: .budgetDenials
        }
    }

    /// The guarantee that it belongs to.
    public var guarantee: Guarantee {
        switch self {
        case .filesChanged, .linesPerFile, .fileWrites: .changeBudget
        default: .budgets
        }
    }
}

/// A budget that ran out: which, how much was allowed, how much was seen, in the budget's own unit.
///
/// Units: seconds for times (rounded up), bytes for sizes, otherwise a count.
public struct BudgetBreach: Sendable, Hashable {
    public let kind: BudgetKind
    public let limit: UInt64
    public let observed: UInt64
    /// What saw it: `supervisor clock`, `cgroup1 memory`, `rlimit`.
    public let meter: String

    public init(kind: BudgetKind, limit: UInt64, observed: UInt64, meter: String) {
        self.kind = kind
        self.limit = limit
        self.observed = observed
        self.meter = meter
    }
}
