import JailModel

extension Verdict {
    /// The verdict in a word, as a headline has it.
    var word: String {
        switch self {
        case .pass: "pass"
        case .childFailed: "command failed"
        case .invalid: "invalid"
        case .violation: "policy violation"
        case .external: "external failure"
        case .internal: "internal error"
        case .unenforceable: "not enforceable here"
        }
    }

    /// What the verdict means, in one sentence for somebody who never saw one.
    var meaning: String {
        switch self {
        case .pass: "The command exited 0 and every gate that applies passed."
        case .childFailed: "The command itself failed; every gate that applies passed."
        case .invalid: "The request, the policy or the command is not usable; nothing was started."
        case .violation: "At least one gate failed."
        case .external: "Something outside that the step depends on failed."
        case .internal: "launch-jail could not do its work or its evidence is incomplete; nothing is vouched for."
        case .unenforceable: "This host cannot enforce a guarantee that the policy requires; nothing was started."
        }
    }

    var colour: TextStyle.Colour {
        switch self {
        case .pass: .green
        case .childFailed, .external: .yellow
        case .invalid, .violation, .internal, .unenforceable: .red
        }
    }
}

extension ReportDocument {
    /// What the verdict means, and what it means for the workspace where that is not in the verdict.
    var meaning: String {
        guard verdict == .violation, child.isStarted else { return verdict.meaning }
        return verdict.meaning
            + {
                switch (changes.mode, changes.state) {
                case (.direct, _): " What the step wrote in the workspace is still there (mode direct)."
                case (.overlay, .pending), (.overlay, .discarded), (.overlay, .rolledBack):
                    " Nothing was published to the workspace."
                case (.overlay, .none), (.overlay, .committed), (.readonly, _): ""
                }
            }()
    }
}

extension GateStatus {
    var word: String {
        switch self {
        case .pass: "pass"
        case .fail: "FAIL"
        case .blocked: "BLOCKED"
        case .notApplicable: "not judged"
        }
    }
}

extension GateName {
    /// The guarantee, and what is judged of it where two gates do.
    var title: String {
        switch self {
        case .noFalsePass: "\(guarantee.rawValue): no_false_pass"
        case .budgetConfig: "\(guarantee.rawValue): budget_config"
        default: guarantee.rawValue
        }
    }
}

extension ReportDocument {
    /// The command line as a person would type it; words that a shell would split or expand are quoted.
    var commandLine: String {
        command.argv.map { word in
            let isPlain =
                !word.isEmpty
                && word.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"):
                        true
                    default: "_-./=:,+@%".utf8.contains(byte)
                    }
                }
            if isPlain { return word }
            // What would not be shown as it is, is shown escaped; a shell would not read that form back.
            guard SafeText.keepingEscapes(word) == word else { return "'" + SafeText.escape(word) + "'" }
            return "'" + word.replacing("'", with: "'\\''") + "'"
        }.joined(separator: " ")
    }

    /// How the command ended, in words.
    var ending: String {
        if let code = child.exitCode { return "exited \(code)" }
        if let signal = child.signal { return "was killed by signal \(signal)" }
        return child.isStarted ? "was started; how it ended is not known" : "was not started"
    }

    /// The gates that failed for a reason of their own; without a start that is only a static gate that failed.
    var ownFailures: [Gate] {
        gates.filter { child.isStarted ? $0.isFailure && !$0.issues.isEmpty : $0.status == .fail }
    }

    /// What the headline says of a refusal or a fault; empty when the step ended.
    var cause: String {
        guard !outcome.message.isEmpty else { return "" }
        let step = outcome.step.isEmpty ? "" : SafeText.keepingEscapes(outcome.step) + ": "
        return step + SafeText.keepingEscapes(outcome.message)
    }

    /// What is worth a warning; that a gate is not judged yet stands in the table of gates.
    var allWarnings: [String] {
        warnings
            + issues.filter { $0.severity <= .warn && $0.code != ErrorCode.gateNotImplemented.rawValue }.map(\.message)
    }

    func issues(of gate: Gate) -> [ReportedIssue] { issues.filter { gate.issues.contains($0.id) } }

    func count(_ status: GateStatus) -> Int { gates.count { $0.status == status } }
}

/// Microseconds as seconds with three places, `0.012 s`.
func secondsText(_ microseconds: Int64) -> String {
    let milliseconds = max(0, microseconds) / 1000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest + " s"
}

/// A size in the largest unit that leaves at least 1, with one place: `5.0 MiB`.
func sizeText(_ bytes: Int64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var index = 0
    while index < units.count - 1, bytes >> Int64(10 * (index + 1)) > 0 { index += 1 }
    if index == 0 { return "\(bytes) bytes" }
    let tenths = (bytes >> Int64(10 * (index - 1))) * 10 / 1024
    return "\(tenths / 10).\(tenths % 10) \(units[index])"
}

func times(_ count: Int64) -> String { count == 1 ? "once" : "\(count) times" }
