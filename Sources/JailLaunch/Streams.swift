internal import Glibc
internal import JailModel
internal import JailPlan
internal import JailSystem

/// The command's three streams, as pipes or as one terminal.
struct Streams: ~Copyable {
    private var stdout: OutputPump
    private var stderr: OutputPump
    private var input: InputPump
    /// The master of the command's terminal, -1 before it has one.
    private var terminal: Int32 = -1
    private let rawMode = Holder<RawTerminal>(nil)
    private let showsOutput: Bool
    private let stdoutLog: Int32

    struct Records {
        var stdout: StreamRecord
        var stderr: StreamRecord
        var gaps: [String]
    }

    init(plan: Plan, context: LaunchContext, pipes: consuming JailPipes) {
        showsOutput = context.showsOutput
        stdoutLog = context.stdoutLog
        let shows = context.showsOutput && !plan.hasTerminal
        stdout = OutputPump(
            name: "stdout", source: pipes.stdout, log: context.stdoutLog,
            sink: shows ? Sink(standard: 1, isRaw: false) : Sink())
        stderr = OutputPump(
            name: "stderr", source: pipes.stderr, log: context.stderrLog,
            sink: shows ? Sink(standard: 2, isRaw: false) : Sink())
        // With a terminal of its own the command's input comes from there; the pipe only holds the place.
        input = plan.hasTerminal ? InputPump() : InputPump(target: pipes.stdin)
    }

    /// Connects the command's terminal with ours.
    mutating func attachTerminal(_ master: consuming OwnedFD) {
        terminal = master.rawValue
        resize()
        do throws(SystemError) {
            input = InputPump(target: try master.duplicate(), isTerminal: true)
        } catch {
            input = InputPump()
        }
        stdout = OutputPump(
            name: "stdout", source: master, log: stdoutLog, sink: showsOutput ? Sink(standard: 1, isRaw: true) : Sink())
        // Keys go to the command's terminal, which interprets them; ours must not do it as well.
        if Terminal.isTerminal(0) { rawMode.value = try? RawTerminal(0) }
    }

    /// Gives our window size to the command's terminal.
    func resize() {
        guard terminal >= 0 else { return }
        for fd: Int32 in [0, 1, 2] {
            if let size = Terminal.windowSize(fd) {
                // A terminal that is gone has no size.
                try? Terminal.setWindowSize(terminal, size)
                return
            }
        }
    }

    var isOpen: Bool { stdout.isOpen || stderr.isOpen }
    /// Whether the caller has yet to take something that the command wrote.
    var hasPendingOutput: Bool { stdout.hasPendingOutput || stderr.hasPendingOutput }
    /// Whether a stream is open only because the caller is slow.
    var isHeldByReader: Bool { stdout.isHeldByReader || stderr.isHeldByReader }
    var bytes: UInt64 { stdout.record.bytes + stderr.record.bytes }

    /// What to wait for.
    ///
    /// - Parameter hasStarted: Input is left alone before: a launch that has to be tried again must find all of it.
    func interests(hasStarted: Bool) -> [(fd: Int32, interest: Poller.Interest)] {
        stdout.interests + stderr.interests + (hasStarted ? input.interests : [])
    }

    /// Moves what can be moved without waiting.
    mutating func step(
        entries: ArraySlice<(fd: Int32, interest: Poller.Interest)>, ready: ArraySlice<Poller.Readiness>,
        allowance: UInt64
    ) {
        var left = allowance
        stdout.read(allowance: &left)
        stderr.read(allowance: &left)
        stdout.flush()
        stderr.flush()
        var sourceReady = false
        var targetGone = false
        for (entry, readiness) in zip(entries, ready) where !readiness.isEmpty {
            if entry.fd == 0, readiness.contains(.readable) || readiness.contains(.hangUp) { sourceReady = true }
            if entry.fd == input.targetDescriptor, readiness.contains(.error) { targetGone = true }
        }
        input.step(targetGone: targetGone, sourceReady: sourceReady)
    }

    /// Stops reading; who still holds the pipes is none of the step's processes.
    mutating func closeSources() {
        stdout.closeSource()
        stderr.closeSource()
    }

    /// Ends both streams, showing what is left.
    mutating func finish() -> Records {
        rawMode.value = nil
        let gaps = [stdout.gap, stderr.gap].compactMap { $0 }
        return Records(stdout: stdout.finish(), stderr: stderr.finish(), gaps: gaps)
    }
}
