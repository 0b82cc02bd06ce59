import Glibc
import RunSupport
import Testing

/// P1, P2, P3: nothing outlives its run.
///
/// Each process in question holds a lock for as long as it lives.
@Suite("Escapes: survivors")
struct SurvivorEscapes {
    private func killHolder(_ lock: String) {
        guard let text = try? Files.text(lock), let pid = Int32(text.split(separator: "\n").first ?? "") else { return }
        if pid > 1 { kill(pid, SIGKILL) }
    }

    @Test("a daemon dies with its command and is counted", arguments: ["daemon", "background"])
    func daemon(_ attack: String) throws {
        let stage = try Stage()
        let free = stage.outside + "/lock"
        #expect(try Probe.control([attack, free], on: stage).outcome == .worked)
        #expect(!Lock.isFree(free), "the control's daemon must still live")
        killHolder(free)

        let lock = stage.work("lock")
        let result = try stage.launch(JailRun([Probe.escape, attack, lock]))
        #expect(Probe.outcome(result) == .worked, "the daemon must have started: \(result.account)")
        #expect(Files.exists(lock))
        #expect(Lock.isFree(lock), "the daemon outlived its run")
        #expect((result.report?["child"]["orphans_killed"].int ?? 0) >= 1, "\(result.account)")
        #expect(result.code == 0, "\(result.account)")
    }

    /// P2: what a daemon writes ends before the report does.
    @Test("nothing is written after the run")
    func lateWriter() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun([Probe.escape, "daemon-writer", stage.work("lock"), stage.work("log")]))
        #expect(Probe.outcome(result) == .worked, "\(result.account)")
        #expect(Lock.isFree(stage.work("lock")))
        let size = try Files.size(stage.work("log"))
        #expect(Lock.becomesFree(stage.work("lock"), within: 1))
        #expect(try Files.size(stage.work("log")) == size)
    }

    /// P3: the supervisor is killed; nobody is left to mediate, so nobody may run.
    @Test("SIGKILL of launch-jail leaves no survivor")
    func killedSupervisor() throws {
        let stage = try Stage()
        let lock = stage.work("lock")
        let process = try RunningProcess(try stage.request(JailRun([Probe.escape, "stay-family", lock])))
        try process.wait(forOutput: "ready")
        let locks = [lock, lock + ".daemon", lock + ".child"]
        for held in locks { #expect(!Lock.isFree(held)) }
        process.send(SIGKILL)
        #expect(process.finish().end == .signaled(SIGKILL))
        for held in locks { #expect(Lock.becomesFree(held, within: 3), "\(held) is still held") }
    }

    /// A terminal that goes away, and the other signals that would end a program by default.
    @Test("a supervisor that is told to stop takes everybody with it", arguments: [SIGHUP, SIGTERM, SIGINT, SIGQUIT])
    func stoppedSupervisor(_ number: Int32) throws {
        let stage = try Stage()
        let lock = stage.work("lock")
        let process = try RunningProcess(try stage.request(JailRun([Probe.escape, "stay-family", lock])))
        try process.wait(forOutput: "ready")
        process.send(number)
        let end = process.finish()
        #expect(end.end != .timedOut)
        for held in [lock, lock + ".daemon", lock + ".child"] {
            #expect(Lock.becomesFree(held, within: 3), "\(held) is still held")
        }
    }
}
