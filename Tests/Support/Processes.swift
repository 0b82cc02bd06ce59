import CTestSupport
import Glibc

/// How a process ended.
public enum ProcessEnd: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signaled(Int32)
    /// It was killed by the test because it took too long.
    case timedOut

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signaled(signal)
    }

    public var description: String {
        switch self {
        case .exited(let code): "exit \(code)"
        case .signaled(let number): "signal \(number)"
        case .timedOut: "killed after the time limit"
        }
    }
}

/// What a finished process left.
public struct ProcessResult: Sendable {
    public let end: ProcessEnd
    public let stdout: [UInt8]
    public let stderr: [UInt8]
    /// Seconds from start to end by the monotonic clock.
    public let seconds: Double

    public var code: Int32? {
        guard case .exited(let code) = end else { return nil }
        return code
    }
    public var out: String { String(decoding: stdout, as: UTF8.self) }
    public var err: String { String(decoding: stderr, as: UTF8.self) }
}

/// Where a started process gets a standard stream from.
public enum StreamSource: Sendable, Hashable {
    /// An empty input, or an output that is collected.
    case usual
    /// This descriptor of the test.
    case descriptor(Int32)
    /// Not open at all.
    case closed
}

/// What to start.
public struct ProcessRequest: Sendable {
    public var argv: [String]
    /// The whole environment; nothing is inherited.
    public var environment: [String: String]
    public var directory: String?
    public var input: [UInt8] = []
    public var stdin = StreamSource.usual
    public var stdout = StreamSource.usual
    public var stderr = StreamSource.usual
    /// More descriptors, by their number in the process.
    public var extra: [Int32: Int32] = [:]
    public var limit = 60.0

    public init(_ argv: [String], environment: [String: String] = [:], directory: String? = nil) {
        self.argv = argv
        self.environment = environment
        self.directory = directory
    }
}

private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A process that a test started, in a process group of its own, collecting what it writes.
public final class RunningProcess {
    public let pid: Int32
    private let started = now()
    private let limit: Double
    private var input: [UInt8]
    private var inputAt = 0
    private var inputFD: Int32
    private var outputs: [(fd: Int32, bytes: [UInt8])]
    private var status: Int32?
    /// Stays readable from the process's end on.
    private let pidfd: Int32

    public init(_ request: ProcessRequest) throws {
        signal(SIGPIPE, SIG_IGN)
        limit = request.limit
        input = request.input
        let inPipe = try Pipe()
        let outPipe = try Pipe()
        let errPipe = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        Self.connect(&actions, request.stdin, usual: inPipe.readEnd, as: 0)
        Self.connect(&actions, request.stdout, usual: outPipe.writeEnd, as: 1)
        Self.connect(&actions, request.stderr, usual: errPipe.writeEnd, as: 2)
        for (number, fd) in request.extra { posix_spawn_file_actions_adddup2(&actions, fd, number) }
        if let directory = request.directory { ct_spawn_in(&actions, directory) }
        pid = try Self.spawn(request, &actions)
        close(inPipe.readEnd)
        close(outPipe.writeEnd)
        close(errPipe.writeEnd)
        inputFD = inPipe.writeEnd
        outputs = [(outPipe.readEnd, []), (errPipe.readEnd, [])]
        pidfd = ct_pidfd(pid)
        for fd in [inputFD, outPipe.readEnd, errPipe.readEnd] {
            ct_nonblocking(fd)
        }
        if request.stdin != .usual || input.isEmpty { closeInput() }
    }

    private static func connect(
        _ actions: inout posix_spawn_file_actions_t, _ source: StreamSource, usual: Int32, as number: Int32
    ) {
        switch source {
        case .usual: posix_spawn_file_actions_adddup2(&actions, usual, number)
        case .descriptor(let fd): posix_spawn_file_actions_adddup2(&actions, fd, number)
        case .closed: posix_spawn_file_actions_addclose(&actions, number)
        }
    }

    private static func spawn(_ request: ProcessRequest, _ actions: inout posix_spawn_file_actions_t) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The Swift test runner may ignore or block signals; a fresh process starts with the defaults.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let argv = request.argv.map { strdup($0) } + [nil]
        let environment = request.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + environment).forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, request.argv[0], &actions, &attributes, argv, environment)
        guard error == 0 else { throw SystemCallError("start \(request.argv[0])", error) }
        return pid
    }

    deinit {
        closeInput()
        for index in outputs.indices where outputs[index].fd >= 0 { close(outputs[index].fd) }
        if status == nil {
            kill(-pid, SIGKILL)
            var ignored: Int32 = 0
            waitpid(pid, &ignored, 0)
        }
        if pidfd >= 0 { close(pidfd) }
    }

    /// Standard output so far.
    public var stdout: [UInt8] { outputs[0].bytes }
    public var stderr: [UInt8] { outputs[1].bytes }

    public func send(_ number: Int32) { kill(pid, number) }

    /// Reads until standard output holds the text; throws when the process ends or the time is up first.
    public func wait(forOutput text: String) throws {
        try wait(for: text, in: 0)
    }

    public func wait(forError text: String) throws {
        try wait(for: text, in: 1)
    }

    private func wait(for text: String, in stream: Int) throws {
        let wanted = Array(text.utf8)
        while !outputs[stream].bytes.contains(wanted) {
            guard now() - started < limit, outputs[stream].fd >= 0 || status == nil else {
                throw MissingHere(
                    "no \"\(text)\" in the output: \(String(decoding: outputs[stream].bytes, as: UTF8.self))")
            }
            pump(milliseconds: 20)
            if hasEnded(), outputs.allSatisfy({ $0.fd < 0 }), !outputs[stream].bytes.contains(wanted) {
                throw MissingHere("ended without \"\(text)\": \(String(decoding: outputs[1].bytes, as: UTF8.self))")
            }
        }
    }

    /// Collects everything until the process has ended.
    ///
    /// What a process left behind keeps its outputs open is not waited for: only what lies in the pipes is read.
    public func finish() -> ProcessResult {
        var isLate = false
        while !hasEnded() {
            if now() - started > limit {
                isLate = true
                kill(-pid, SIGKILL)
            }
            pump(milliseconds: 50)
        }
        let seconds = now() - started
        while pump(milliseconds: 0) {}
        let end = ProcessEnd(waitStatus: status ?? 0)
        return ProcessResult(
            end: isLate ? .timedOut : end, stdout: outputs[0].bytes, stderr: outputs[1].bytes, seconds: seconds)
    }

    private func hasEnded() -> Bool {
        if status != nil { return true }
        var value: Int32 = 0
        guard waitpid(pid, &value, WNOHANG) == pid else { return false }
        status = value
        return true
    }

    private func closeInput() {
        if inputFD >= 0 { close(inputFD) }
        inputFD = -1
    }

    /// Moves what can be moved; waits at most so long.
    ///
    /// Returns whether anything was read.
    @discardableResult
    private func pump(milliseconds: Int32) -> Bool {
        var waits = outputs.map { pollfd(fd: $0.fd, events: Int16(POLLIN), revents: 0) }
        waits.append(pollfd(fd: inputFD, events: Int16(POLLOUT), revents: 0))
        waits.append(pollfd(fd: status == nil ? pidfd : -1, events: Int16(POLLIN), revents: 0))
        guard poll(&waits, nfds_t(waits.count), milliseconds) > 0 else { return false }
        var hasRead = false
        for index in outputs.indices where outputs[index].fd >= 0 && waits[index].revents != 0 {
            hasRead = readOnce(index) || hasRead
        }
        if inputFD >= 0, waits[outputs.count].revents != 0 { writeOnce() }
        return hasRead
    }

    private func readOnce(_ index: Int) -> Bool {
        var block = [UInt8](repeating: 0, count: 1 << 18)
        let got = block.withUnsafeMutableBytes { read(outputs[index].fd, $0.baseAddress, $0.count) }
        if got > 0 {
            outputs[index].bytes.append(contentsOf: block[..<got])
            return true
        }
        if got == 0 || errno != EAGAIN {
            close(outputs[index].fd)
            outputs[index].fd = -1
        }
        return false
    }

    private func writeOnce() {
        let put = input[inputAt...].withUnsafeBytes { write(inputFD, $0.baseAddress, $0.count) }
        if put > 0 { inputAt += put }
        if inputAt == input.count || (put < 0 && errno != EAGAIN) { closeInput() }
    }
}

/// Two ends that close on exec.
public struct Pipe: Sendable {
    public let readEnd: Int32
    public let writeEnd: Int32

    public init() throws {
        var ends: [Int32] = [-1, -1]
        guard ct_pipe(&ends) == 0 else { throw SystemCallError("pipe") }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }
}

extension [UInt8] {
    /// Whether the bytes stand in here somewhere, in a row.
    public func contains(_ other: [UInt8]) -> Bool {
        guard !other.isEmpty else { return true }
        return withUnsafeBytes { all in
            other.withUnsafeBytes { ct_contains(all.baseAddress, all.count, $0.baseAddress, $0.count) }
        }
    }
}

/// Starts it, waits for its end.
@discardableResult
public func execute(_ request: ProcessRequest) throws -> ProcessResult { try RunningProcess(request).finish() }

/// A file that a process holds a lock on for as long as it lives.
public enum Lock {
    /// Whether nobody holds it.
    public static func isFree(_ path: String) -> Bool { ct_is_unlocked(path) }

    /// Waits until nobody holds it; false when that takes longer than the limit in seconds.
    public static func becomesFree(_ path: String, within limit: Double) -> Bool {
        let start = now()
        while !isFree(path) {
            if now() - start > limit { return false }
            usleep(2000)
        }
        return true
    }
}

/// Sends a descriptor over a socket.
public func send(descriptor: Int32, over socket: Int32) throws {
    guard ct_send_descriptor(socket, descriptor) == 0 else { throw SystemCallError("sendmsg") }
}

/// Seconds of the monotonic clock.
public func monotonicSeconds() -> Double { now() }
