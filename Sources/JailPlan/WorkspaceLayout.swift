import JailModel
import JailPolicy

/// The workspace at its real path: what may change is writable, what is protected stays, what is untrusted never runs.
///
/// Guarantees B and J. A read-only mount alone does not protect `.git/hooks`: its parent could be renamed away. So every
/// writable directory above a protected path becomes a mount of its own, which cannot be renamed (EBUSY).
struct WorkspaceLayout {
    let policy: Policy
    let facts: HostFacts
    let request: StepRequest
    let resolver: PathResolver

    /// A path inside the workspace that is mounted onto itself with other attributes.
    struct Cover: Hashable {
        let path: [String]
        let attributes: MountAttributes
        var kind = Kind.attributes

        enum Kind: Hashable {
            /// The tree itself, with the attributes.
            case attributes
            /// An empty directory that cannot be entered.
            case hiddenDirectory
            /// A file that cannot be opened.
            case hiddenFile
            /// What the host has mounted there.
            case submount
        }
    }

    /// What the layout came to.
    struct Result {
        var writable: [[String]] = []
        var covers: [Cover] = []
        var heldPlaces: [HeldPlace] = []
        var scratch: [ScratchPlace] = []
        var warnings: [String] = []
    }

    /// Whether changes land in a layer of their own, so that what no mount can hold is still judged before it lands.
    var isLayered: Bool { request.layer != nil }

    init(policy: Policy, facts: HostFacts, request: StepRequest) {
        self.policy = policy
        self.facts = facts
        self.request = request
        resolver = PathResolver(facts: facts.paths)
    }

    /// The trees of the host that the workspace is built from, opened before the new root covers them.
    struct Sources {
        var workspace: Slot
        /// The directory of the disk layer.
        var layer: Slot?
        /// The directories of the scratch places, by path.
        var scratch: [[String]: Slot] = [:]
        var submounts: [AbsolutePath: Slot] = [:]
        var isOverlay = false
    }

    var baseAttributes: MountAttributes {
        var attributes: MountAttributes = [.noSetuid, .noDevices]
        if policy.exec.workspace == .deny { attributes.insert(.noExec) }
        return attributes
    }

    func plan() throws(PlanError) -> Result {
        var result = Result()
        if policy.workspace.mode != .readonly { try addWritable(to: &result) }
        for pattern in policy.workspace.protect {
            try hold(pattern, "protect", baseAttributes.union(.readOnly), in: &result)
        }
        for pattern in policy.workspace.untrusted {
            try hold(pattern, "untrusted", baseAttributes.union([.readOnly, .noExec]), in: &result)
        }
        for path in request.ownDirectories where request.workspace.contains(path) {
            guard path != request.workspace else {
                throw PlanError(
                    .invalid, .pathNotAllowed, "the run directory is the workspace itself",
                    hint: "pass --run-dir a directory of its own")
            }
            result.covers.append(
                Cover(path: inside(path), attributes: baseAttributes, kind: .hiddenDirectory))
        }
        for path in policy.filesystem.hide { addHidden(path, to: &result) }
        try addScratch(to: &result)
        for path in request.submounts { addSubmount(path, to: &result) }
        addPins(to: &result)
        return result
    }

    private func inside(_ path: AbsolutePath) -> [String] {
        Array(path.components.dropFirst(request.workspace.components.count))
    }

    /// `filesystem.hide` inside the workspace.
    private func addHidden(_ path: AbsolutePath, to result: inout Result) {
        guard let resolved = resolver.resolve(path), request.workspace.contains(resolved.path),
            resolved.path != request.workspace
        else { return }
        switch resolved.fact.kind {
        case .directory:
            result.covers.append(
                Cover(path: inside(resolved.path), attributes: baseAttributes, kind: .hiddenDirectory))
        case .file, .other:
            result.covers.append(Cover(path: inside(resolved.path), attributes: baseAttributes, kind: .hiddenFile))
        case .absent, .link:
            result.warnings.append("filesystem.hide: \(path) does not exist; nothing holds its place")
        }
    }

    private func addWritable(to result: inout Result) throws(PlanError) {
        for pattern in policy.workspace.write {
            if isLayered {
                result.writable.append(mountable(pattern))
                continue
            }
            guard let components = pattern.literalComponents else {
                throw unenforceable("write", pattern, "a pattern with * names files that do not exist yet")
            }
            let fact = resolver.fact(request.workspace.appending(contentsOf: components))
            switch fact.kind {
            case .directory, .file: break
            case .absent where pattern.text.hasSuffix("/") || pattern.text.hasSuffix("/**"):
                result.heldPlaces += missing(components, last: .directory)
            case .absent:
                throw unenforceable(
                    "write", pattern, "it does not exist yet; end it with / to have the directory made")
            case .link, .other:
                throw unenforceable("write", pattern, "it is neither a directory nor a file")
            }
            result.writable.append(components)
        }
        // A writable path inside another one adds nothing.
        let all = result.writable
        result.writable = all.filter { path in !all.contains { $0.count < path.count && path.starts(with: $0) } }
    }

    /// The deepest existing directory or file that holds everything that a pattern names: the mounts are that coarse,
    /// the change set is judged by the pattern itself.
    private func mountable(_ pattern: PathPattern) -> [String] {
        var out: [String] = []
        for name in pattern.literalPrefix {
            switch resolver.fact(request.workspace.appending(contentsOf: out + [name])).kind {
            case .directory: out.append(name)
            case .file: return out + [name]
            case .absent, .link, .other: return out
            }
        }
        return out
    }

    private func addScratch(to result: inout Result) throws(PlanError) {
        for (number, pattern) in policy.workspace.scratch.enumerated() {
            guard isLayered else {
                throw unenforceable(
                    "scratch", pattern, "only mode overlay can throw writes away", hint: "mode: overlay")
            }
            guard let components = pattern.literalComponents, !components.isEmpty else {
                throw unenforceable("scratch", pattern, "a pattern with * cannot be a mount point")
            }
            let fact = resolver.fact(request.workspace.appending(contentsOf: components))
            switch fact.kind {
            case .directory: break
            case .absent: result.heldPlaces += missing(components, last: .directory)
            case .file, .link, .other:
                throw unenforceable("scratch", pattern, "it is not a directory")
            }
            if !result.writable.contains(where: { components.starts(with: $0) }) { result.writable.append(components) }
            result.scratch.append(
                ScratchPlace(
                    path: components,
                    directory: request.runDirectory.appending("scratch").appending(String(number)),
                    exists: fact.kind == .directory))
        }
    }

    /// An overlay shows what lies under a mount of the host, not what is mounted there; the mount is shown, and cannot
    /// be written, since a rename does not reach it.
    private func addSubmount(_ path: AbsolutePath, to result: inout Result) {
        let components = inside(path)
        guard !components.isEmpty,
            !result.covers.contains(where: { components.starts(with: $0.path) && $0.kind != .attributes })
        else { return }
        result.covers.append(Cover(path: components, attributes: baseAttributes.union(.readOnly), kind: .submount))
        result.warnings.append("\(path) is a mount of its own: the step can read it and not change it")
    }

    /// Protects one path, existing or not.
    private func hold(
        _ pattern: PathPattern, _ key: String, _ attributes: MountAttributes, in result: inout Result
    ) throws(PlanError) {
        guard let literal = pattern.literalComponents, !literal.isEmpty else {
            // No mount holds a name that may come to be anywhere; the change set does, before anything is published.
            if isLayered, key == "protect" { return }
            throw unenforceable(key, pattern, "a pattern with * names files that do not exist yet")
        }
        guard let followed = followLinks(literal, key, in: &result) else { return }
        let components = upToFile(followed)
        let isReachable = result.writable.contains { components.starts(with: $0) || $0.starts(with: components) }
        let mayExecute = !attributes.contains(.noExec) || baseAttributes.contains(.noExec)
        // Below a read-only mount there is nothing to protect from; only noexec may still have to be added.
        guard isReachable || !mayExecute else { return }
        if case .absent = resolver.fact(request.workspace.appending(contentsOf: components)).kind {
            // What the step makes itself is no more untrusted than the step.
            guard isReachable, key == "protect" else { return }
            let name = components.last ?? ""
            let looksLikeFile = name.dropFirst().contains(".") || ["config", "commondir"].contains(name)
            // git takes the directory of an empty `commondir` for a broken repository, and `.` for itself.
            let content = name == "commondir" ? "." : ""
            result.heldPlaces += missing(components, last: looksLikeFile ? .file(content) : .directory)
        }
        result.covers.append(Cover(path: components, attributes: attributes))
    }

    /// The path up to the first component that is a file, which then holds everything below it: `.git` of a worktree.
    private func upToFile(_ components: [String]) -> [String] {
        for count in components.indices.dropLast() {
            let prefix = Array(components.prefix(count + 1))
            if resolver.fact(request.workspace.appending(contentsOf: prefix)).kind == .file { return prefix }
        }
        return components
    }

    /// The path behind symbolic links that stay in the workspace; `nil` where it leaves it, and so is out of reach.
    private func followLinks(_ components: [String], _ key: String, in result: inout Result) -> [String]? {
        let path = request.workspace.appending(contentsOf: components)
        guard let resolved = resolver.resolve(path) else { return components }
        guard resolved.path != path else { return components }
        let text = components.joined(separator: "/")
        guard request.workspace.contains(resolved.path), resolved.path != request.workspace else {
            result.warnings.append("workspace.\(key): \(text) is a symbolic link out of the workspace")
            return nil
        }
        result.warnings.append(
            "workspace.\(key): \(text) is a symbolic link; what it points to is held, the link itself is compared after "
                + "the run")
        return Array(resolved.path.components.dropFirst(request.workspace.components.count))
    }

    /// The components that do not exist, topmost first.
    private func missing(_ components: [String], last: HeldPlace.Kind) -> [HeldPlace] {
        var out: [HeldPlace] = []
        for count in components.indices {
            let prefix = Array(components.prefix(count + 1))
            guard case .absent = resolver.fact(request.workspace.appending(contentsOf: prefix)).kind else { continue }
            out.append(HeldPlace(path: prefix, kind: count == components.count - 1 ? last : .directory))
        }
        return out
    }

    /// Makes every writable directory above a cover a mount point.
    private func addPins(to result: inout Result) {
        var pins: Set<[String]> = []
        for cover in result.covers {
            for count in 1..<max(1, cover.path.count) {
                let ancestor = Array(cover.path.prefix(count))
                guard result.writable.contains(where: { ancestor.starts(with: $0) && ancestor != $0 }) else { continue }
                guard !result.covers.contains(where: { ancestor.starts(with: $0.path) }) else { continue }
                pins.insert(ancestor)
            }
        }
        result.covers += pins.map { Cover(path: $0, attributes: baseAttributes) }
        let unique = Dictionary(grouping: result.covers, by: \.path).map { path, covers in
            Cover(
                path: path, attributes: covers.reduce(into: []) { $0.formUnion($1.attributes) },
                kind: covers.map(\.kind).first { $0 != .attributes } ?? .attributes)
        }
        result.covers = unique.sorted { left, right in
            left.path.count == right.path.count
                ? left.path.lexicographicallyPrecedes(right.path) : left.path.count < right.path.count
        }
        var seen: Set<[String]> = []
        result.heldPlaces = result.heldPlaces.filter { seen.insert($0.path).inserted }
    }

    private func unenforceable(
        _ key: String, _ pattern: PathPattern, _ why: String, hint: String = "name an existing directory or file"
    ) -> PlanError {
        PlanError(
            .unenforceable, .notEnforceable,
            "workspace.\(key): \(pattern.text): workspace.mode \(policy.workspace.mode.rawValue) cannot enforce this: "
                + why, hint: hint)
    }

    /// Attaches the workspace and its covers.
    func build(_ result: Result, _ sources: Sources, nullDevice: Slot, into builder: inout StepBuilder) {
        let root = request.workspace
        let writesAll = result.writable.contains([])
        if sources.isOverlay {
            WorkspaceOverlay(layout: self, sources: sources).build(result, into: &builder)
        } else {
            builder.attach(sources.workspace, at: root, isDirectory: true, baseAttributes)
        }
        if !writesAll {
            var opened: [(path: AbsolutePath, slot: Slot)] = []
            for path in result.writable {
                let place = root.appending(contentsOf: path)
                let slot = builder.slot()
                builder.add(
                    .openTree(path: StepBuilder.inNewRoot(place), slot: slot, identity: nil, optional: false))
                opened.append((place, slot))
            }
            // ORDER: the writable parts were opened before; what is read-only stays so in a later copy.
            builder.add(
                .setAttributes(
                    path: StepBuilder.inNewRoot(root), set: baseAttributes.union(.readOnly), recursive: true))
            for part in opened {
                builder.add(
                    .attach(
                        slot: part.slot, target: StepBuilder.inNewRoot(part.path), attributes: baseAttributes,
                        keepSlot: false, optional: false))
            }
        }
        // ORDER: shallow before deep; a later copy of a directory would not show what was mounted in it before.
        for cover in result.covers {
            let path = root.appending(contentsOf: cover.path)
            switch cover.kind {
            case .hiddenDirectory: RootLayout.hideDirectory(path, into: &builder)
            case .hiddenFile: RootLayout.hideFile(path, nullDevice: nullDevice, into: &builder)
            case .submount:
                guard let slot = sources.submounts[path] else { continue }
                builder.add(
                    .attach(
                        slot: slot, target: StepBuilder.inNewRoot(path), attributes: cover.attributes, keepSlot: false,
                        optional: false))
            case .attributes:
                let place = StepBuilder.inNewRoot(path)
                let slot = builder.slot()
                builder.add(.openTree(path: place, slot: slot, identity: nil, optional: false))
                builder.add(
                    .attach(
                        slot: slot, target: place, attributes: cover.attributes, keepSlot: false, optional: false))
            }
        }
    }
}
