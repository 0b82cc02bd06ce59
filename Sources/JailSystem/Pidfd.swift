internal import CJail
internal import Glibc

/// A process by descriptor: a signal can never reach another process that got the same number.
///
/// pidfd_open(2), 5.3.
public struct Pidfd: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    /// Takes over a descriptor that clone returned.
    public init(taking descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// Opens a process that the caller knows to be alive: its own child that is not reaped yet.
    public init(opening pid: Int32) throws(SystemError) {
        descriptor = OwnedFD(taking: try retrying("open the process", on: "\(pid)") { cj_pidfd_open(pid) })
    }

    /// Readable once the process has ended.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Sends a signal; false when the process is gone already.
    ///
    /// pidfd_send_signal(2), 5.1.
    @discardableResult
    public borrowing func send(_ signal: SignalNumber) throws(SystemError) -> Bool {
        let fd = descriptor.rawValue
        do throws(SystemError) {
            try retrying("signal the process") { cj_pidfd_signal(fd, signal.rawValue) }
            return true
        } catch {
            guard error.errno == ESRCH else { throw error }
            return false
        }
    }
}
