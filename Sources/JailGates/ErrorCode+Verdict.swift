import JailModel

extension ErrorCode {
    /// What a failed gate with this cause makes of the run: a broken rule, or launch-jail's own failure to know.
    var verdict: Verdict {
        switch self {
        case .launchFailed, .canaryEscaped, .evidenceIncomplete, .runInterrupted, .gateTimeout: .internal
        case .circuitBreakerOpen: .external
        default: .violation
        }
    }
}
