internal import CJail
internal import Glibc

/// The signals that a supervisor handles, by their Linux numbers.
public struct SignalNumber: RawRepresentable, Sendable, Hashable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let hangUp = SignalNumber(rawValue: SIGHUP)
    public static let interrupt = SignalNumber(rawValue: SIGINT)
    public static let quit = SignalNumber(rawValue: SIGQUIT)
    public static let kill = SignalNumber(rawValue: SIGKILL)
    public static let terminate = SignalNumber(rawValue: SIGTERM)
    public static let pipe = SignalNumber(rawValue: SIGPIPE)
    public static let child = SignalNumber(rawValue: SIGCHLD)
    public static let windowChanged = SignalNumber(rawValue: SIGWINCH)
    public static let stop = SignalNumber(rawValue: SIGTSTP)
    public static let resume = SignalNumber(rawValue: SIGCONT)
    public static let user1 = SignalNumber(rawValue: SIGUSR1)
    public static let user2 = SignalNumber(rawValue: SIGUSR2)
}

/// A signal that arrived, and the process that sent it (0: the kernel, or outside this pid namespace).
public struct ReceivedSignal: Sendable, Hashable {
    public let number: Int32
    public let sender: Int32
}

/// Signals turned into a readable descriptor; they are blocked as long as this value lives.
///
/// Make it on the main thread before any other thread starts: threads inherit the mask. A signal that the caller had
/// ignored (nohup) stays ignored. At the end of life what is still pending is read away and the mask is as it was.
/// signalfd(2).
public struct SignalFD: ~Copyable {
    private let descriptor: OwnedFD
    private let previous: sigset_t

    /// Blocks the signals in the calling thread and opens their descriptor.
    public init(_ signals: [SignalNumber]) throws(SystemError) {
        var mask = sigset_t()
        var old = sigset_t()
        // SAFETY: both sets are exclusively borrowed for each call.
        unsafe sigemptyset(&mask)
        for signal in signals {
            // SAFETY: as above.
            unsafe sigaddset(&mask, signal.rawValue)
        }
        // SAFETY: as above.
        let code = unsafe pthread_sigmask(SIG_BLOCK, &mask, &old)
        guard code == 0 else { throw SystemError("block signals", errno: code) }
        let number: Int32
        do throws(SystemError) {
            // SAFETY: the mask outlives the call.
            number = try retrying("open a signal descriptor") { unsafe cj_signalfd(&mask) }
        } catch {
            // SAFETY: the set outlives the call.
            unsafe pthread_sigmask(SIG_SETMASK, &old, nil)
            throw error
        }
        descriptor = OwnedFD(taking: number)
        previous = old
    }

    /// Readable while a signal waits.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Takes one signal; `nil` when none waits.
    public borrowing func next() throws(SystemError) -> ReceivedSignal? {
        var sender: Int32 = 0
        let fd = descriptor.rawValue
        // SAFETY: `sender` is exclusively borrowed for the call.
        let number = try retrying("read a signal") { unsafe cj_signalfd_read(fd, &sender) }
        return number == 0 ? nil : ReceivedSignal(number: number, sender: sender)
    }

    deinit {
        var sender: Int32 = 0
        // SAFETY: `sender` and the set outlive the calls.
        while unsafe cj_signalfd_read(descriptor.rawValue, &sender) > 0 {}
        var old = previous
        unsafe pthread_sigmask(SIG_SETMASK, &old, nil)
    }
}

/// Lets a write to a closed pipe fail with EPIPE instead of ending this process.
///
/// signal(7).
///
/// The launch resets it in the child: an ignored signal survives exec.
public func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
}
