import JailModel
import JailPolicy

/// The new root: only what the policy grants, each tree with its attributes (guarantee B).
struct RootLayout {
    let policy: Policy
    let facts: HostFacts
    let request: StepRequest
    let resolver: PathResolver

    /// A tree or file of the host that the jail shows.
    struct Grant: Hashable {
        let path: AbsolutePath
        let isDirectory: Bool
        let isWritable: Bool
        let identity: FileIdentity?
    }

    /// A grant whose source has been opened before the new root covered it.
    struct OpenedGrant {
        let grant: Grant
        let slot: Slot
    }

    init(policy: Policy, facts: HostFacts, request: StepRequest) {
        self.policy = policy
        self.facts = facts
        self.request = request
        resolver = PathResolver(facts: facts.paths)
    }

    var home: AbsolutePath { AbsolutePath(facts.target.home) ?? AbsolutePath(components: ["home"]) }

    /// The grants in the order in which they are attached: what is above comes first.
    func grants() throws(PlanError) -> [Grant] {
        var chosen: [AbsolutePath: Grant] = [:]
        for path in policy.filesystem.read { try add(path, isWritable: false, to: &chosen) }
        for path in policy.filesystem.write { try add(path, isWritable: true, to: &chosen) }
        // The workspace has rules of its own and is mounted last.
        let all = chosen.values.filter { !request.workspace.contains($0.path) }.sorted {
            ($0.path.components.count, $0.path) < ($1.path.components.count, $1.path)
        }
        // A read grant inside another one adds nothing.
        return all.filter { grant in
            grant.isWritable
                || !all.contains { other in
                    other.path != grant.path && !other.isWritable && other.isDirectory
                        && other.path.contains(grant.path)
                }
        }
    }

    private func add(
        _ path: AbsolutePath, isWritable: Bool, to chosen: inout [AbsolutePath: Grant]
    ) throws(PlanError) {
        guard let resolved = resolver.resolve(path) else {
            throw PlanError(.invalid, .pathEscape, "filesystem: \(path) is a loop of symbolic links")
        }
        guard !resolved.path.components.isEmpty else {
            throw PlanError(
                .invalid, .pathNotAllowed, "filesystem: / cannot be granted whole",
                hint: "list the directories that the step needs")
        }
        switch resolved.fact.kind {
        case .absent, .link: return
        case .directory, .file, .other: break
        }
        let own = [AbsolutePath(components: ["proc"]), AbsolutePath(components: ["dev"])]
        guard !own.contains(where: { $0.contains(resolved.path) }) else { return }
        let isDirectory = resolved.fact.kind == .directory
        let previous = chosen[resolved.path]
        chosen[resolved.path] = Grant(
            path: resolved.path, isDirectory: isDirectory, isWritable: isWritable || previous?.isWritable == true,
            identity: nil)
    }

    /// Opens every source while the host's tree is still in view.
    ///
    /// // ORDER: before the staging tmpfs covers /tmp.
    func openSources(_ grants: [Grant], into builder: inout StepBuilder) -> [OpenedGrant] {
        var opened: [OpenedGrant] = []
        for grant in grants {
            let slot = builder.slot()
            builder.add(.openTree(path: grant.path.description, slot: slot, identity: grant.identity, optional: false))
            opened.append(OpenedGrant(grant: grant, slot: slot))
        }
        return opened
    }

    /// Mounts the private directories and the granted trees, what is above first.
    func build(_ opened: [OpenedGrant], into builder: inout StepBuilder) {
        let size = policy.filesystem.tmp.value
        let inodes = max(4096, size / 4096)
        let privateFlags: MountAttributes = [.noSetuid, .noDevices, .noExec]
        builder.tmpfs(
            at: AbsolutePath(components: ["tmp"]), options: "mode=1777,size=\(size),nr_inodes=\(inodes)", privateFlags)
        if mountsHome {
            builder.tmpfs(at: home, options: "mode=700,size=\(size),nr_inodes=\(inodes)", privateFlags)
        }
        for place in linkPlaces() { builder.makeLink(at: place.place, text: place.text) }
        for source in opened {
            var attributes: MountAttributes = [.noSetuid, .noDevices]
            attributes.insert(source.grant.isWritable ? .noExec : .readOnly)
            builder.attach(
                source.slot, at: source.grant.path, isDirectory: source.grant.isDirectory, attributes)
        }
    }

    /// With a list of what may be executed every other granted tree is noexec: Landlock alone would let the dynamic
    /// loader map any program that can be read.
    func restrictExecution(_ grants: [Grant], into builder: inout StepBuilder) {
        guard policy.exec.allow != nil else { return }
        var parts: [(path: AbsolutePath, isDirectory: Bool, slot: Slot)] = []
        for path in executablePlaces(grants) {
            let slot = builder.slot()
            builder.add(
                .openTree(path: StepBuilder.inNewRoot(path), slot: slot, identity: nil, optional: false))
            parts.append((path, resolver.fact(path).kind == .directory, slot))
        }
        // ORDER: the executable parts were opened before; a copy of a noexec mount would be noexec.
        for grant in grants where !grant.isWritable {
            builder.add(
                .setAttributes(
                    path: StepBuilder.inNewRoot(grant.path), set: [.readOnly, .noSetuid, .noDevices, .noExec],
                    recursive: true))
        }
        for part in parts {
            builder.add(
                .attach(
                    slot: part.slot, target: StepBuilder.inNewRoot(part.path),
                    attributes: [.readOnly, .noSetuid, .noDevices], keepSlot: false, optional: false))
        }
    }

    /// What is listed, the loader and the library directories, as far as they are granted; the outermost only.
    private func executablePlaces(_ grants: [Grant]) -> [AbsolutePath] {
        let named =
            (policy.exec.allow ?? []).map(\.path)
            + (DynamicLoaders.paths + DynamicLoaders.libraries).compactMap { AbsolutePath($0) }
        var places: Set<AbsolutePath> = []
        for path in named {
            guard let resolved = resolver.resolve(path), resolved.fact.exists,
                grants.contains(where: { !$0.isWritable && $0.path.contains(resolved.path) })
            else { continue }
            places.insert(resolved.path)
        }
        return places.filter { path in !places.contains { $0 != path && $0.contains(path) } }.sorted()
    }

    /// A throw-away home, unless the policy grants the real one or a directory around it.
    var mountsHome: Bool {
        let granted = policy.filesystem.read + policy.filesystem.write
        return !home.components.isEmpty && !granted.contains { $0.contains(home) }
            && !request.workspace.contains(home) && home != AbsolutePath(components: ["tmp"])
    }

    /// The symbolic links on the way to granted paths, such as /bin on a merged-usr host.
    private func linkPlaces() -> [(place: AbsolutePath, text: String)] {
        var seen: Set<AbsolutePath> = []
        var out: [(AbsolutePath, String)] = []
        let granted = policy.filesystem.read + policy.filesystem.write
        for path in granted {
            for link in resolver.links(to: path) where seen.insert(link.place).inserted {
                out.append((link.place, link.text))
            }
        }
        return out.sorted { ($0.0.components.count, $0.0) < ($1.0.components.count, $1.0) }
    }

    /// Covers what `filesystem.hide` names below a granted tree, and launch-jail's own files wherever they are.
    func hide(nullDevice: Slot, into builder: inout StepBuilder, grants: [Grant]) {
        for path in policy.filesystem.hide {
            guard let resolved = resolver.resolve(path), !request.workspace.contains(resolved.path),
                grants.contains(where: { $0.path.contains(resolved.path) })
            else { continue }
            switch resolved.fact.kind {
            case .directory: Self.hideDirectory(resolved.path, into: &builder)
            case .file, .other: Self.hideFile(resolved.path, nullDevice: nullDevice, into: &builder)
            case .absent, .link: continue
            }
        }
        for path in request.ownDirectories
        where !request.workspace.contains(path) && grants.contains(where: { $0.path.contains(path) }) {
            Self.hideDirectory(path, into: &builder)
        }
    }

    static func hideDirectory(_ path: AbsolutePath, into builder: inout StepBuilder) {
        builder.add(
            .tmpfs(
                target: StepBuilder.inNewRoot(path), options: "mode=000,size=4k,nr_inodes=2",
                attributes: [.readOnly, .noSetuid, .noDevices, .noExec]))
    }

    /// A null device on a nodev mount: it can be seen and not opened.
    static func hideFile(_ path: AbsolutePath, nullDevice: Slot, into builder: inout StepBuilder) {
        builder.add(
            .attach(
                slot: nullDevice, target: StepBuilder.inNewRoot(path),
                attributes: [.readOnly, .noSetuid, .noDevices, .noExec], keepSlot: true, optional: false))
    }
}
