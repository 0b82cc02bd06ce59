import JailModel

extension Findings {
    /// How many subjects are told one by one; a job can try any number.
    static let denialLimit = 50

    /// One issue for each distinct thing of a kind that was refused, capped, with a last one that counts the rest.
    mutating func violateDenials(
        _ record: StepRecord, kind: Denial.Kind, code: ErrorCode, severity: Severity = .blocker,
        message: (_ subject: String) -> String
    ) {
        var issues: [Issue] = []
        var subjects: [String] = []
        var bySubject: [String: Denial] = [:]
        for denial in record.denials where denial.kind == kind {
            if bySubject[denial.subject] == nil { subjects.append(denial.subject) }
            bySubject[denial.subject, default: denial].count &+= bySubject[denial.subject] == nil ? 0 : denial.count
        }
        for subject in subjects.prefix(Self.denialLimit) {
            guard let denial = bySubject[subject] else { continue }
            let times = denial.count == 1 ? "once" : "\(denial.count) times"
            let text = message(SafeText.escape(subject)) + ", tried \(times) (\(SafeText.escape(denial.rule)))"
            issues.append(
                Issue(
                    gate: gate, severity: severity, code: code, message: text,
                    suggestedFix: denial.remedy.isEmpty ? nil : denial.remedy))
            evidence.append("refused: \(kind.rawValue) \(SafeText.escape(subject)) (\(SafeText.escape(denial.rule)))")
        }
        let rest = subjects.count - Self.denialLimit
        if rest > 0 {
            issues.append(
                Issue(
                    gate: gate, severity: severity, code: code,
                    message: "\(rest) more were refused; the report lists them"))
        }
        if severity >= .error { violations += issues } else { warnings += issues }
    }
}
