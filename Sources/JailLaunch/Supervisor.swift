internal import CJail
internal import Glibc
internal import JailModel
internal import JailPlan
internal import JailSystem

/// Watches one jail until no process of it is left: one poll loop, no thread of its own.
///
/// Decisions are ``SupervisorState``'s; this struct carries them out and keeps the evidence.
struct Supervisor: ~Copyable {
    private let plan: Plan
    private let context: LaunchContext
    private let jail: Jail
    private let startedAt: Duration
    private var state: SupervisorState
    private var outcome = StepOutcome()
    private var meters: BudgetMeters
    private var broker: Holder<NotifyBroker>
    private var streams: Streams
    private var hasEnded = false
    private var isInitGone = false
    /// The jail's /dev/shm; the meters own the descriptor.
    private var sharedMemory: Int32 = -1
    private var drainUntil: Duration?

    init(
        plan: Plan, context: LaunchContext, jail: consuming Jail, streams: consuming Streams, cgroup: Holder<Cgroup>,
        startedAt: Duration
    ) {
        self.plan = plan
        self.context = context
        self.startedAt = startedAt
        let runtime = plan.limits.budgets[.runtime].map { startedAt + .seconds(Int64(clamping: $0)) }
        state = SupervisorState(deadline: runtime)
        meters = BudgetMeters(
            limits: plan.limits, layer: plan.layer, cgroup: cgroup, clock: jail.taskClock, rootPID: jail.pid)
        broker = Holder(nil)
        self.streams = streams
        self.jail = jail
    }

    mutating func noteTiming(_ name: String, _ duration: Duration) { outcome.timings[name] = duration }

    /// Runs the loop; the outcome is complete when it returns.
    mutating func run(signals: borrowing SignalFD, emit: (Event) -> Void) -> StepOutcome {
        var poller = Poller()
        while !isFinished {
            turn(&poller, signals, emit)
        }
        return finish(emit)
    }

    /// A slow reader of our own output is waited for as long as it takes: the jail is dead by then, and no budget runs.
    private var isFinished: Bool {
        guard isInitGone else { return false }
        if isHurried { return true }
        return !streams.isOpen && !streams.hasPendingOutput
    }

    /// Told to stop while only our own reader was waited for.
    private var isHurried = false

    private var drainIsOver: Bool { drainUntil.map { SystemClock.now() >= $0 } ?? false }

    private mutating func turn(_ poller: inout Poller, _ signals: borrowing SignalFD, _ emit: (Event) -> Void) {
        var entries: [(fd: Int32, interest: Poller.Interest)] = [(signals.rawValue, .readable)]
        let pidfdIndex = isInitGone ? nil : entries.count
        if !isInitGone {
            entries.append((jail.pidfd.rawValue, .readable))
            entries.append((jail.control.socket.rawValue, .readable))
        }
        var listenerIndex: Int?
        if let fd = broker.value?.descriptor, broker.value?.hasHungUp == false {
            listenerIndex = entries.count
            entries.append((fd, .readable))
        }
        let streamIndex = entries.count
        entries += streams.interests(hasStarted: outcome.started)
        let drain = streams.isOpen ? drainUntil : nil
        let wake = [
            state.nextDeadline, drain, hasEnded ? nil : meters.nextSample, outcome.started ? nil : setUpDeadline,
        ].compactMap { $0 }.min()
        let ready: [Poller.Readiness]
        do throws(SystemError) {
            ready = try poller.wait(entries, until: wake)
        } catch {
            outcome.evidenceGaps.append("the supervisor cannot wait: \(error)")
            Launcher.destroy(jail.pidfd)
            isInitGone = true
            drainUntil = SystemClock.now()
            return
        }
        // ORDER: control before the listener, so that "the canaries are done" is known before the first denial.
        readControl(emit)
        if let index = listenerIndex, !ready[index].isEmpty { serveListener(ready[index], emit) }
        streams.step(entries: entries[streamIndex...], ready: ready[streamIndex...], allowance: meters.outputLeft)
        checkBudgets(emit)
        if !ready[0].isEmpty { readSignals(signals, emit) }
        perform(state.tick(SystemClock.now()))
        checkSetUpTime()
        if let index = pidfdIndex, !ready[index].isEmpty { initDied(emit) }
        guard isInitGone, streams.isOpen else { return }
        if streams.isHeldByReader {
            drainUntil = SystemClock.now() + .seconds(2)
        } else if drainIsOver {
            outcome.evidenceGaps.append("output was still open after every process had ended")
            streams.closeSources()
        }
    }

    // MARK: init's messages

    private mutating func readControl(_ emit: (Event) -> Void) {
        guard !isInitGone else { return }
        var received: [(DescriptorTag, Int32)] = []
        while let message = jail.control.next(
            landlockABI: context.host.landlockABI, receive: { tag, fd in received.append((tag, fd.release())) })
        {
            for (tag, number) in received { accept(tag, OwnedFD(taking: number)) }
            received.removeAll()
            if handle(message, emit) { return }
        }
    }

    private mutating func accept(_ tag: DescriptorTag, _ fd: consuming OwnedFD) {
        switch tag {
        case .listener:
            let target = context.host.target
            broker.value = NotifyBroker(
                listener: fd, filter: plan.filter, networkMode: context.networkMode, sharedMemory: sharedMemory,
                owner: (target.outsideUID, target.outsideGID))
            outcome.areDenialsItemised = true
        case .pty: streams.attachTerminal(fd)
        case .proc: meters.watchProcesses(in: fd)
        case .shm:
            sharedMemory = fd.rawValue
            meters.watchTemporary(fd)
        case .tmp, .home: meters.watchTemporary(fd)
        case .upper:
            let handle = LayerHandle(fd)
            outcome.layer = handle
            meters.watchLayer(handle)
        }
    }

    /// Handles one message; `true` when nothing more can come.
    private mutating func handle(_ message: ControlMessage, _ emit: (Event) -> Void) -> Bool {
        switch message {
        case .descriptor: return false
        case .stepFailed(let index, let errno):
            let step = plan.steps.indices.contains(index) ? plan.steps[index] : .privateMounts
            outcome.failure = LaunchFailure(.plan(step), errno: errno)
        case .tailFailed(let step, let errno, _):
            outcome.failure = LaunchFailure(.tail(step ?? .readPlan), errno: errno)
        case .applied(let applied):
            outcome.applied = applied
            emit(Event(.jailApplied, EventPayload.applied(applied)))
        case .canaries(let errors): noteCanaries(errors, emit)
        case .started(let setUp, let exec):
            outcome.started = true
            outcome.timings["set_up"] = setUp
            outcome.timings["exec"] = exec
            outcome.timings["launch"] = SystemClock.now() - startedAt
            state.started()
            meters.start(at: SystemClock.now())
            emit(Event(.stepStarted, ["tier": .string(plan.tier.rawValue)]))
        case .exited(let status, let user, let system, let maxRSS, let orphans):
            outcome.end = (status & 0x7f) == 0 ? .exited((status >> 8) & 0xff) : .signaled(status & 0x7f)
            outcome.orphansKilled = orphans
            outcome.usage.wall = SystemClock.now() - startedAt
            meters.noteRusage(cpu: user + system, maxRSS: maxRSS)
            hasEnded = true
            drainUntil = SystemClock.now() + .seconds(2)
        case .malformed(let errno):
            outcome.evidenceGaps.append("init sent what cannot be read (\(Errno.name(errno)))")
            Launcher.destroy(jail.pidfd)
            return true
        case .closed: return true
        }
        return false
    }

    private mutating func noteCanaries(_ errors: [Int32], _ emit: (Event) -> Void) {
        for (canary, error) in zip(plan.tail.canaries, errors) {
            outcome.canaries.append(
                CanaryResult(name: canary.name, errno: error, guarantee: canary.guarantee))
            if error == 0 { outcome.failure = LaunchFailure(.canary(canary.name), errno: 0) }
        }
        emit(
            Event(
                .canary,
                [
                    "results": .object(
                        Dictionary(
                            outcome.canaries.map {
                                ($0.name, .string($0.errno == 0 ? "ESCAPED" : Errno.name($0.errno)))
                            },
                            uniquingKeysWith: { first, _ in first }))
                ]))
        areCanariesDone = true
    }

    private var areCanariesDone = false

    private mutating func serveListener(_ ready: Poller.Readiness, _ emit: (Event) -> Void) {
        if ready.contains(.readable) {
            broker.value?.serve(isCommand: areCanariesDone) { finding in
                switch finding {
                case .denial(let denial): emit(Event(.denial, EventPayload.denial(denial)))
                case .exec(let record): emit(Event(.exec, EventPayload.exec(record)))
                }
            }
        } else if ready.contains(.hangUp) {
            broker.value?.noteHangUp()
        }
    }

    /// A set-up takes milliseconds; one that hangs is a defect or a dead file system, not the command's time.
    private mutating func checkSetUpTime() {
        guard !outcome.started, !isInitGone, outcome.failure == nil, SystemClock.now() >= setUpDeadline else { return }
        outcome.failure = LaunchFailure(.initDied, errno: ETIMEDOUT)
        _ = cj_signal(jail.pidfd.rawValue, SIGKILL)
    }

    private var setUpDeadline: Duration { startedAt + .seconds(30) }

    // MARK: budgets and signals

    private mutating func checkBudgets(_ emit: (Event) -> Void) {
        let now = SystemClock.now()
        var found = meters.sample(at: now, isRunning: outcome.started && !hasEnded)
        meters.noteOutput(streams.bytes)
        found += meters.countBreaches(denials: broker.value?.denials.total ?? 0)
        if let deadline = state.deadline, now >= deadline, !hasEnded, !isInitGone {
            let limit = plan.limits.budgets[.runtime] ?? 0
            let seen = UInt64(max(0, (now - startedAt).components.seconds)) + 1
            found.append(
                BudgetBreach(
                    kind: .runtime, limit: limit, observed: max(seen, limit + 1),
                    meter: "the supervisor's clock, rounded up"))
        }
        for breach in found where !state.breaches.contains(where: { $0.kind == breach.kind }) {
            emit(Event(.budgetBreach, EventPayload.breach(breach)))
            if hasEnded { state.noteBreach(breach) } else { perform(state.breach(breach, at: now)) }
        }
    }

    private mutating func readSignals(_ signals: borrowing SignalFD, _ emit: (Event) -> Void) {
        // A signal that cannot be read stays pending and is told again.
        while let received = (try? signals.next()) ?? nil {
            if received.number == SIGWINCH {
                streams.resize()
                continue
            }
            emit(
                Event(
                    .signal, ["number": .integer(Int64(received.number)), "sender": .integer(Int64(received.sender))]))
            if isInitGone { isHurried = true }
            perform(state.interrupted(by: received.number, at: SystemClock.now()))
        }
    }

    private func perform(_ actions: [SupervisorState.Action]) {
        for action in actions {
            switch action {
            case .signal(let number): jail.control.signal(number)
            case .kill:
                jail.control.kill()
                // Before the command has started init is not listening yet; its death ends the jail as well.
                if !outcome.started { _ = cj_signal(jail.pidfd.rawValue, SIGKILL) }
            case .force: _ = cj_signal(jail.pidfd.rawValue, SIGKILL)
            }
        }
    }

    // MARK: the end

    private mutating func initDied(_ emit: (Event) -> Void) {
        // ORDER: its last words are still in the socket.
        readControl(emit)
        var status: Int32 = 0
        // SAFETY: the status is exclusively borrowed for the call.
        _ = unsafe cj_reap(jail.pidfd.rawValue, &status)
        isInitGone = true
        if plan.tail.hasPIDNamespace {
            outcome.noSurvivors = "pid-ns"
        } else if cj_kill_children(2000) == 0 {
            outcome.noSurvivors = "subreaper"
        } else {
            outcome.evidenceGaps.append("processes of the step may still run: they could not all be killed")
        }
        if outcome.end == nil, outcome.failure == nil {
            if !outcome.started {
                outcome.failure = LaunchFailure(.initDied, errno: 0)
            } else if state.breaches.isEmpty, state.interruptedBy == nil {
                outcome.evidenceGaps.append("jail-init died before it could tell how the command ended")
            } else {
                // We killed it ourselves, and the command with it.
                outcome.end = .signaled(SIGKILL)
            }
        }
        if outcome.usage.wall == .zero { outcome.usage.wall = SystemClock.now() - startedAt }
        drainUntil = min(drainUntil ?? .seconds(Int64.max / 2), SystemClock.now() + .seconds(2))
        state.ended()
    }

    private mutating func finish(_ emit: (Event) -> Void) -> StepOutcome {
        if isHurried, streams.hasPendingOutput || streams.isHeldByReader {
            outcome.warnings.append("not all output was shown: launch-jail was told to stop while its reader was slow")
        }
        meters.noteOutput(streams.bytes)
        for breach in meters.finalBreaches(end: outcome.end)
        where !state.breaches.contains(where: { $0.kind == breach.kind }) {
            emit(Event(.budgetBreach, EventPayload.breach(breach)))
            state.noteBreach(breach)
        }
        if let limit = plan.limits.budgets[.processes], UInt64(outcome.orphansKilled) + 1 > limit {
            state.noteBreach(
                BudgetBreach(
                    kind: .processes, limit: limit, observed: UInt64(outcome.orphansKilled) + 1,
                    meter: "init, which killed them"))
        }
        let records = streams.finish()
        outcome.stdout = records.stdout
        outcome.stderr = records.stderr
        outcome.evidenceGaps += records.gaps
        meters.fill(&outcome.usage)
        outcome.usage.outputBytes = records.stdout.bytes + records.stderr.bytes
        outcome.breaches = state.breaches
        outcome.interruptedBy = state.interruptedBy
        if let denials = broker.value?.denials {
            outcome.denials = denials.denials
            outcome.denialsDropped = denials.dropped
            outcome.usage.denials = denials.total
        }
        if let execs = broker.value?.execs {
            outcome.execs = execs.records
            outcome.usage.execs = execs.total
        }
        outcome.warnings += meters.removeCgroup()
        return outcome
    }
}
