internal import CJail
internal import CJailABI
internal import Glibc
internal import JailModel
internal import JailPlan
internal import JailPolicy
internal import JailSystem

/// Answers the seccomp listener: refuses, lets through, or acts in the caller's place, and records what it saw.
///
/// It decides on registers only, never on memory that another thread of the command could change meanwhile; what it
/// reads from memory is evidence, not a decision. seccomp_unotify(2), 5.0; guarantees B, D, J.
struct NotifyBroker: ~Copyable {
    private let listener: OwnedFD
    private let errors: [Int32: (action: Answer, group: SyscallFilter.Group, name: String)]
    private let networkRule: String
    private let sharedMemory: Int32
    private let owner: (uid: UInt32, gid: UInt32)
    private(set) var denials = DenialLedger()
    private(set) var execs = ExecLedger()
    /// Whether the last process that the filter bound is gone.
    private(set) var hasHungUp = false

    private enum Answer { case refuse(Int32), pass }

    /// What one notification came to, for the event log.
    enum Finding {
        case denial(Denial)
        case exec(ExecRecord)
    }

    /// - Parameters:
    ///   - sharedMemory: The jail's /dev/shm, -1 where it has none of its own; it stays the caller's.
    ///   - owner: The user that the command is on the host.
    init(
        listener: consuming OwnedFD, filter: SyscallFilter, networkMode: NetworkModeName, sharedMemory: Int32,
        owner: (uid: UInt32, gid: UInt32)
    ) {
        self.sharedMemory = sharedMemory
        self.owner = owner
        self.listener = listener
        networkRule = "network.mode: \(networkMode.rawValue)"
        var table: [Int32: (Answer, SyscallFilter.Group, String)] = [:]
        for rule in filter.rules {
            guard case .notify(let error) = rule.action else { continue }
            let number: Int32
            if let known = rule.number {
                number = known
            } else {
                // SAFETY: the string is a null-terminated copy for the call.
                number = unsafe cj_syscall_number(rule.name)
            }
            if number >= 0, table[number] == nil {
                table[number] = (error == 0 ? .pass : .refuse(error), rule.group, rule.name)
            }
        }
        errors = table
    }

    var descriptor: Int32 { listener.rawValue }

    mutating func noteHangUp() { hasHungUp = true }

    /// Answers what waits, at most 64 notifications so that the rest of the loop gets its turn.
    ///
    /// - Parameter isCommand: `false` while the jail still proves itself: its canaries are not denials of the command.
    mutating func serve(isCommand: Bool, report: (Finding) -> Void) {
        var poller = Poller()
        // ORDER: while the jail still proves itself, one at a time: the next one may be the command's first, and the
        // message that says so is then in the control socket already.
        for _ in 0..<(isCommand ? 64 : 1) {
            // The error is irrelevant: a listener that cannot be polled has nothing to say.
            guard let ready = (try? poller.wait([(listener.rawValue, .readable)], until: .zero))?.first,
                ready.contains(.readable)
            else { return }
            var notification = cj_notification()
            // SAFETY: the struct is exclusively borrowed for the call.
            let result = unsafe cj_notify_receive(listener.rawValue, &notification)
            // ENOENT: the caller was killed before we looked; there is nobody to answer.
            guard result == 0 else { continue }
            answer(notification, isCommand: isCommand, report: report)
        }
    }

    private mutating func answer(_ call: cj_notification, isCommand: Bool, report: (Finding) -> Void) {
        guard let entry = errors[call.number] else {
            _ = cj_notify_deny(listener.rawValue, call.id, EPERM)
            return
        }
        if !isCommand, entry.group != .execLedger, entry.group != .memfd {
            switch entry.action {
            case .pass: _ = cj_notify_continue(listener.rawValue, call.id)
            case .refuse(let error): _ = cj_notify_deny(listener.rawValue, call.id, error)
            }
            return
        }
        let caller = Caller(pid: Int32(bitPattern: call.pid))
        switch entry.group {
        case .execLedger:
            let record = caller.exec(call, named: entry.name)
            _ = cj_notify_continue(listener.rawValue, call.id)
            if execs.add(record) { report(.exec(record)) }
        case .egressLog:
            switch caller.address(call, named: entry.name) {
            case .harmless: _ = cj_notify_continue(listener.rawValue, call.id)
            case .remote(let target):
                _ = cj_notify_continue(listener.rawValue, call.id)
                note(networkDenial(target, caller), report)
            case .unreadable:
                // What cannot be recorded does not happen.
                _ = cj_notify_deny(listener.rawValue, call.id, EFAULT)
                note(networkDenial("unreadable address", caller), report)
            }
        case .memfd: answerMemfd(call, caller, report)
        default:
            guard case .refuse(let error) = entry.action else {
                _ = cj_notify_continue(listener.rawValue, call.id)
                return
            }
            let subject = caller.subject(call, named: entry.name)
            _ = cj_notify_deny(listener.rawValue, call.id, error)
            let kind: Denial.Kind = entry.group == .sockets ? .network : .syscall
            note(
                Denial(
                    kind: kind, subject: subject, rule: "seccomp: \(entry.group.rawValue)", pid: caller.pid,
                    executable: caller.executable), report)
        }
    }

    /// Gives a nameless file of the jail's noexec /dev/shm for a memfd.
    ///
    /// A memfd itself, even one sealed by MFD_NOEXEC_SEAL, can be mapped executable, and the dynamic loader needs no
    /// more than that. Huge pages and seals do not exist on the file, so whoever asks for them is told at once.
    private mutating func answerMemfd(_ call: cj_notification, _ caller: Caller, _ report: (Finding) -> Void) {
        let flags = UInt32(truncatingIfNeeded: call.arguments.1)
        let isExecutable = flags & 0x10 != 0
        let isSealedOrHuge = flags & 0x6 != 0
        if isExecutable || isSealedOrHuge {
            _ = cj_notify_deny(listener.rawValue, call.id, isExecutable ? EACCES : EINVAL)
            guard isExecutable else { return }
            note(
                Denial(
                    kind: .syscall, subject: "memfd_create(MFD_EXEC)", rule: "exec.workspace: deny",
                    remedy: "exec: {workspace: allow}", pid: caller.pid, executable: caller.executable), report)
            return
        }
        let fd = sharedMemory < 0 ? -EACCES : cj_nameless_file(sharedMemory, owner.uid, owner.gid)
        guard fd >= 0 else {
            _ = cj_notify_deny(listener.rawValue, call.id, -fd)
            return
        }
        let owned = OwnedFD(taking: fd)
        let given = cj_notify_give_fd(listener.rawValue, call.id, owned.rawValue, flags & 1 != 0 ? 1 : 0)
        if given < 0 { _ = cj_notify_deny(listener.rawValue, call.id, EACCES) }
    }

    private mutating func note(_ denial: Denial, _ report: (Finding) -> Void) {
        if denials.add(denial) { report(.denial(denial)) }
    }

    private func networkDenial(_ target: String, _ caller: Caller) -> Denial {
        Denial(
            kind: .network, subject: target, rule: networkRule, remedy: "network: {mode: host}", pid: caller.pid,
            executable: caller.executable)
    }
}
