import JailModel
import JailPolicy

/// The command's environment, from an empty one: what the policy passes and sets, and what a program cannot do without.
public enum EnvironmentPlan {
    /// The search path where the policy sets and passes none.
    public static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    static func build(policy: Policy, facts: HostFacts, request: StepRequest, temporary: String) -> [ByteString] {
        var values: [String: String] = [
            "PATH": defaultPath,
            "HOME": facts.target.home,
            "USER": facts.target.name,
            "LOGNAME": facts.target.name,
            "SHELL": "/bin/sh",
            "TMPDIR": temporary,
            "LANG": "C.UTF-8",
            "LAUNCH_JAIL": "1",
        ]
        if request.wantsTerminal { values["TERM"] = request.hostEnvironment["TERM"] ?? "dumb" }
        let held = Set(policy.secrets.hold)
        for name in policy.environment.pass where !held.contains(name) {
            if let value = request.hostEnvironment[name.text] { values[name.text] = value }
        }
        for (name, value) in policy.environment.set { values[name.text] = value }
        return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { ByteString($0.key + "=" + $0.value) }
    }
}
