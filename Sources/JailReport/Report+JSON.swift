public import JailModel

extension Report {
    /// The name of the format, which changes when a key is removed or means something else.
    public static let schema = "launch-jail/report/v1"

    /// Every key of the contract's section 6, always, and some more.
    public func json() -> JSONValue {
        [
            "applied": record.applied.map(\.json) ?? nil,
            "breaches": .array(record.breaches.map(\.json)),
            "budgets": .object(
                Dictionary(uniqueKeysWithValues: record.budgets.map { ($0.key.rawValue, .count($0.value)) })),
            "canaries": .array(record.canaries.map(\.json)),
            "changes": record.changesJSON,
            "child": child,
            "command": record.command.json,
            "denials": .array(record.denials.map(\.json)),
            "denials_dropped": .count(record.denialsDropped),
            "denials_itemised": .bool(record.areDenialsItemised),
            "egress": .array(record.egress.map(\.json)),
            "enforcement": .object(
                Dictionary(
                    uniqueKeysWithValues: Guarantee.allCases.map {
                        ($0.rawValue, .string((record.enforcement[$0] ?? .none).level.rawValue))
                    })),
            "events": ["count": .count(eventCount), "head": .string(eventHead)],
            "evidence_gaps": .strings(record.evidenceGaps),
            "path_violations": .strings(record.pathViolations),
            "execs": .array(record.execs.map(\.json)),
            "exit_code": .integer(Int64(exitCode)),
            "gates": .array(verdicts.map(gate)),
            "handoffs": .array(record.handoffs.map { $0.json(isAllowed: record.allowedHandoffs.contains($0.handoff)) }),
            "host": record.host.json,
            "inputs": [],
            "interrupted_by": record.interruptedBy.map { .integer(Int64($0)) } ?? nil,
            "issues": .array(findings.map(\.json)),
            "launch_jail": .string(record.version),
            "logs": ["stderr": record.stderr.json, "stdout": record.stdout.json],
            "network": ["mode": .string(record.networkMode.rawValue), "on_denied": .string(record.onDenied.rawValue)],
            "outcome": record.outcome.json,
            "plan_sha256": .string(record.planDigest?.hex ?? ""),
            "policy": ["name": .string(record.policyName), "sha256": .string(record.policyDigest.hex)],
            "profile": .string(record.profile.rawValue),
            "residual": .strings(residual),
            "run_id": .string(record.runID),
            "schema": .string(Self.schema),
            "timings_ms": .object(record.timings.mapValues(JSONValue.milliseconds)),
            "usage": record.usage.json,
            "verdict": .string(verdict.rawValue),
            "warnings": .strings(record.warnings),
        ]
    }

    private var child: JSONValue {
        var started = false
        var code: JSONValue = nil
        var signal: JSONValue = nil
        switch record.outcome {
        case .ended(.exited(let status)):
            started = true
            code = .integer(Int64(status))
        case .ended(.signaled(let number)):
            started = true
            signal = .integer(Int64(number))
        case .failed(_, let wasStarted): started = wasStarted
        case .refused: break
        }
        return [
            "exit_code": code, "no_survivors": record.noSurvivors.map(JSONValue.string) ?? nil,
            "orphans_killed": .integer(Int64(record.orphansKilled)), "signal": signal, "started": .bool(started),
        ]
    }

    private func gate(_ verdict: GateVerdict) -> JSONValue {
        let ids = findings.filter { $0.issue.gate == verdict.gate }.sorted { $0.number < $1.number }.map(\.id)
        return [
            "enforcement": .string(verdict.enforcement.level.rawValue),
            "evidence": .strings(verdict.evidence),
            "gaps": .strings(verdict.enforcement.gaps),
            "notes": .strings(verdict.enforcement.notes),
            "guarantee": .string(verdict.gate.guarantee.letter),
            "issues": .strings(ids),
            "mechanisms": .strings(verdict.enforcement.mechanisms),
            "name": .string(verdict.gate.rawValue),
            "reason": .string(verdict.reason),
            "status": .string(verdict.status.rawValue),
        ]
    }

    /// What no mechanism prevents, as the gates' logs say it.
    private var residual: [String] {
        let mark = "residual: "
        return verdicts.flatMap(\.evidence).filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
    }
}

extension Finding {
    /// As `issues` of report.json has it; every key, an empty text where there is nothing to say.
    var json: JSONValue {
        [
            "error_code": .string(issue.code.rawValue), "files": .strings(issue.files),
            "gate": .string(issue.gate.rawValue), "issue_id": .string(id), "message": .string(issue.message),
            "severity": .string(issue.severity.rawValue), "status": "OPEN",
            "suggested_fix": .string(issue.suggestedFix ?? ""),
        ]
    }
}
