public import JailModel

/// The files of a run directory that launch-jail writes (contract, section 5).
///
/// Closed, so that no text from outside can name a path in it.
public enum RunFile: Sendable, Hashable {
    case report
    case events
    case stdout
    case stderr
    /// The unified diff of what the step changed.
    case patch
    case validationReport
    case gateLog(GateName)
    /// The finding with this number, counted from 1.
    case issue(Int, GateName)

    /// The path below the run directory.
    public var path: String {
        if let directory { "\(directory)/\(name)" } else { name }
    }

    /// The folder of the run directory that holds it.
    var directory: String? {
        switch self {
        case .gateLog: "gates"
        case .issue: "issues"
        default: nil
        }
    }

    /// The last component.
    var name: String {
        switch self {
        case .report: return "report.json"
        case .events: return "events.ndjson"
        case .stdout: return "stdout.log"
        case .stderr: return "stderr.log"
        case .patch: return "changes.patch"
        case .validationReport: return "validation_report.json"
        case .gateLog(let gate): return "\(gate.rawValue).log"
        case .issue(let number, let gate):
            var bytes: [UInt8] = []
            bytes.appendDecimal(Int64(max(0, number)), digits: 4)
            return "\(String(decoding: bytes, as: UTF8.self))_\(gate.rawValue).issue.json"
        }
    }
}
