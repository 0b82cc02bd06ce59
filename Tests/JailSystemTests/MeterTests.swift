import Glibc
import JailModel
import JailSystem
import Testing

@Suite("Meters")
struct MeterTests {
    @Test("the task clock counts this thread's work, or says why it cannot")
    func taskClock() throws {
        do throws(SystemError) {
            let clock = try TaskClock(following: 0)
            #expect(TaskClock.isAvailable())
            let before = try clock.read()
            var after = before
            var rounds = 0
            while after == before, rounds < 1_000_000 {
                after = try clock.read()
                rounds += 1
            }
            #expect(after > before)
        } catch {
            #expect([EACCES, EPERM, ENOSYS, ENOENT].contains(error.errno))
            #expect(!TaskClock.isAvailable())
        }
    }

    @Test("the task clock of a dead process cannot be opened")
    func taskClockOfNobody() throws {
        let pid = try { () throws -> Int32 in try IdleChild().pid }()
        #expect(throws: SystemError.self) { _ = try TaskClock(following: pid) }
    }

    @Test("descendants are found with their memory, and are gone when they are gone")
    func descendants() throws {
        var meter = try ProcessTreeMeter(descendantsOf: getpid())
        let child = try IdleChild()
        let pid = child.pid
        #expect(try meter.processes().contains(pid))
        let sample = try meter.sample()
        #expect(sample.processes >= 1)
        #expect(sample.memory.value > 0)
        _ = consume child
        #expect(try !meter.processes().contains(pid))
    }

    @Test("a proc directory is measured as a whole")
    func everything() throws {
        var meter = ProcessTreeMeter(jailProc: try Files.open("/proc", [.read, .directory]))
        #expect(try meter.processes().contains(getpid()))
        let sample = try meter.sample()
        #expect(sample.processes >= 2)
        #expect(sample.memory.value > 1 << 20)
    }

    @Test("memory that is written is seen, private and shared", arguments: [MAP_PRIVATE, MAP_SHARED])
    func memory(sharing: Int32) throws {
        let size = 64 << 20
        var meter = ProcessTreeMeter(jailProc: try Files.open("/proc", [.read, .directory]))
        let memory = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0))
        try #require(memory != MAP_FAILED)
        memset(memory, 1, size)
        // Other tests allocate and free meanwhile, but none of them as much.
        #expect(try meter.sample().memory.value >= UInt64(size))
        munmap(memory, size)
    }
}
