import JailModel

/// Every key of a policy file.
///
/// The raw value is the key path.
///
/// The parser, the rendering and the table switch over this type, so a key cannot be half known.
enum PolicyKey: String, Sendable, Hashable, CaseIterable {
    case version, extends, profile, overridable
    case workspaceMode = "workspace.mode"
    case workspaceWrite = "workspace.write"
    case workspaceProtect = "workspace.protect"
    case workspaceScratch = "workspace.scratch"
    case workspaceUntrusted = "workspace.untrusted"
    case workspaceHandoff = "workspace.handoff"
    case workspaceOnPass = "workspace.on_pass"
    case workspaceOnFail = "workspace.on_fail"
    case filesystemRead = "filesystem.read"
    case filesystemWrite = "filesystem.write"
    case filesystemHide = "filesystem.hide"
    case filesystemTmp = "filesystem.tmp"
    case networkMode = "network.mode"
    case networkAllow = "network.allow"
    case networkAllowlistFile = "network.allowlist_file"
    case networkOnDenied = "network.on_denied"
    case execWorkspace = "exec.workspace"
    case execAllow = "exec.allow"
    case execLedger = "exec.ledger"
    case environmentPass = "env.pass"
    case environmentSet = "env.set"
    case secretsHold = "secrets.hold"
    case secretsInject = "secrets.inject"
    case secretsScan = "secrets.scan"
    case gateway
    case maxRuntime = "budgets.max_runtime_s"
    case maxCPU = "budgets.max_cpu_s"
    case maxMemory = "budgets.max_memory"
    case maxProcesses = "budgets.max_processes"
    case maxOpenFiles = "budgets.max_open_files"
    case maxOutput = "budgets.max_output"
    case maxBytesWritten = "budgets.max_bytes_written"
    case maxFilesChanged = "budgets.max_files_changed"
    case maxLinesPerFile = "budgets.max_lines_per_file"
    case maxFileWrites = "budgets.max_file_writes"
    case maxPatchAttempts = "budgets.max_patch_attempts"
    case maxLLMCalls = "budgets.max_llm_calls"
    case maxLLMTokens = "budgets.max_llm_tokens"
    case maxConnections = "budgets.max_connections"
    case maxEgress = "budgets.max_egress"
    case maxDenials = "budgets.max_denials"
    case breakerFailures = "breaker.failures"
    case breakerCooldown = "breaker.cooldown_s"
    case inputs, require

    var path: String { rawValue }

    /// The mapping that the key stands in; empty at the top.
    var section: String { rawValue.firstIndex(of: ".").map { String(rawValue[..<$0]) } ?? "" }

    /// The key without its section.
    var leaf: String { rawValue.firstIndex(of: ".").map { String(rawValue[rawValue.index(after: $0)...]) } ?? rawValue }

    /// The budget that this key limits.
    var budget: BudgetKind? { section == "budgets" ? BudgetKind(rawValue: leaf) : nil }

    /// The mappings of a policy file, in the order of the file.
    static let sections = ["workspace", "filesystem", "network", "exec", "env", "secrets", "budgets", "breaker"]
}
