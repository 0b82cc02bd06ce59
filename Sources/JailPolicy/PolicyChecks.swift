import JailModel

/// What only shows when a policy is whole: rules that contradict each other.
enum PolicyChecks {
    /// The contradictions of a policy.
    ///
    /// Each stands at its rule when `file` has written it, else at the key of `file` that made a contradiction of it.
    static func problems(_ loaded: LoadedPolicy, file: String, places: [PolicyKey: YAMLPlace]) -> [PolicyDiagnostic] {
        var out: [PolicyDiagnostic] = []
        func note(_ key: PolicyKey, _ index: Int, or other: PolicyKey, _ message: String, _ hint: String) {
            var origin = loaded.origins.element(key, index)
            if origin?.file != file, let place = places[other] {
                origin = RuleOrigin(file: file, line: place.line, column: place.column)
            }
            out.append(
                PolicyDiagnostic(
                    file: file, line: origin?.line ?? 0, column: origin?.column ?? 0, key: "\(key.path)[\(index)]",
                    message: message, hint: hint))
        }
        let policy = loaded.policy
        if policy.profile != .local {
            for (index, rule) in policy.network.allow.enumerated() where rule.host.isLoopback && rule.port == nil {
                note(
                    .networkAllow, index, or: .profile,
                    "`\(rule.text)` without a port opens every service of this machine",
                    "write `\(rule.text):PORT`; only the profile local allows it bare")
            }
        }
        for (index, name) in policy.secrets.hold.enumerated() {
            let isPassed = policy.environment.pass.contains(name)
            guard isPassed || policy.environment.set[name] != nil else { continue }
            let other: PolicyKey = isPassed ? .environmentPass : .environmentSet
            note(.secretsHold, index, or: other, "\(name) is held and also given by \(other.path)", "keep one of them")
        }
        for (index, injection) in policy.secrets.inject.enumerated() {
            for name in SecretInjection.references(injection.value) ?? [] where !policy.secrets.hold.contains(name) {
                note(.secretsInject, index, or: .secretsHold, "\(name) is not held", "add it to secrets.hold")
            }
        }
        var names: Set<String> = []
        var variables: Set<EnvironmentName> = []
        for (index, route) in policy.gateways.enumerated() {
            if !names.insert(route.name).inserted {
                note(.gateway, index, or: .gateway, "the name `\(route.name)` is used twice", "names differ")
            }
            if !variables.insert(route.env).inserted {
                note(.gateway, index, or: .gateway, "the variable \(route.env) is used twice", "variables differ")
            }
        }
        return out
    }
}
