import Glibc
import JailSystem
import Testing

@Suite("Descriptors")
struct OwnedFDTests {
    /// Whether the other end of a pipe is gone.
    private func isHungUp(_ fd: Int32, until deadline: Duration = .zero) -> Bool {
        var poller = Poller()
        return (try? poller.wait([(fd, [])], until: deadline))?.first?.contains(.hangUp) ?? false
    }

    /// The same, as soon as what another test has forked meanwhile has closed its copy by its exec.
    private func hangsUp(_ fd: Int32) -> Bool { isHungUp(fd, until: SystemClock.now() + .seconds(10)) }

    @Test("the end of the owner closes")
    func closesAtTheEnd() throws {
        try Pipe().split { reading, writing in
            #expect(!isHungUp(reading.rawValue))
            _ = consume writing
            #expect(hangsUp(reading.rawValue))
        }
    }

    @Test("close tells success and closes once")
    func closes() throws {
        try Pipe().split { reading, writing in
            try writing.close()
            #expect(hangsUp(reading.rawValue))
        }
    }

    @Test("a released number stays open")
    func releases() throws {
        try Pipe().split { reading, writing in
            let number = writing.release()
            #expect(!isHungUp(reading.rawValue))
            _ = OwnedFD(taking: number)
            #expect(hangsUp(reading.rawValue))
        }
    }

    @Test("a duplicate is close-on-exec, has its own life and respects the least number")
    func duplicates() throws {
        try Pipe().split { reading, writing in
            let copy = try writing.duplicate(atLeast: 200)
            #expect(copy.rawValue >= 200)
            #expect(fcntl(copy.rawValue, F_GETFD) & FD_CLOEXEC != 0)
            _ = consume writing
            #expect(!isHungUp(reading.rawValue))
            _ = consume copy
            #expect(hangsUp(reading.rawValue))
        }
    }

    @Test("closing a number that is not open is fatal")
    func trapsOnDoubleClose() async {
        await #expect(processExitsWith: .failure) {
            _ = OwnedFD(taking: 9999)
        }
    }

    @Test("a bad descriptor in a system call is fatal")
    func trapsOnBadDescriptor() async {
        await #expect(processExitsWith: .failure) {
            _ = try Files.status(9999)
        }
    }
}

@Suite("Errors and clocks")
struct SystemErrorTests {
    @Test(
        "error numbers have the kernel's names",
        arguments: [
            (EPERM, "EPERM", "operation not permitted"), (ENOENT, "ENOENT", "no such file or directory"),
            (EAGAIN, "EAGAIN", "resource temporarily unavailable"), (ENOSPC, "ENOSPC", "no space left on device"),
            (ELOOP, "ELOOP", "too many levels of symbolic links"), (ENOSYS, "ENOSYS", "system call not available"),
            (EOPNOTSUPP, "EOPNOTSUPP", "operation not supported"), (ETIMEDOUT, "ETIMEDOUT", "connection timed out"),
            (0, "OK", "success"), (9999, "errno 9999", "unknown error 9999"),
        ] as [(Int32, String, String)])
    func names(number: Int32, name: String, text: String) {
        #expect(Errno.name(number) == name)
        #expect(Errno.text(number) == text)
    }

    @Test("every number of the C library is known")
    func complete() {
        for number in Int32(1)...133 where number != 41 && number != 58 {
            #expect(!Errno.name(number).hasPrefix("errno"), "\(number)")
        }
    }

    @Test("the text says what failed, on what, why, and what to do")
    func describes() {
        let error = SystemError("open", errno: EACCES, subject: "/srv/x", hint: "ask its owner")
        #expect(error.description == "cannot open /srv/x: EACCES (permission denied); ask its owner")
        #expect(SystemError("wait", errno: EINVAL).description == "cannot wait: EINVAL (invalid argument)")
    }

    @Test("an interrupted call is made again, any other error is thrown")
    func retries() throws {
        var calls = 0
        let result = try retrying("try") { () -> Int in
            calls += 1
            if calls < 3 {
                errno = EINTR
                return -1
            }
            return 7
        }
        #expect(result == 7)
        #expect(calls == 3)
        #expect(throws: SystemError("try", errno: ENOSPC, subject: "it")) {
            try retrying("try", on: "it") { () -> Int32 in
                errno = ENOSPC
                return -1
            }
        }
    }

    @Test("the boot clock moves forward and the wall clock knows the century")
    func clocks() {
        let first = SystemClock.now()
        #expect(SystemClock.now() >= first)
        #expect(first > .zero)
        #expect(SystemClock.wall().seconds > 1_700_000_000)
        #expect((0..<1_000_000_000).contains(SystemClock.wall().nanoseconds))
    }

    @Test(
        "durations become whole nanoseconds",
        arguments: [
            (.zero, 0), (.seconds(2), 2_000_000_000), (.microseconds(-3), -3000),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
        ] as [(Duration, Int64)])
    func nanoseconds(duration: Duration, expected: Int64) {
        #expect(duration.wholeNanoseconds == expected)
    }
}
