import JailModel

/// What the supervisor decides, as a pure machine: events in, actions out.
///
/// It reads no clock and touches nothing.
struct SupervisorState {
    enum Phase: Equatable {
        /// The jail is setting itself up; its canaries and system calls are ours, not the command's.
        case settingUp
        case running
        /// Asked to stop; everything dies at the time.
        case stopping(killAt: Duration)
        /// Told to die; init itself is killed at the time.
        case killing(forceAt: Duration)
        case ended
    }

    enum Action: Equatable {
        case signal(Int32)
        /// Let init kill everything, so that it can still tell what there was.
        case kill
        /// Kill init; the kernel takes the pid namespace along.
        case force
    }

    private(set) var phase = Phase.settingUp
    private(set) var breaches: [BudgetBreach] = []
    private(set) var interruptedBy: Int32?
    let deadline: Duration?

    /// How long an interrupted command may take to end by itself.
    static let grace = Duration.seconds(5)
    /// How long init may take to kill and reap.
    static let killTime = Duration.seconds(1)

    init(deadline: Duration?) { self.deadline = deadline }

    /// When the machine wants to be asked again at the latest.
    var nextDeadline: Duration? {
        switch phase {
        case .settingUp, .running: deadline
        case .stopping(let time), .killing(let time): time
        case .ended: nil
        }
    }

    mutating func started() {
        if phase == .settingUp { phase = .running }
    }

    mutating func ended() { phase = .ended }

    /// A budget ran out: everything dies now.
    ///
    /// One breach of a kind is told once.
    mutating func breach(_ breach: BudgetBreach, at now: Duration) -> [Action] {
        guard phase != .ended else { return [] }
        if !breaches.contains(where: { $0.kind == breach.kind }) { breaches.append(breach) }
        switch phase {
        case .killing, .ended: return []
        case .settingUp, .running, .stopping:
            phase = .killing(forceAt: now + Self.killTime)
            return [.kill]
        }
    }

    /// A breach that was seen only after the end.
    mutating func noteBreach(_ breach: BudgetBreach) {
        if !breaches.contains(where: { $0.kind == breach.kind }) { breaches.append(breach) }
    }

    /// launch-jail was told to stop: the first time the command is asked, the second time it dies.
    mutating func interrupted(by signal: Int32, at now: Duration) -> [Action] {
        if interruptedBy == nil { interruptedBy = signal }
        switch phase {
        case .settingUp, .running:
            phase = .stopping(killAt: now + Self.grace)
            return [.signal(signal)]
        case .stopping:
            phase = .killing(forceAt: now + Self.killTime)
            return [.kill]
        case .killing, .ended: return []
        }
    }

    /// The time has come for something.
    mutating func tick(_ now: Duration) -> [Action] {
        switch phase {
        case .settingUp, .running, .ended: return []
        case .stopping(let time):
            guard now >= time else { return [] }
            phase = .killing(forceAt: now + Self.killTime)
            return [.kill]
        case .killing(let time):
            guard now >= time else { return [] }
            phase = .killing(forceAt: now + Self.killTime)
            return [.force]
        }
    }
}
