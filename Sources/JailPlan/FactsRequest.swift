import JailModel
public import JailPolicy

/// Which host paths a plan will ask about, so that one pass reads them all.
public enum FactsRequest {
    /// The paths of a policy, with the workspace's own rules resolved below it.
    public static func paths(policy: Policy, workspace: AbsolutePath, home: String) -> [String] {
        var out: Set<String> = ["/tmp", "/var/tmp", "/proc", "/dev"]
        out.formUnion(DeviceNodes.all.map { "/dev/" + $0 })
        for path in policy.filesystem.read + policy.filesystem.write + policy.filesystem.hide {
            out.insert(path.description)
        }
        for rule in policy.exec.allow ?? [] { out.insert(rule.path.description) }
        out.formUnion(DynamicLoaders.paths)
        out.formUnion(DynamicLoaders.libraries)
        out.insert(workspace.description)
        out.insert(home)
        let rules = policy.workspace
        for pattern in rules.write + rules.protect + rules.untrusted + rules.scratch {
            // Up to the first wildcard: what lies deeper cannot be named before it exists.
            let components = pattern.literalPrefix
            for count in 0...components.count {
                out.insert(workspace.appending(contentsOf: Array(components.prefix(count))).description)
            }
        }
        return out.sorted()
    }
}

extension ExecRule {
    /// The file or directory that the rule is about.
    public var path: AbsolutePath {
        switch self {
        case .file(let path), .subtree(let path), .pinned(let path, _): path
        }
    }
}

/// Programs of every dynamic executable start through one of these, so an `exec.allow` list always includes them.
enum DynamicLoaders {
    static let paths = [
        "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1",
        "/lib/ld-musl-aarch64.so.1",
    ]

    /// Where shared libraries are, which every program maps executable.
    static let libraries = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/local/lib", "/lib", "/lib64"]
}

enum DeviceNodes {
    static let all = ["null", "zero", "full", "random", "urandom", "tty"]
}
