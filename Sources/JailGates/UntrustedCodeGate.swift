import JailModel

/// Guarantee J: no file of an untrusted tree was executed, and the command did not start inside one.
enum UntrustedCodeGate {
    private static let gate = GateName.untrustedCode

    /// What no kernel mechanism prevents; it stands in every log of this gate and in the report.
    static let residual = "an allowed interpreter reading a readable script is not prevented by the kernel"

    static func judge(_ record: StepRecord) -> GateVerdict {
        var findings = Findings(gate)
        let claim = record.claim(.untrustedExec)
        let command = record.command
        let digest = command.sha256?.hex ?? "unknown"
        findings.evidence += [
            claim.evidenceLine,
            "working directory: \(SafeText.escape(command.cwd))",
            "executable: \(SafeText.escape(command.executable)) sha256 \(digest)",
            "programs started: \(record.usage.execs)",
            "residual: \(residual)",
        ]
        if command.cwd.isEmpty { findings.missing.append("the working directory is unknown") }
        if command.executable.isEmpty || command.sha256 == nil {
            findings.missing.append("the executable's digest is unknown")
        }
        findings.judgeCanaries(record, of: [.untrustedExec], required: .untrustedExec)
        findings.violateDenials(record, kind: .exec, code: .untrustedExecution) {
            "executing \($0) was refused"
        }
        return findings.verdict(record, claim: claim, atLeast: .kernel)
    }
}
