internal import CJail
internal import Glibc

/// Waits for descriptors until a deadline, with one buffer that is used again.
///
/// ppoll(2).
public struct Poller: Sendable {
    /// What is waited for.
    ///
    /// A hang-up or an error is always told.
    public struct Interest: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let readable = Interest(rawValue: 1)
        public static let writable = Interest(rawValue: 2)
    }

    /// What a descriptor came to.
    public struct Readiness: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A read will not block: bytes wait, or the end of the file.
        public static let readable = Readiness(rawValue: 1)
        public static let writable = Readiness(rawValue: 2)
        /// The other end is gone; bytes may still wait.
        public static let hangUp = Readiness(rawValue: 4)
        public static let error = Readiness(rawValue: 8)
    }

    private var buffer: [pollfd] = []

    public init() {}

    /// Waits until one of the descriptors is ready or the deadline has passed.
    ///
    /// - Parameters:
    ///   - entries: Descriptors, which stay open during the call; an empty interest waits for a hang-up only.
    ///   - deadline: A time of ``SystemClock/now()``; `nil` waits for ever. One in the past only looks.
    /// - Returns: One readiness for each entry, in order; all empty when the deadline passed.
    public mutating func wait(
        _ entries: [(fd: Int32, interest: Interest)], until deadline: Duration?
    ) throws(SystemError) -> [Readiness] {
        buffer.removeAll(keepingCapacity: true)
        for entry in entries {
            var events: Int16 = 0
            if entry.interest.contains(.readable) { events |= Int16(POLLIN) }
            if entry.interest.contains(.writable) { events |= Int16(POLLOUT) }
            buffer.append(pollfd(fd: entry.fd, events: events, revents: 0))
        }
        // Asked again after each signal, so that signals cannot postpone the deadline.
        try retrying("wait for descriptors") {
            let rest = deadline.map { max(0, ($0 - SystemClock.now()).wholeNanoseconds) } ?? -1
            // SAFETY: the array is exclusively borrowed for the call and holds as many entries as are told.
            return unsafe buffer.withUnsafeMutableBufferPointer { unsafe cj_poll($0.baseAddress, $0.count, rest) }
        }
        return buffer.map(Self.readiness)
    }

    /// Waits for time to pass, and for nothing else.
    public static func pause(_ duration: Duration) {
        var poller = Poller()
        // The error is irrelevant: without descriptors ppoll can only be interrupted, which is retried.
        _ = try? poller.wait([], until: SystemClock.now() + duration)
    }

    private static func readiness(_ entry: pollfd) -> Readiness {
        let events = Int32(entry.revents)
        precondition(events & POLLNVAL == 0, "a closed descriptor was polled")
        var ready: Readiness = []
        if events & POLLIN != 0 { ready.insert(.readable) }
        if events & POLLOUT != 0 { ready.insert(.writable) }
        if events & POLLHUP != 0 { ready.insert(.hangUp) }
        if events & POLLERR != 0 { ready.insert(.error) }
        return ready
    }
}
