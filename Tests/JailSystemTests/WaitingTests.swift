import CJail
import Glibc
import JailSystem
import Testing

@Suite("Waiting")
struct PollerTests {
    @Test("a deadline in the past only looks")
    func looks() throws {
        let pipe = try Pipe()
        var poller = Poller()
        #expect(try poller.wait([(pipe.reading.rawValue, .readable)], until: .zero) == [[]])
        #expect(try poller.wait([], until: .zero).isEmpty)
    }

    @Test("bytes make one end readable, room makes the other writable")
    func ready() throws {
        let pipe = try Pipe()
        var poller = Poller()
        try Files.writeAll(pipe.writing.rawValue, [1])
        let found = try poller.wait(
            [(pipe.reading.rawValue, .readable), (pipe.writing.rawValue, .writable)], until: nil)
        #expect(found == [.readable, .writable])
    }

    @Test("a hang-up is told without being asked for, and bytes before it are not lost")
    func hangUp() throws {
        try Pipe().split { reading, writing in
            try Files.writeAll(writing.rawValue, [1])
            _ = consume writing
            var poller = Poller()
            #expect(try poller.wait([(reading.rawValue, .readable)], until: nil) == [[.readable, .hangUp]])
            #expect(try poller.wait([(reading.rawValue, [])], until: nil) == [.hangUp])
        }
    }

    @Test("a deadline is kept")
    func deadline() throws {
        let pipe = try Pipe()
        var poller = Poller()
        let end = SystemClock.now() + .milliseconds(5)
        #expect(try poller.wait([(pipe.reading.rawValue, .readable)], until: end) == [[]])
        #expect(SystemClock.now() >= end)
    }
}

@Suite("Signals", .serialized)
struct SignalTests {
    private func isBlocked(_ number: Int32) -> Bool {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return sigismember(&mask, number) == 1
    }

    @Test("a signal becomes readable and is taken once; the mask is restored")
    func signals() throws {
        let before = isBlocked(SIGUSR2)
        do {
            let signals = try SignalFD([.user2])
            #expect(isBlocked(SIGUSR2))
            #expect(try signals.next() == nil)
            raise(SIGUSR2)
            var poller = Poller()
            #expect(try poller.wait([(signals.rawValue, .readable)], until: nil) == [.readable])
            #expect(try signals.next()?.number == SIGUSR2)
            #expect(try signals.next() == nil)
            // What is still pending at the end must not end the process when the mask is restored.
            raise(SIGUSR2)
        }
        #expect(isBlocked(SIGUSR2) == before)
    }
}

@Suite("Terminals")
struct TerminalTests {
    // ioctl_tty(2); Swift does not import macros that compute.
    private let lockTerminal: UInt = 0x4004_5431
    private let terminalNumber: UInt = 0x8004_5430

    /// A pseudo-terminal: the master and the terminal itself.
    private func makeTerminal(_ body: (Int32, Int32) throws -> Void) throws {
        let master = try Files.open("/dev/ptmx", [.readWrite, .noControllingTerminal])
        var unlock: Int32 = 0
        try retrying("unlock the terminal") { ioctl(master.rawValue, lockTerminal, &unlock) }
        var number: UInt32 = 0
        try retrying("name the terminal") { ioctl(master.rawValue, terminalNumber, &number) }
        let terminal = try Files.open("/dev/pts/\(number)", [.readWrite, .noControllingTerminal])
        try body(master.rawValue, terminal.rawValue)
    }

    @Test("a pipe is no terminal and has no size")
    func pipe() throws {
        let pipe = try Pipe()
        #expect(!Terminal.isTerminal(pipe.reading.rawValue))
        #expect(Terminal.windowSize(pipe.reading.rawValue) == nil)
        #expect(throws: SystemError.self) { _ = try RawTerminal(pipe.reading.rawValue) }
    }

    @Test("the window size can be set and read")
    func size() throws {
        try makeTerminal { master, terminal in
            #expect(Terminal.isTerminal(terminal))
            #expect(Terminal.windowSize(terminal) == nil)
            try Terminal.setWindowSize(master, WindowSize(rows: 41, columns: 133))
            #expect(Terminal.windowSize(terminal) == WindowSize(rows: 41, columns: 133))
        }
    }

    @Test("raw mode passes bytes through and is undone at the end")
    func raw() throws {
        try makeTerminal { _, terminal in
            func localFlags() -> UInt32 {
                var mode = termios()
                tcgetattr(terminal, &mode)
                return mode.c_lflag
            }
            let before = localFlags()
            #expect(before & UInt32(ECHO | ICANON | ISIG) != 0)
            do {
                let raw = try RawTerminal(terminal)
                #expect(localFlags() & UInt32(ECHO | ICANON | ISIG) == 0)
                _ = consume raw
            }
            #expect(localFlags() == before)
        }
    }

    @Test("a pipe that is opened again is non-blocking by itself")
    func reopenPipe() throws {
        let pipe = try Pipe()
        let stream = try require(optional: try Terminal.reopenForWriting(pipe.writing.rawValue))
        let isNonBlocking = stream.isNonBlocking
        #expect(isNonBlocking)
        #expect(cj_status_flags(pipe.writing.rawValue) & O_NONBLOCK == 0)
        try Files.writeAll(stream.descriptor.rawValue, [42])
        var buffer: [UInt8] = [0, 0]
        #expect(try Files.read(pipe.reading.rawValue, into: &buffer) == 1)
        #expect(buffer[0] == 42)
    }

    @Test("a regular file keeps its shared offset")
    func reopenFile() throws {
        let directory = try TemporaryDirectory()
        let file = try Files.open("\(directory.path)/log", [.write, .create], mode: 0o600)
        try Files.writeAll(file.rawValue, Array("first ".utf8))
        let stream = try require(optional: try Terminal.reopenForWriting(file.rawValue))
        let isNonBlocking = stream.isNonBlocking
        #expect(!isNonBlocking)
        try Files.writeAll(stream.descriptor.rawValue, Array("second".utf8))
        #expect(try directory.read("log") == "first second")
    }

    @Test("a closed stream is none")
    func closed() throws {
        #expect(!Terminal.isOpen(9999))
        switch try Terminal.reopenForWriting(9999) {
        case .some: Issue.record("a closed stream was opened")
        case .none: break
        }
    }

    /// `#require` does not take noncopyable values.
    private func require(optional stream: consuming OutputStream?) throws -> OutputStream {
        switch consume stream {
        case .some(let value): return value
        case .none: throw SystemError("open a stream", errno: ENOENT)
        }
    }
}
