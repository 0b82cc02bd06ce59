/// The typed cause of an issue.
///
/// Raw values are stable and match `^[A-Z]+(_[A-Z]+)*$`.
public enum ErrorCode: String, Sendable, Hashable, CaseIterable {
    // Guarantee A
    case floatingRef = "POLICY_FLOATING_REF_DETECTED"
    // Guarantee B
    case pathEscape = "POLICY_PATH_ESCAPE"
    case pathNotAllowed = "POLICY_PATH_NOT_ALLOWED"
    case trustHandoff = "POLICY_TRUST_HANDOFF"
    // Guarantee C
    case toolChecksumMismatch = "TOOL_CHECKSUM_MISMATCH"
    // Guarantee D
    case networkBlocked = "NETWORK_BLOCKED"
    case networkAllowlistMissing = "POLICY_NETWORK_ALLOWLIST_MISSING"
    // Guarantee E
    case secretLeaked = "SECURITY_SECRET_LEAKED"
    // Guarantee F
    case budgetMissing = "POLICY_BUDGET_MISSING"
    case budgetRuntime = "BUDGET_EXCEEDED_RUNTIME"
    case budgetCPU = "BUDGET_EXCEEDED_CPU"
    case budgetMemory = "BUDGET_EXCEEDED_MEMORY"
    case budgetProcesses = "BUDGET_EXCEEDED_PROCESSES"
    case budgetOpenFiles = "BUDGET_EXCEEDED_OPEN_FILES"
    case budgetOutput = "BUDGET_EXCEEDED_OUTPUT"
    case budgetBytesWritten = "BUDGET_EXCEEDED_BYTES_WRITTEN"
    case budgetFileWrites = "BUDGET_EXCEEDED_FILE_WRITES"
    case budgetPatchAttempts = "BUDGET_EXCEEDED_PATCH_ATTEMPTS"
    case budgetLLMCalls = "BUDGET_EXCEEDED_LLM_CALLS"
    case budgetLLMTokens = "BUDGET_EXCEEDED_LLM_TOKENS"
    case budgetConnections = "BUDGET_EXCEEDED_CONNECTIONS"
    case budgetEgress = "BUDGET_EXCEEDED_EGRESS"
    case budgetDenials = "BUDGET_EXCEEDED_DENIALS"
    case circuitBreakerOpen = "CIRCUIT_BREAKER_OPEN"
    // Guarantee G
    case changeBudget = "POLICY_CHANGE_BUDGET_EXCEEDED"
    case formattingOnlyDiff = "POLICY_FORMATTING_ONLY_DIFF"
    // Guarantee L
    case commitConflict = "WORKSPACE_CONFLICT"
    // Guarantee J
    case untrustedExecution = "SECURITY_UNTRUSTED_EXECUTION"
    // The run itself
    case runInterrupted = "RUN_INTERRUPTED"
    case launchFailed = "LAUNCH_FAILED"
    case canaryEscaped = "JAIL_CANARY_ESCAPED"
    case evidenceIncomplete = "EVIDENCE_INCOMPLETE"
    case notEnforceable = "HOST_NOT_ENFORCEABLE"
    case gateNotImplemented = "GATE_NOT_IMPLEMENTED"
    case gateTimeout = "GATE_TIMEOUT"
    case schemaInvalid = "SCHEMA_VALIDATION_FAILED"
}
