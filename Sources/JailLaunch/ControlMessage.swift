internal import CJail
internal import CJailABI
internal import JailModel
internal import JailPlan
internal import JailSystem

/// What init and the job half tell, decoded once.
enum ControlMessage {
    case stepFailed(index: Int, errno: Int32)
    case tailFailed(step: TailStep?, errno: Int32, detail: UInt32)
    case descriptor(DescriptorTag)
    case applied(AppliedState)
    case canaries([Int32])
    case started(setUp: Duration, exec: Duration)
    case exited(status: Int32, user: Duration, system: Duration, maxRSS: ByteCount, orphans: Int)
    case closed
    case malformed(Int32)
}

/// The supervisor's end of the control socket.
struct ControlChannel: ~Copyable {
    let socket: OwnedFD

    /// The next message without waiting; `nil` when there is none.
    ///
    /// A descriptor that comes along is handed to `receive`, which owns it.
    func next(landlockABI: Int, receive: (DescriptorTag, consuming OwnedFD) -> Void) -> ControlMessage? {
        var message = cj_msg()
        var fd: Int32 = -1
        // SAFETY: both are exclusively borrowed for the call.
        let result = unsafe cj_receive(socket.rawValue, &message, &fd)
        if result == -11 { return nil }
        if result == 0 { return .closed }
        guard result == 1 else { return .malformed(-result) }
        if fd >= 0 {
            let owned = OwnedFD(taking: fd)
            guard message.kind == CJ_MSG_FD.rawValue, let tag = DescriptorTag(rawValue: message.index) else {
                return .malformed(22)
            }
            receive(tag, owned)
            return .descriptor(tag)
        }
        return decode(message, landlockABI: landlockABI)
    }

    private func decode(_ message: cj_msg, landlockABI: Int) -> ControlMessage {
        let v = message.v
        switch cj_msg_kind(message.kind) {
        case CJ_MSG_OP_FAILED: return .stepFailed(index: Int(message.index), errno: message.error)
        case CJ_MSG_TAIL_FAILED:
            return .tailFailed(
                step: TailStep(rawValue: message.index), errno: message.error, detail: message.detail)
        case CJ_MSG_APPLIED:
            return .applied(
                AppliedState(
                    effectiveCapabilities: v.0, permittedCapabilities: v.1, inheritableCapabilities: v.2,
                    boundingCapabilities: v.3, ambientCapabilities: v.4, hasNoNewPrivileges: v.5 == 1,
                    secureBits: UInt32(truncatingIfNeeded: v.6), seccompFilters: Int(truncatingIfNeeded: v.7),
                    landlockABI: landlockABI, uid: UInt32(truncatingIfNeeded: v.8 >> 32),
                    gid: UInt32(truncatingIfNeeded: v.8)))
        case CJ_MSG_CANARIES:
            let all = [v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7, v.8, v.9].map { Int32(truncatingIfNeeded: $0) }
            return .canaries(Array(all.prefix(Int(min(message.index, 10)))))
        case CJ_MSG_STARTED:
            return .started(
                setUp: .nanoseconds(Int64(bitPattern: v.1 &- v.0)), exec: .nanoseconds(Int64(bitPattern: v.2 &- v.0)))
        case CJ_MSG_EXITED:
            return .exited(
                status: message.error, user: .microseconds(Int64(bitPattern: v.0)),
                system: .microseconds(Int64(bitPattern: v.1)), maxRSS: ByteCount(v.2 &* 1024),
                orphans: Int(truncatingIfNeeded: v.3))
        default: return .malformed(22)
        }
    }

    /// Tells init that the id maps are written and gives it the trees that only the supervisor can prepare.
    func go(trees: borrowing [Int32]) -> Int32 {
        var message = cj_msg()
        message.kind = CJ_MSG_GO.rawValue
        message.detail = UInt32(trees.count)
        let fds = copy trees
        // SAFETY: the message and the array are borrowed for the call, and the count is the array's.
        return unsafe fds.withUnsafeBufferPointer { buffer in
            unsafe cj_send(socket.rawValue, &message, buffer.baseAddress, UInt32(buffer.count))
        }
    }

    /// Sends a signal to the command's process group.
    func signal(_ number: Int32) { send(CJ_MSG_SIGNAL, index: UInt32(number)) }

    /// Lets init kill everything.
    func kill() { send(CJ_MSG_KILL, index: 0) }

    private func send(_ kind: cj_msg_kind, index: UInt32) {
        var message = cj_msg()
        message.kind = kind.rawValue
        message.index = index
        // An init that is gone needs no word: its pid namespace died with it.
        // SAFETY: the message is borrowed for the call; no descriptors go along.
        _ = unsafe cj_send(socket.rawValue, &message, nil, 0)
    }
}
