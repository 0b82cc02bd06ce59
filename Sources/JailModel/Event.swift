/// One fact or decision of a run, in the order in which the supervisor saw it.
///
/// The raw value stands in events.ndjson.
public enum EventType: String, Sendable, Hashable, CaseIterable {
    case runCreated = "RUN_CREATED"
    case planCompiled = "PLAN_COMPILED"
    case launchStep = "LAUNCH_STEP"
    case jailApplied = "JAIL_APPLIED"
    case canary = "CANARY"
    case stepStarted = "WORK_ITEM_STARTED"
    case stepFinished = "WORK_ITEM_FINISHED"
    case stepFailed = "WORK_ITEM_FAILED"
    case exec = "EXEC"
    case denial = "DENIAL"
    case budgetBreach = "BUDGET_BREACH"
    case signal = "SIGNAL"
    case changesRead = "CHANGES_READ"
    case changesDisposed = "CHANGES_DISPOSED"
    case gateStarted = "GATE_RUN_STARTED"
    case gateFinished = "GATE_RUN_FINISHED"
    case issueOpened = "ISSUE_OPENED"
    case error = "ERROR"
    case runCompleted = "RUN_COMPLETED"
    case runFailed = "RUN_FAILED"
}

/// An event before it is numbered, dated and chained.
///
/// Payloads hold no floating point.
public struct Event: Sendable, Hashable {
    public let type: EventType
    public let payload: [String: JSONValue]

    public init(_ type: EventType, _ payload: [String: JSONValue] = [:]) {
        self.type = type
        self.payload = payload
    }
}
