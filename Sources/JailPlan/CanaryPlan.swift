import JailModel
import JailPolicy

/// Which attacks the jailed process tries on itself before the command: each guarantee that is claimed has one.
enum CanaryPlan {
    static func canaries(policy: Policy, facts: HostFacts, request: StepRequest) -> [Canary] {
        var out: [Canary] = []
        let hasNamespaces = facts.tier >= .t2
        func add(_ attempt: Canary.Attempt, _ guarantee: Guarantee) {
            out.append(Canary(attempt: attempt, guarantee: guarantee))
        }
        if hasNamespaces || facts.landlockABI >= 1 {
            add(.createFile("/.launch-jail-canary"), .hermeticPaths)
            add(.readFile(request.runDirectory.appending("events.ndjson").description), .hermeticPaths)
        }
        if policy.network.mode != .host { add(.connect, .networkEgress) }
        add(.mount(hasNamespaces ? "/tmp" : "/"), .hermeticPaths)
        add(.unshareUser, .hermeticPaths)
        add(.ptraceInit, .untrustedExec)
        add(.setHostname, .hermeticPaths)
        if hasNamespaces { add(.executableMapping("/tmp/.launch-jail-canary"), .untrustedExec) }
        return out
    }
}
