import JailLaunch
import JailLedger
import JailModel
import JailPlan
import JailPolicy
import JailSystem
import JailWorkspace

/// One step on its way: launches the plan, and where the host refuses a step of it, the next poorer plan that the
/// policy accepts.
struct LaunchAttempt {
    let options: StepOptions
    let id: RunID
    let evidence: RunEvidence
    let signals: StopSignals
    private var planned: PlannedStep
    private let protectedBefore: ProtectedState
    private var cgroupRetries = 0
    /// Why no plan that the policy accepts could be launched, when that is so.
    private var refusal: LaunchRefusal?
    /// Where the changes of the step land; `nil` where they land in the workspace at once.
    private var changes: WorkspaceChanges?

    init(options: StepOptions, planned: PlannedStep, id: RunID, evidence: RunEvidence, signals: StopSignals) {
        self.signals = signals
        self.options = options
        self.planned = planned
        self.id = id
        self.evidence = evidence
        protectedBefore = ProtectedState(options.policy, planned)
    }

    /// Launches and supervises until the step is over; `nil` when no plan that the policy accepts could be launched.
    mutating func launch() -> StepOutcome? {
        while true {
            evidence.emit(
                Event(
                    .planCompiled,
                    [
                        "sha256": .string(planned.planDigest.hex), "tier": .string(planned.plan.tier.rawValue),
                        "steps": .integer(Int64(planned.plan.steps.count)),
                    ]))
            let failure: LaunchFailure
            do throws(LaunchFailure) {
                let outcome = try launchOnce()
                guard let inside = outcome.failure, !outcome.started else { return outcome }
                guard nextLayer(after: inside) != nil || TierLadder.lower(planned.facts, after: inside) != nil else {
                    return outcome
                }
                failure = inside
            } catch {
                failure = error
            }
            if let next = nextLayer(after: failure) {
                evidence.emit(
                    Event(
                        .launchStep,
                        [
                            "failed": .string(failure.stepText), "errno": .string(Errno.name(failure.errno)),
                            "next": .string(next.name),
                        ]))
                do throws(StepRefused) {
                    planned = try planned.replanned(options.policy, layer: next)
                } catch {
                    refusal = error.refusal
                    return nil
                }
                continue
            }
            // A launch-jail of another pid namespace may take our group for one of the dead: ENOENT, ENODEV.
            if failure.step == .cgroup, [2, 19].contains(failure.errno), cgroupRetries < 3 {
                cgroupRetries += 1
                continue
            }
            do throws(StepRefused) {
                try descend(after: failure)
            } catch {
                refusal = error.refusal
                return nil
            }
        }
    }

    /// What is tried instead of a layer that the host refuses; `nil` when the failure is about something else.
    private func nextLayer(after failure: LaunchFailure) -> WorkspaceLayer? {
        guard let layer = planned.plan.layer else { return nil }
        let choice = LayerChoice(
            run: planned.request.runDirectory, availableMemory: nil, open: options.openChanges?.content)
        switch failure.step {
        case .plan(.overlay), .plan(.probeAttribute): return choice.next(after: layer)
        // Overlayfs, where many containers keep everything, cannot be shown with other ids; a copy can have other owners.
        case .mapTree(planned.request.workspace.description): return choice.copy(after: layer)
        default: return nil
        }
    }

    /// Makes the directories that take the step's changes.
    private mutating func prepareLayer() throws(LaunchFailure) {
        guard let layer = planned.plan.layer else { return }
        let workspace = planned.request.workspace.description
        do throws(SystemError) {
            let made = try WorkspaceChanges(
                planned, options.policy, layer: layer, run: evidence.directory.descriptor, id: id)
            try made.prepare(
                mode: planned.facts.paths[workspace]?.mode ?? 0o755, earlier: options.openChanges,
                began: planned.lock?.began ?? ChangeFence.moment())
            changes = made
            guard case .copy(let path) = layer else { return }
            let fact = try HostFactsReader.pathFacts([path.description])[path.description]
            planned = try planned.showing(options.policy, copy: layer, fact)
        } catch {
            throw LaunchFailure(.prepare("make a layer for the changes: \(error.subject)"), errno: error.errno)
        }
    }

    private mutating func descend(after failure: LaunchFailure) throws(StepRefused) {
        evidence.emit(
            Event(
                .launchStep,
                ["failed": .string(failure.stepText), "errno": .string(Errno.name(failure.errno))]))
        if case .hold(let place) = failure.step {
            throw StepRefused(
                .invalid, .pathNotAllowed,
                "workspace.protect: the place of \(SafeText.escape(place)) cannot be held: \(Errno.name(failure.errno)) "
                    + "(\(Errno.text(failure.errno)))",
                hint: "make the path yourself, or drop it from workspace.protect")
        }
        if failure.isMissingSeccomp {
            throw StepRefused(
                .unenforceable, .notEnforceable,
                "this host has no seccomp filters, without which nothing is started: \(failure.stepText): "
                    + Errno.name(failure.errno), hint: "`launch-jail doctor` says what this host allows")
        }
        guard let facts = TierLadder.lower(planned.facts, after: failure) else {
            throw StepRefused(
                .internal, .launchFailed,
                "the jail could not be made: \(failure.stepText): \(Errno.name(failure.errno)) "
                    + "(\(Errno.text(failure.errno)))", hint: "`launch-jail doctor` says what this host allows")
        }
        planned = try planned.replanned(options.policy, facts)
    }

    private mutating func launchOnce() throws(LaunchFailure) -> StepOutcome {
        try prepareLayer()
        let plan = planned.plan
        let target = planned.facts.target
        // An overlay holds the places in its layer, a copy in itself: nothing is made in the real tree.
        let workspace: String
        var places = plan.heldPlaces
        switch plan.layer {
        case .memory, .disk:
            workspace = planned.request.workspace.description
            places = []
        case .copy(let path): workspace = path.description
        case nil: workspace = planned.request.workspace.description
        }
        let journal = HeldPlaceJournal(
            id: id, workspace: workspace, places: plan.layer == nil ? places : [], environment: options.environment)
        let held = try HeldPlaces(
            places, in: workspace,
            owner: target.isMapped && plan.layer == nil ? (0, 0) : (target.outsideUID, target.outsideGID))
        let temporary = try TemporaryDirectory(plan.temporaryDirectory, owner: target)
        defer {
            temporary.remove()
            // A run that still stands on the places removes them; the journal tells it to.
            if plan.layer != nil { held.remove() }
            if plan.layer == nil, planned.lock?.isAlone() ?? true {
                held.remove()
                journal.close()
                // What a run that ended earlier had to leave because this one still stood on it.
                HeldPlaceJournal.recover(options.environment, own: planned.request.workspace)
            }
        }
        let context = LaunchContext(
            runID: id.text, stdoutLog: evidence.stdout.rawValue, stderrLog: evidence.stderr.rawValue,
            networkMode: options.policy.network.mode, host: planned.facts,
            pidNamespace: planned.request.pidNamespace, showsOutput: options.showsOutput)
        return try StepLauncher.run(plan, context, signals: signals) { evidence.emit($0) }
    }

    /// Reads what the step changed.
    func readChanges(_ record: inout StepRecord, _ outcome: StepOutcome?) {
        guard let changes, let outcome, outcome.started else { return }
        do throws(SystemError) {
            let (found, handoffs) = try changes.read(
                outcome.layer, options.policy, earlierWrites: options.earlierWrites)
            record.usage.filesChanged = found.set.filesChanged
            record.usage.fileWrites = found.fileWrites
            record.usage.bytesWritten = found.set.bytesWritten
            record.changes = found
            record.handoffs = handoffs
            evidence.emit(
                Event(
                    .changesRead,
                    [
                        "files": .integer(Int64(clamping: found.set.filesChanged)),
                        "bytes": .integer(Int64(clamping: found.set.bytesWritten)), "layer": .string(found.layer),
                        "patch_sha256": .string(found.patch.sha256?.hex ?? ""),
                    ]))
        } catch {
            record.evidenceGaps.append("what the step changed could not be read: \(error)")
        }
    }

    /// Publishes, keeps or drops the changes.
    func dispose(_ record: inout StepRecord, _ outcome: StepOutcome?, _ verdict: Verdict) {
        defer { changes?.dropScratch() }
        guard let changes, var found = record.changes else {
            if record.evidenceGaps.isEmpty { try? changes?.drop() }
            return
        }
        let disposal = Disposal.decide(options.policy.workspace, record, verdict)
        changes.dispose(disposal, &found, outcome?.layer, verdict: verdict)
        record.changes = found
        evidence.emit(Event(.changesDisposed, ["state": .string(found.state.rawValue)]))
    }

    /// Closes the evidence.
    func record(_ result: StepOutcome?, version: String) -> StepRecord {
        let plan = planned.plan
        let outcome = result ?? StepOutcome()
        var record = StepRecord(
            runID: id.text, version: version, profile: options.policy.profile, policyName: options.policy.name,
            policyDigest: options.policy.digest,
            command: CommandRecord(
                argv: options.argv, cwd: plan.tail.cwd, executable: plan.tail.executable,
                sha256: planned.executableDigest),
            outcome: refusal.map { .refused($0) } ?? Self.launchOutcome(outcome, plan), host: planned.facts)
        record.orphansKilled = outcome.orphansKilled
        record.noSurvivors = outcome.noSurvivors
        record.usage = outcome.usage
        record.budgets = plan.limits.budgets
        record.breaches = outcome.breaches
        record.denials = outcome.denials
        record.denialsDropped = outcome.denialsDropped
        record.areDenialsItemised = outcome.areDenialsItemised
        record.execs = outcome.execs
        record.egress = Self.egress(outcome.denials)
        record.canaries = outcome.canaries
        // What a layer took is judged by the change set; somebody else may change the real tree meanwhile.
        record.pathViolations = plan.layer == nil ? protectedBefore.differences(options.policy, planned) : []
        record.workspaceMode = WorkspaceModeName(options.policy.workspace.mode)
        record.allowedHandoffs = options.policy.workspace.handoff
        record.applied = outcome.applied
        record.planDigest = planned.planDigest
        record.enforcement = plan.enforcement
        record.networkMode = options.policy.network.mode
        record.onDenied = options.policy.network.onDenied
        record.stdout = outcome.stdout
        record.stderr = outcome.stderr
        record.interruptedBy = outcome.interruptedBy
        record.evidenceGaps = outcome.evidenceGaps
        record.warnings = plan.warnings + outcome.warnings
        record.timings = outcome.timings
        return record
    }

    private static func launchOutcome(_ outcome: StepOutcome, _ plan: Plan) -> LaunchOutcome {
        if let failure = outcome.failure {
            if failure.isCommandProblem {
                return .refused(
                    LaunchRefusal(
                        verdict: .invalid, code: .launchFailed,
                        message: "the command \(SafeText.escape(plan.tail.executable)) cannot be executed: "
                            + "\(Errno.name(failure.errno)) (\(Errno.text(failure.errno)))",
                        hint: hint(failure.errno)))
            }
            return .failed(
                LaunchFault(
                    step: failure.stepText, errno: failure.errno,
                    message: failure.errno == 0
                        ? failure.stepText : "\(failure.stepText): \(Errno.name(failure.errno))"),
                started: outcome.started)
        }
        if let end = outcome.end { return .ended(end) }
        return .failed(
            LaunchFault(step: "wait for the command", message: "the end of the command is not known"), started: true)
    }

    private static func hint(_ errno: Int32) -> String {
        switch errno {
        case 2: "its interpreter (the #! line or the dynamic loader) does not exist in the jail: filesystem.read"
        case 13: "the policy's exec.allow does not list it or its interpreter, or the target user may not execute it"
        case 7: "the arguments and the environment are too long"
        default: ""
        }
    }

    /// What was refused by destination, as the report's egress table has it.
    private static func egress(_ denials: [Denial]) -> [EgressRecord] {
        denials.filter { $0.kind == .network }.compactMap { denial in
            guard let colon = denial.subject.lastIndex(of: ":"),
                let port = UInt16(denial.subject[denial.subject.index(after: colon)...])
            else { return nil }
            return EgressRecord(
                host: String(denial.subject[..<colon]), port: port, verdict: .deny, connections: denial.count,
                reason: denial.rule)
        }
    }
}

extension WorkspaceModeName {
    init(_ mode: WorkspaceMode) {
        self =
            switch mode {
            case .overlay: .overlay
            case .direct: .direct
            case .readonly: .readonly
            }
    }
}
