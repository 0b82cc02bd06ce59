import Glibc
import RunSupport
import Testing

/// Signals to launch-jail: grace, then kill, a complete report, exit 5 (contract section 7).
@Suite("Signals")
struct SignalTests {
    private func interrupted(_ command: [String], by numbers: [Int32], after word: String = "ready") throws
        -> JailResult
    {
        let stage = try Stage()
        let run = JailRun(command)
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: word)
        for number in numbers { process.send(number) }
        return try stage.result(run, process.finish())
    }

    private func expectInterruption(_ result: JailResult, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(result.code == 5, "\(result.account)", sourceLocation: sourceLocation)
        #expect(result.verdict == "internal", sourceLocation: sourceLocation)
        #expect(result.issueCodes.contains("RUN_INTERRUPTED"), "\(result.account)", sourceLocation: sourceLocation)
        #expect(result.hasStarted, sourceLocation: sourceLocation)
    }

    @Test("SIGINT and SIGTERM reach a command that handles them", arguments: [SIGTERM, SIGINT])
    func handled(_ number: Int32) throws {
        let result = try interrupted([Probe.busy, "await", "\(number)", "42"], by: [number])
        expectInterruption(result)
        #expect(result.childCode == 42, "\(result.account)")
    }

    @Test("a command that does not handle the signal dies of it", arguments: [SIGTERM, SIGINT])
    func unhandled(_ number: Int32) throws {
        let result = try interrupted(["/bin/sh", "-c", "echo ready; exec sleep 38"], by: [number])
        expectInterruption(result)
        #expect(result.report?["child"]["signal"].int == Int(number), "\(result.account)")
    }

    @Test("a command that ignores signals is killed after the grace")
    func stubborn() throws {
        let result = try interrupted([Probe.busy, "stubborn"], by: [SIGTERM])
        expectInterruption(result)
        #expect(result.report?["child"]["signal"].int == Int(SIGKILL), "\(result.account)")
        #expect(result.process.seconds < 30)
    }

    @Test("the second signal does not wait for the grace")
    func impatient() throws {
        let stage = try Stage()
        let run = JailRun([Probe.busy, "stubborn"])
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: "ready")
        process.send(SIGINT)
        usleep(100_000)
        let start = monotonicSeconds()
        process.send(SIGINT)
        let result = try stage.result(run, process.finish())
        expectInterruption(result)
        #expect(monotonicSeconds() - start < 2, "\(result.account)")
    }

    @Test("the event log of an interrupted run is complete and says so")
    func events() throws {
        let result = try interrupted([Probe.busy, "stubborn"], by: [SIGTERM, SIGTERM])
        let lines = try Files.text(result.runDirectory + "/events.ndjson").split(separator: "\n")
        #expect(lines.count >= 3)
        for line in lines { _ = try JSON(parsing: String(line)) }
        #expect(result.report?["events"]["count"].int == lines.count)
    }

    @Test("stopping and continuing launch-jail does not end the run")
    func stopAndContinue() throws {
        let stage = try Stage()
        let run = JailRun([Probe.busy, "await", "\(SIGTERM)", "3"])
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: "ready")
        process.send(SIGSTOP)
        usleep(50_000)
        process.send(SIGCONT)
        process.send(SIGTERM)
        let result = try stage.result(run, process.finish())
        expectInterruption(result)
        #expect(result.childCode == 3, "\(result.account)")
    }
}
