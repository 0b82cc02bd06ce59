import JailModel

extension Findings {
    /// Counts the canaries of some guarantees: one that succeeded breaks the gate, and without one of `required`
    /// there is no proof that the finished jail refuses anything.
    mutating func judgeCanaries(_ record: StepRecord, of guarantees: Set<Guarantee>, required: Guarantee) {
        for canary in record.canaries where guarantees.contains(canary.guarantee) {
            let name = SafeText.escape(canary.name)
            guard canary.wasDenied else {
                violate(
                    .canaryEscaped,
                    "the canary \(name) succeeded in the finished jail: \(canary.guarantee.rawValue) does not hold",
                    fix: "run `launch-jail doctor`; report this as a defect of launch-jail")
                continue
            }
            evidence.append("canary \(name): refused (errno \(canary.errno))")
        }
        if !record.canaries.contains(where: { $0.guarantee == required }) {
            missing.append("no canary of \(required.rawValue) was tried")
        }
    }
}
