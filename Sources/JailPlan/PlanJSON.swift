public import JailModel

extension Plan {
    /// The plan for programs: what `launch-jail plan --json` prints.
    public func json() -> JSONValue {
        var claims: [String: JSONValue] = [:]
        for (guarantee, claim) in enforcement {
            claims[guarantee.rawValue] = [
                "level": .string(claim.level.rawValue), "mechanisms": .strings(claim.mechanisms),
                "gaps": .strings(claim.gaps),
            ]
        }
        var budgets: [String: JSONValue] = [:]
        for (kind, limit) in limits.budgets { budgets[kind.rawValue] = .integer(Int64(clamping: limit)) }
        return [
            "schema": "launch-jail/plan/v1",
            "sha256": .string(digest.hex),
            "tier": .string(tier.rawValue),
            "namespaces": .strings(Namespaces.names.filter { namespaces.contains($0.0) }.map(\.1)),
            "steps": .strings(steps.map(\.description)),
            "rlimits": .object(
                Dictionary(
                    tail.rlimits.map { ($0.resource.name, .integer(Int64(clamping: $0.value))) },
                    uniquingKeysWith: { first, _ in first })),
            "budgets": .object(budgets),
            "cwd": .string(tail.cwd),
            "executable": .string(tail.executable),
            "argv": .strings(tail.argv.map(\.description)),
            "environment": .strings(tail.environment.map(\.description)),
            "canaries": .strings(tail.canaries.map(\.name)),
            "seccomp": .strings(Array(Set(filter.rules.map(\.name))).sorted()),
            "enforcement": .object(claims),
            "warnings": .strings(warnings),
        ]
    }
}
