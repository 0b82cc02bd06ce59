import Glibc

/// What a probe said by its exit code.
public enum ProbeOutcome: Sendable, Hashable, CustomStringConvertible {
    /// The attack reached its goal.
    case worked
    case refused
    /// It could not be tried.
    case broken
    /// The probe ended in another way: it was killed, or never started.
    case lost(String)

    init(code: Int32?, otherwise: String) {
        switch code {
        case 0: self = .worked
        case 10: self = .refused
        case 20: self = .broken
        default: self = .lost(otherwise)
        }
    }

    public var description: String {
        switch self {
        case .worked: "worked"
        case .refused: "refused"
        case .broken: "could not be tried"
        case .lost(let how): "ended oddly: \(how)"
        }
    }
}

/// The compiled probes.
public enum Probe {
    public static let escape = Environment.probes + "/escape-probe"
    public static let busy = Environment.probes + "/busy"
    public static let degrade = Environment.probes + "/degrade"
    public static let ptyrun = Environment.probes + "/ptyrun"
    public static let trueProgram = Environment.probes + "/true"

    /// Runs an attack without a jail: the control.
    public static func control(
        _ words: [String], on stage: Stage, environment: [String: String] = [:], wrapper: [String] = [],
        extra: [Int32: Int32] = [:], stdin: StreamSource = .usual
    ) throws -> (outcome: ProbeOutcome, result: ProcessResult) {
        var all = ["PATH": "/usr/bin:/bin", "HOME": stage.home]
        all.merge(environment) { $1 }
        var request = ProcessRequest(wrapper + [escape] + words, environment: all, directory: stage.workspace)
        request.extra = extra
        request.stdin = stdin
        let result = try execute(request)
        return (ProbeOutcome(code: result.code, otherwise: "\(result.end)"), result)
    }

    /// What the probe inside a run came to.
    ///
    /// The truth is the report's word on the command, not launch-jail's exit code.
    public static func outcome(_ result: JailResult) -> ProbeOutcome {
        guard result.hasStarted else { return .lost("never started\n" + result.account) }
        guard let code = result.childCode else { return .lost(result.account) }
        return ProbeOutcome(code: Int32(code), otherwise: result.account)
    }
}
