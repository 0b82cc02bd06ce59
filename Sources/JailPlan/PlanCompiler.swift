public import JailModel
public import JailPolicy

/// Policy + host facts + request -> plan.
///
/// Pure: reads nothing but its arguments.
public enum PlanCompiler {
    /// Compiles the plan of one step.
    ///
    /// - Throws: ``PlanError`` with the verdict `unenforceable` (exit 6) for a key that this version does not enforce
    ///   or a required guarantee that this host cannot, and `invalid` (exit 2) for a request that makes no sense.
    public static func compile(
        policy: Policy, facts: HostFacts, request: StepRequest
    ) throws(PlanError) -> Plan {
        try checkDeferredKeys(policy)
        try PlaceRules.check(
            policy, workspace: request.workspace, cwd: request.cwd, homes: [facts.target.home])
        let limits = LimitCompiler(policy: policy, facts: facts)
        let degradation = Degradation(policy: policy, facts: facts, layer: request.layer)
        let budgetClaim = limits.claim(
            hasPIDNamespace: degradation.hasNamespaces, hasUserNamespace: degradation.hasNamespaces)
        let claims = degradation.claims(budgets: budgetClaim)
        try degradation.check(claims)
        guard facts.target.outsideUID != 0 else {
            throw PlanError(
                .unenforceable, .notEnforceable,
                "the command would be host uid 0, which no jail can hold: the workspace belongs to root and this host "
                    + "(tier \(facts.tier.rawValue)) cannot map ids",
                hint: "start launch-jail as an ordinary user, or give the workspace to one (chown)")
        }
        var plan =
            degradation.hasNamespaces
            ? try namespacePlan(policy, facts, request) : try landlockPlan(policy, facts, request)
        plan.limits = limits.plan(tmpfsCount: degradation.hasNamespaces ? 3 : 0)
        plan.tail.rlimits = limits.rlimits(hasUserNamespace: degradation.hasNamespaces)
        plan.tail.canaries = CanaryPlan.canaries(policy: policy, facts: facts, request: request)
        plan.filter = filter(policy, facts)
        plan.enforcement = claims
        return plan
    }

    private static func checkDeferredKeys(_ policy: Policy) throws(PlanError) {
        guard !policy.deferredKeys.isEmpty else { return }
        let list = policy.deferredKeys.map { key in
            key.line > 0 ? "\(key.key) (\(key.file):\(key.line):\(key.column))" : "\(key.key) (\(key.file))"
        }
        throw PlanError(
            .unenforceable, .notEnforceable,
            "this version does not enforce what the policy asks for: " + list.joined(separator: ", "),
            hint: "remove the key; it is never ignored silently")
    }

    private static func filter(_ policy: Policy, _ facts: HostFacts) -> SyscallFilter {
        var profile = SyscallProfile(hasListener: facts.hasSeccompListener)
        let hasNamespaces = facts.tier >= .t2
        switch (policy.network.mode, hasNamespaces) {
        case (.none, false): profile.refuseAllSockets()
        case (.none, true), (.allowlist, _):
            profile.addSocketsForNetworkNamespace()
            profile.logEgress()
        case (.host, _): profile.addSocketsForNetworkNamespace()
        }
        if !hasNamespaces { profile.sparePeers() }
        if policy.exec.workspace == .deny { profile.sealMemfds() }
        if policy.exec.ledger != .off { profile.logExecs() }
        return profile.filter
    }

    private static func tail(_ facts: HostFacts, _ request: StepRequest) -> PlanTail {
        // In a layer the directory is another object than the host's, of the same name.
        let fact = request.layer == nil ? facts.paths[request.cwd.description] : nil
        return PlanTail(
            argv: request.argv, environment: [], executable: request.executable.description,
            cwd: request.cwd.description,
            cwdIdentity: fact.map { FileIdentity(device: $0.device, inode: $0.inode) }, umask: 0o022, rlimits: [],
            canaries: [], usesLandlock: facts.landlockABI >= 1, landlockFlags: facts.landlockABI >= 7 ? 2 : 0,
            hasPIDNamespace: false, dropsIDs: false, locksSecureBits: false, uid: facts.target.insideUID,
            gid: facts.target.insideGID)
    }

    /// Tiers T1 and T2.
    private static func namespacePlan(
        _ policy: Policy, _ facts: HostFacts, _ request: StepRequest
    ) throws(PlanError) -> Plan {
        guard policy.workspace.mode != .overlay || request.layer != nil else {
            // Without one the workspace itself would be mounted writable.
            throw PlanError(
                .unenforceable, .notEnforceable, "workspace.mode overlay cannot be enforced: no layer takes the changes"
            )
        }
        let layout = RootLayout(policy: policy, facts: facts, request: request)
        let workspace = WorkspaceLayout(policy: policy, facts: facts, request: request)
        let covers = try workspace.plan()
        let grants = try layout.grants()
        let mapped = facts.target.isMapped
        // What is writable and belongs to root is shown with mapped ids; only the privileged parent can do that.
        // A copy belongs to the jail's user already.
        let mapsWorkspace = mapped && !request.layer.isCopy
        let mappedTrees =
            mapped
            ? (mapsWorkspace ? [request.workspace] : [])
                + grants.filter { $0.isWritable && isRootOwned($0.path, facts) }.map(\.path)
            : []
        var builder = StepBuilder(firstSlot: mappedTrees.count)

        builder.add(.privateMounts)
        // ORDER: sources are opened with the starter's own rights, before init becomes the target user.
        let opened = layout.openSources(grants.filter { !mappedTrees.contains($0.path) }, into: &builder)
        let mappedGrants = grants.filter { mappedTrees.contains($0.path) }.map { grant in
            RootLayout.OpenedGrant(
                grant: grant, slot: Slot(index: mappedTrees.firstIndex(of: grant.path) ?? 0))
        }
        let devices = SystemMounts.openDevices(into: &builder, facts: facts)
        let sources = workspaceSources(covers, facts, request, isMapped: mapsWorkspace, into: &builder)
        var outerProc: Slot?
        if facts.tier == .t2 {
            let slot = builder.slot()
            builder.add(.openTree(path: "/proc", slot: slot, identity: nil, optional: false))
            outerProc = slot
        }
        builder.add(.setIDs(uid: facts.target.insideUID, gid: facts.target.insideGID))
        builder.add(.tmpfs(target: "/tmp", options: "mode=755,size=1m,nr_inodes=8192", attributes: [.noSetuid]))
        builder.add(.changeDirectory("/tmp"))
        let order = (opened + mappedGrants).sorted {
            ($0.grant.path.components.count, $0.grant.path) < ($1.grant.path.components.count, $1.grant.path)
        }
        layout.build(order, into: &builder)
        layout.restrictExecution(grants, into: &builder)
        SystemMounts.device(into: &builder, nodes: devices, shmSize: policy.filesystem.tmp.value)
        guard let null = devices.first(where: { $0.name == "null" })?.slot else {
            throw PlanError(.internal, .launchFailed, "/dev/null is not a device on this host")
        }
        layout.hide(nullDevice: null, into: &builder, grants: grants)
        SystemMounts.proc(into: &builder, outer: outerProc)
        workspace.build(covers, sources, nullDevice: null, into: &builder)
        finishRoot(&builder, layout, policy, facts, request)
        let landlock = LandlockRules(policy: policy, facts: facts, request: request)
        let privateDirectories =
            [
                AbsolutePath(components: ["tmp"]), AbsolutePath(components: ["dev", "shm"]),
            ] + (layout.mountsHome ? [layout.home] : [])
        for step in landlock.steps(
            writable: covers.writable, privateTemporary: privateDirectories, hasMounts: true)
        {
            builder.add(step)
        }
        guard builder.slotCount < 190 else {
            throw PlanError(
                .invalid, .pathNotAllowed, "the policy grants too many paths for one jail",
                hint: "grant directories instead of files")
        }
        var tail = tail(facts, request)
        tail.environment = EnvironmentPlan.build(policy: policy, facts: facts, request: request, temporary: "/tmp")
        tail.hasPIDNamespace = true
        tail.locksSecureBits = true
        var namespaces: Namespaces = [.user, .pid, .mount, .ipc, .uts, .cgroup]
        if policy.network.mode != .host { namespaces.insert(.network) }
        return Plan(
            namespaces: namespaces, idMap: idMap(facts),
            idmappedTrees: mappedTrees.map { path in
                let fact = facts.paths[path.description] ?? .absent
                return IDMappedTree(
                    path: path.description, identity: FileIdentity(device: fact.device, inode: fact.inode))
            },
            steps: builder.steps, tail: tail, filter: SyscallFilter(rules: [], hasListener: false),
            limits: LimitPlan(budgets: [:], cgroup: nil, tmpfsBytes: 0), heldPlaces: covers.heldPlaces,
            enforcement: [:], warnings: covers.warnings + warnings(facts), tier: facts.tier,
            hasTerminal: request.wantsTerminal, temporaryDirectory: nil, layer: request.layer, scratch: covers.scratch)
    }

    /// Opens what the workspace is built from.
    private static func workspaceSources(
        _ covers: WorkspaceLayout.Result, _ facts: HostFacts, _ request: StepRequest, isMapped: Bool,
        into builder: inout StepBuilder
    ) -> WorkspaceLayout.Sources {
        func open(_ path: AbsolutePath, verified: Bool = false) -> Slot {
            let slot = builder.slot()
            let fact = verified ? facts.paths[path.description] : nil
            builder.add(
                .openTree(
                    path: path.description, slot: slot,
                    identity: fact.map { FileIdentity(device: $0.device, inode: $0.inode) }, optional: false))
            return slot
        }
        var sources = WorkspaceLayout.Sources(
            workspace: isMapped ? Slot(index: 0) : open(request.workspaceSource, verified: true))
        switch request.layer {
        case .disk(let directory):
            sources.isOverlay = true
            sources.layer = open(directory)
        case .memory: sources.isOverlay = true
        case .copy, nil: break
        }
        for place in covers.scratch {
            // What the workspace has there is shown below it; a new place is the layer's directory itself.
            sources.scratch[place.path] = open(place.exists ? place.directory : place.directory.appending("upper"))
        }
        for cover in covers.covers where cover.kind == .submount {
            let path = request.workspace.appending(contentsOf: cover.path)
            sources.submounts[path] = open(path)
        }
        return sources
    }

    private static func finishRoot(
        _ builder: inout StepBuilder, _ layout: RootLayout, _ policy: Policy, _ facts: HostFacts,
        _ request: StepRequest
    ) {
        if facts.tier == .t1 { builder.add(.sendDescriptor(path: "proc", tag: .proc)) }
        builder.add(.sendDescriptor(path: "tmp", tag: .tmp))
        builder.add(.sendDescriptor(path: "dev/shm", tag: .shm))
        if layout.mountsHome {
            builder.add(.sendDescriptor(path: StepBuilder.inNewRoot(layout.home), tag: .home))
        }
        builder.add(.pivotRoot)
        builder.add(.setAttributes(path: "/", set: [.readOnly, .noSetuid], recursive: false))
        if policy.network.mode != .host { builder.add(.loopbackUp) }
        // Every host knows this name, so a program that looks its own up asks no name server.
        builder.add(.hostname("localhost"))
        if request.wantsTerminal { builder.add(.pty) }
    }

    /// Tiers T3 and T4: no namespaces; Landlock where there is one, seccomp, rlimits, a subreaper.
    private static func landlockPlan(
        _ policy: Policy, _ facts: HostFacts, _ request: StepRequest
    ) throws(PlanError) -> Plan {
        let granted = policy.filesystem.read + policy.filesystem.write + [request.workspace]
        for own in request.ownDirectories {
            guard let grant = granted.first(where: { $0.contains(own) }) else { continue }
            throw PlanError(
                .unenforceable, .notEnforceable,
                "the evidence in \(own) cannot be kept out of the jail: \(grant) is granted, and this host "
                    + "(tier \(facts.tier.rawValue)) has no mounts to hide it",
                hint: "pass --run-dir, or set XDG_STATE_HOME, to a place outside")
        }
        guard policy.workspace.mode != .overlay else {
            throw PlanError(
                .unenforceable, .notEnforceable,
                "workspace.mode overlay cannot be enforced: this host (tier \(facts.tier.rawValue)) has no mounts of its "
                    + "own for the step", hint: "workspace: {mode: direct} or {mode: readonly} in the policy")
        }
        var steps: [PlanStep] = [.subreaper]
        let writable =
            policy.workspace.mode == .readonly
            ? [] : policy.workspace.write.compactMap(\.literalComponents)
        let landlock = LandlockRules(policy: policy, facts: facts, request: request)
        let temporary = request.temporaryDirectory
        steps += landlock.steps(writable: writable, privateTemporary: [temporary], hasMounts: false)
        var tail = tail(facts, request)
        tail.environment = EnvironmentPlan.build(
            policy: policy, facts: facts, request: request, temporary: temporary.description)
        tail.dropsIDs = facts.uid == 0
        tail.locksSecureBits = facts.uid == 0
        return Plan(
            namespaces: [], idMap: nil, idmappedTrees: [], steps: steps, tail: tail,
            filter: SyscallFilter(rules: [], hasListener: false),
            limits: LimitPlan(budgets: [:], cgroup: nil, tmpfsBytes: 0), heldPlaces: [], enforcement: [:],
            warnings: warnings(facts), tier: facts.tier, hasTerminal: request.wantsTerminal,
            temporaryDirectory: temporary, layer: nil, scratch: [])
    }

    private static func idMap(_ facts: HostFacts) -> IDMap {
        IDMap(
            insideUID: facts.target.insideUID, outsideUID: facts.target.outsideUID,
            insideGID: facts.target.insideGID, outsideGID: facts.target.outsideGID)
    }

    private static func isRootOwned(_ path: AbsolutePath, _ facts: HostFacts) -> Bool {
        facts.paths[path.description]?.uid == 0
    }

    private static func warnings(_ facts: HostFacts) -> [String] {
        var out: [String] = []
        if facts.tier == .t2 {
            out.append("the kernel refused a fresh /proc: command lines of processes outside the jail can be seen")
        }
        if !facts.hasSeccompListener { out.append("seccomp notification is taken: denials are not itemised") }
        return out
    }
}
