import JailModel
import JailPolicy

/// The second wall: what the mounts show, Landlock grants by right (landlock(7)).
///
/// Guarantees B and J.
struct LandlockRules {
    let policy: Policy
    let facts: HostFacts
    let request: StepRequest
    let resolver: PathResolver

    init(policy: Policy, facts: HostFacts, request: StepRequest) {
        self.policy = policy
        self.facts = facts
        self.request = request
        resolver = PathResolver(facts: facts.paths)
    }

    /// Steps that make the ruleset and fill it; empty where the kernel has no Landlock.
    func steps(writable: [[String]], privateTemporary: [AbsolutePath], hasMounts: Bool) -> [PlanStep] {
        let abi = facts.landlockABI
        guard abi >= 1 else { return [] }
        let handled = FileRights.handled(abi: abi)
        // TCP by Landlock would close the jail's own loopback with it; the empty network namespace is the wall there.
        let tcp = abi >= 4 && !hasMounts && policy.network.mode == .none
        var out: [PlanStep] = [.landlockRuleset(files: handled, tcp: tcp, scopes: abi >= 6)]
        for (path, rights) in rules(writable: writable, privateTemporary: privateTemporary, hasMounts: hasMounts) {
            let granted = rights.intersection(handled)
            if !granted.isEmpty { out.append(.landlockPath(path.description, granted, optional: true)) }
        }
        return out
    }

    private func rules(
        writable: [[String]], privateTemporary: [AbsolutePath], hasMounts: Bool
    ) -> [(AbsolutePath, FileRights)] {
        var out: [(AbsolutePath, FileRights)] = []
        if hasMounts { out.append((AbsolutePath(components: []), .readDirectory)) }
        for path in policy.filesystem.read {
            guard let resolved = resolver.resolve(path), resolved.fact.exists else { continue }
            var rights: FileRights = .read
            if policy.exec.allow == nil { rights.insert(.execute) }
            out.append((resolved.path, limit(rights, to: resolved.fact)))
        }
        for path in policy.filesystem.write {
            guard let resolved = resolver.resolve(path), resolved.fact.exists else { continue }
            out.append((resolved.path, limit(FileRights.read.union(.write), to: resolved.fact)))
        }
        if let allowed = policy.exec.allow {
            for path in allowed.map(\.path) + DynamicLoaders.paths.compactMap({ AbsolutePath($0) }) {
                guard let resolved = resolver.resolve(path), resolved.fact.exists else { continue }
                out.append((resolved.path, limit([.execute, .readFile], to: resolved.fact)))
            }
        }
        var workspaceRights: FileRights = .read
        // Without mounts nothing can take execution away again below the workspace.
        if policy.exec.workspace == .allow, hasMounts || policy.workspace.untrusted.isEmpty {
            workspaceRights.insert(.execute)
        }
        out.append((request.workspace, workspaceRights))
        for path in writable {
            let place = request.workspace.appending(contentsOf: path)
            let fact = resolver.fact(place)
            out.append((place, fact.exists ? limit(.write, to: fact) : .write))
        }
        for path in privateTemporary { out.append((path, FileRights.read.union(.write))) }
        out.append((AbsolutePath(components: ["proc"]), .read))
        out += devices(hasMounts: hasMounts)
        return out
    }

    private func devices(hasMounts: Bool) -> [(AbsolutePath, FileRights)] {
        let onDevice: FileRights = [.readFile, .writeFile, .truncate, .ioctlDevice]
        if hasMounts {
            return [(AbsolutePath(components: ["dev"]), onDevice.union(.readDirectory))]
        }
        return DeviceNodes.all.map { (AbsolutePath(components: ["dev", $0]), onDevice) }
    }

    /// A rule on a file may not hold directory rights (EINVAL).
    private func limit(_ rights: FileRights, to fact: PathFact) -> FileRights {
        fact.kind == .directory ? rights : rights.intersection(.onFile)
    }
}

extension PathFact {
    var exists: Bool { kind != .absent }
}
