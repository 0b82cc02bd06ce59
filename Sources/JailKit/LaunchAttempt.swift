import JailLaunch
import JailLedger
import JailModel
import JailPlan
import JailPolicy
import JailSystem

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
                guard TierLadder.lower(planned.facts, after: inside) != nil else { return outcome }
                failure = inside
            } catch {
                failure = error
            }
            // A launch-jail of another pid namespace may take our group for one of the dead.
            if failure.step == .cgroup, failure.errno == 2, cgroupRetries < 3 {
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

    private func launchOnce() throws(LaunchFailure) -> StepOutcome {
        let plan = planned.plan
        let target = planned.facts.target
        let workspace = planned.request.workspace.description
        let journal = HeldPlaceJournal(
            id: id, workspace: workspace, places: plan.heldPlaces, environment: options.environment)
        let held = try HeldPlaces(
            plan.heldPlaces, in: workspace,
            owner: target.isMapped ? (0, 0) : (target.outsideUID, target.outsideGID))
        let temporary = try TemporaryDirectory(plan.temporaryDirectory, owner: target)
        defer {
            temporary.remove()
            // A run that still stands on the places removes them; the journal tells it to.
            if planned.lock?.isAlone() ?? true {
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
        record.pathViolations = protectedBefore.differences(options.policy, planned)
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
