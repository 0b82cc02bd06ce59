import JailLedger
public import JailModel
public import JailPlan
import JailPolicy
import JailSystem

/// A step that has been resolved and planned, and has not been started.
public struct PlannedStep: Sendable {
    public let plan: Plan
    public let facts: HostFacts
    let request: StepRequest
    /// The plan's digest, made once: its text is long.
    let planDigest: SHA256Value
    /// What the executable was before the step could change it.
    let executableDigest: SHA256Value?
    /// Held while the step runs; `nil` for a plan that is only shown.
    let lock: WorkspaceLock?

    /// Resolves places and command, reads the host's facts and compiles the plan.
    ///
    /// Starts nothing and writes nothing.  - Throws: ``StepRefused`` with the verdict that the run would have had.  -
    /// Parameter willRun: Whether the workspace is about to be used: other runs are then told so, before it is looked
    /// at.
    public static func make(
        _ options: StepOptions, runDirectory: String, willRun: Bool = false
    ) throws(StepRefused) -> PlannedStep {
        let places = try Places(workspace: options.workspace, cwd: options.cwd)
        let isLayered = options.policy.workspace.mode == .overlay
        let lock = willRun ? try WorkspaceLock(places.workspace, isExclusive: isLayered, options.environment) : nil
        let finder = CommandFinder(policy: options.policy, places: places, environment: options.environment)
        guard let name = options.argv.first else {
            throw StepRefused(.invalid, .launchFailed, "no command was given", hint: "launch-jail run -- CMD [ARG…]")
        }
        try Self.checkSize(options.argv)
        // ORDER: a workspace that is the whole system would make every other message misleading.
        let facts = try readFacts(options, places)
        do throws(PlanError) {
            try PlaceRules.check(
                options.policy, workspace: places.workspace, cwd: places.cwd,
                homes: [facts.target.home, options.environment["HOME"] ?? ""].map(resolved))
        } catch {
            throw StepRefused(error.refusal)
        }
        try checkWritable(options.policy, places.workspace)
        let executable = try finder.find(name)
        try finder.checkPins()
        guard let runPath = absolute(runDirectory) else {
            throw StepRefused(
                .invalid, .pathNotAllowed, "the run directory \(SafeText.escape(runDirectory)) is no path")
        }
        var request = StepRequest(
            workspace: places.workspace, cwd: places.cwd, argv: options.argv, executable: executable,
            hostEnvironment: options.environment, runDirectory: runPath,
            stateDirectory: stateDirectory(options.environment, holding: runPath),
            wantsTerminal: options.wantsTerminal,
            pidNamespace: (try? Files.status("/proc/self/ns/pid", followingLinks: true))?.inode ?? 0)
        let choice = LayerChoice(
            run: runPath, availableMemory: LayerChoice.availableMemory(), open: options.openChanges?.content)
        request.layer = choice.choose(options.policy)
        if isLayered { request.submounts = LayerChoice.submounts(of: places.workspace) }
        if willRun {
            let name = TemporaryDirectory.name(random: .random(in: .min ... .max))
            request.temporaryDirectory = AbsolutePath(components: ["tmp", name])
        }
        let plan = try compile(options.policy, facts, request)
        return PlannedStep(
            plan: plan, facts: facts, request: request, planDigest: plan.digest,
            executableDigest: CommandFinder.digest(executable.description), lock: lock)
    }

    /// Where a path leads; the path itself when it leads nowhere.
    private static func resolved(_ path: String) -> String {
        ((try? Files.resolve(path))?.path.string) ?? path
    }

    /// A user who may not write the workspace could only fail in it.
    private static func checkWritable(_ policy: Policy, _ workspace: AbsolutePath) throws(StepRefused) {
        guard policy.workspace.mode != .readonly, !policy.workspace.write.isEmpty, Files.userID != 0,
            !Files.mayWrite(workspace.description)
        else { return }
        throw StepRefused(
            .invalid, .pathNotAllowed, "the workspace \(workspace) cannot be written by uid \(Files.userID)",
            hint: "--policy readonly needs no write access")
    }

    /// The state directory, where it is there to be hidden.
    private static func stateDirectory(_ environment: [String: String], holding run: AbsolutePath) -> AbsolutePath? {
        guard let store = try? RunStore.standard(environment), let path = absolute(store.root)?.parent else {
            return nil
        }
        return path.contains(run) || (try? Files.status(path.description))?.kind == .directory ? path : nil
    }

    /// The same step with another layer for its changes.
    func replanned(
        _ policy: Policy, layer: WorkspaceLayer, _ facts: HostFacts? = nil
    ) throws(StepRefused) -> PlannedStep {
        var request = request
        request.layer = layer
        let facts = facts ?? self.facts
        let plan = try Self.compile(policy, facts, request)
        return PlannedStep(
            plan: plan, facts: facts, request: request, planDigest: plan.digest, executableDigest: executableDigest,
            lock: lock)
    }

    /// The same step now that the copy that it works on exists.
    func showing(_ policy: Policy, copy layer: WorkspaceLayer, _ fact: PathFact?) throws(SystemError) -> PlannedStep {
        guard case .copy(let path) = layer else { return self }
        var facts = facts
        facts.paths[path.description] = fact
        do throws(StepRefused) {
            return try replanned(policy, layer: layer, facts)
        } catch {
            throw SystemError("plan the copy", errno: 22, subject: error.refusal.message)
        }
    }

    /// The same step for a host that can do less.
    func replanned(_ policy: Policy, _ facts: HostFacts) throws(StepRefused) -> PlannedStep {
        let plan = try Self.compile(policy, facts, request)
        return PlannedStep(
            plan: plan, facts: facts, request: request, planDigest: plan.digest, executableDigest: executableDigest,
            lock: lock)
    }

    static func compile(
        _ policy: Policy, _ facts: HostFacts, _ request: StepRequest
    ) throws(StepRefused) -> Plan {
        do throws(PlanError) {
            return try PlanCompiler.compile(policy: policy, facts: facts, request: request)
        } catch {
            throw StepRefused(error.refusal)
        }
    }

    private static func readFacts(_ options: StepOptions, _ places: Places) throws(StepRefused) -> HostFacts {
        do throws(SystemError) {
            return try HostFactsReader.read(
                workspace: places.workspace.description,
                paths: { target in
                    FactsRequest.paths(policy: options.policy, workspace: places.workspace, home: target.home)
                        + [places.cwd.description]
                }, environment: { options.environment[$0] })
        } catch {
            throw StepRefused(.invalid, .pathNotAllowed, "the host cannot be examined: \(error)")
        }
    }

    /// execve(2): one string may have 128 KiB; together with the environment a quarter of the stack limit, at most 6 MiB.
    private static func checkSize(_ argv: [ByteString]) throws(StepRefused) {
        if let long = argv.first(where: { $0.bytes.count >= 131_072 }) {
            throw StepRefused(
                .invalid, .launchFailed,
                "an argument has \(long.bytes.count) bytes; the kernel takes at most 131071 in one (E2BIG)",
                hint: "pass it in a file or on standard input")
        }
        let total = argv.reduce(0) { $0 + $1.bytes.count + 9 }
        if total > 2 << 20 {
            throw StepRefused(
                .invalid, .launchFailed, "the arguments have \(total) bytes; the kernel takes at most 2 MiB (E2BIG)",
                hint: "pass them in a file or on standard input")
        }
    }

    /// The path from the root of a directory that need not exist yet.
    static func absolute(_ path: String) -> AbsolutePath? {
        guard !path.utf8.contains(0) else { return nil }
        var text = path
        if path.utf8.first != UInt8(ascii: "/") {
            guard let current = try? Places.currentDirectory() else { return nil }
            text = current + "/" + path
        }
        guard let resolved = try? Files.resolve(text) else { return nil }
        return resolved.path.string.flatMap { AbsolutePath($0) }
    }
}
