import JailModel
import JailPlan
import JailPolicy
import Testing

/// A made-up host: merged-usr, an ordinary user, a git workspace.
enum Fixture {
    static func facts(tier: Tier = .t1, abi: Int = 7, cgroup: CgroupAccess = .none, mapped: Bool = false) -> HostFacts {
        let user =
            mapped
            ? TargetUser(
                insideUID: 0, insideGID: 0, outsideUID: 100_000, outsideGID: 100_000, name: "root", home: "/root")
            : TargetUser(
                insideUID: 1000, insideGID: 1000, outsideUID: 1000, outsideGID: 1000, name: "dev", home: "/home/dev")
        return HostFacts(
            kernel: "6.18.0", arch: "x86_64", tier: tier, landlockABI: abi, hasSeccompListener: true, cgroup: cgroup,
            hasTaskClock: true, uid: mapped ? 0 : 1000, gid: mapped ? 0 : 1000, target: user, paths: paths(mapped))
    }

    private static func paths(_ mapped: Bool) -> [String: PathFact] {
        let owner: UInt32 = mapped ? 0 : 1000
        var inode: UInt64 = 100
        func fact(_ kind: PathFact.Kind, uid: UInt32 = 0) -> PathFact {
            inode += 1
            return PathFact(kind: kind, device: 7, inode: inode, uid: uid, gid: uid, mode: 0o755)
        }
        var out: [String: PathFact] = [:]
        for path in ["/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/sbin", "/etc", "/tmp", "/opt", "/opt/tools"] {
            out[path] = fact(.directory)
        }
        for (path, text) in [
            ("/bin", "usr/bin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64"), ("/sbin", "usr/sbin"),
        ] {
            out[path] = fact(.link(text))
        }
        for name in ["null", "zero", "full", "random", "urandom", "tty"] { out["/dev/" + name] = fact(.other) }
        out["/etc/shadow"] = fact(.file)
        out["/usr/lib64/ld-linux-x86-64.so.2"] = fact(.file)
        for path in ["/work", "/work/project", "/work/project/.git", "/work/project/.git/hooks", "/work/project/src"] {
            out[path] = fact(.directory, uid: owner)
        }
        out["/work/project/.git/config"] = fact(.file, uid: owner)
        out["/work/project/notes"] = fact(.link("/etc"), uid: owner)
        return out
    }

    static func request(cwd: String = "/work/project", terminal: Bool = false) throws -> StepRequest {
        StepRequest(
            workspace: try path("/work/project"), cwd: try path(cwd), argv: ["git", "status"],
            executable: try path("/usr/bin/git"), hostEnvironment: ["LANG": "de_DE.UTF-8", "SECRET": "x"],
            runDirectory: try path("/state/runs/r1"), wantsTerminal: terminal, pidNamespace: 4_026_531_836)
    }

    /// The plan of a request, with a layer in memory where the policy wants one and the request names none.
    static func plan(_ policy: Policy, _ facts: HostFacts = facts(), _ request: StepRequest? = nil) throws -> Plan {
        var request = try request ?? Self.request()
        if policy.workspace.mode == .overlay, request.layer == nil { request.layer = memory }
        return try PlanCompiler.compile(policy: policy, facts: facts, request: request)
    }

    static let memory = WorkspaceLayer.memory(bytes: 1 << 30, inodes: 1312)

    static func path(_ text: String) throws -> AbsolutePath { try #require(AbsolutePath(text)) }

    static func policy(_ text: String) throws -> Policy {
        try Policy.parse(bytes: Array(("version: 1\n" + text).utf8), name: "test.yaml")
    }
}
