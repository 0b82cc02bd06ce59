internal import CJail
internal import Glibc

/// CPU time of a process and of everything that it starts, counted by the kernel's scheduler.
///
/// Unlike rusage it misses nothing when a parent ignores SIGCHLD or a child outlives its parent (workspace.md 8.1).
/// perf_event_open(2) PERF_COUNT_SW_TASK_CLOCK with inheritance; needs perf_event_paranoid of at most 2 for an
/// ordinary user. Guarantee F: `max_cpu_s`.
public struct TaskClock: ~Copyable, Sendable {
    private let descriptor: OwnedFD
    /// False when the kernel allows only user-mode events; the task clock counts the same time either way.
    public let includesKernel: Bool

    /// Starts to count for a process.
    ///
    /// What its descendants used before is not counted, so open it before it runs.
    ///
    /// - Throws: EACCES or EPERM when the host forbids it, ENOENT or ENOSYS without perf, ESRCH for a dead process.
    public init(following pid: Int32) throws(SystemError) {
        do throws(SystemError) {
            descriptor = OwnedFD(taking: try retrying("open the task clock") { cj_task_clock(pid, 0) })
            includesKernel = true
        } catch {
            guard error.errno == EACCES || error.errno == EPERM else { throw error }
            descriptor = OwnedFD(
                taking: try retrying(
                    "open the task clock", hint: "sysctl kernel.perf_event_paranoid=2 would allow it"
                ) { cj_task_clock(pid, 1) })
            includesKernel = false
        }
    }

    /// The CPU time so far; it stays readable after the last process has ended.
    public borrowing func read() throws(SystemError) -> Duration {
        var buffer = [UInt8](repeating: 0, count: 8)
        let count = try Files.read(descriptor.rawValue, into: &buffer, subject: "the task clock")
        guard count == 8 else { throw SystemError("read the task clock", errno: EIO) }
        let value = buffer.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return .nanoseconds(Int64(clamping: value))
    }

    /// Whether it may be opened here, asked without opening it.
    ///
    /// Opening the first one on a machine costs 5 to 8 ms, in which the kernel patches its scheduler.
    public static func isAvailable() -> Bool { cj_perf_is_permitted() == 0 }
}
