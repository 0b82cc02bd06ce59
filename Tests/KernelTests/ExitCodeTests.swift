import Glibc
import RunSupport
import Testing

/// Contract section 2: the exit code is the verdict.
@Suite("Exit codes")
struct ExitCodeTests {
    @Test("0: the command exited 0 and every gate passed")
    func pass() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"]))
        #expect(result.code == 0, "\(result.account)")
        #expect(result.verdict == "pass")
        #expect(result.report?["exit_code"].int == 0)
        #expect(result.childCode == 0)
        #expect(result.report?["child"]["signal"].isNull == true)
        #expect(result.report?["child"]["orphans_killed"].int == 0)
    }

    @Test("1: the command failed", arguments: [1, 7, 125, 255])
    func failed(_ code: Int) throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "exit \(code)"]))
        #expect(result.code == 1, "\(result.account)")
        #expect(result.verdict == "child_failed")
        #expect(result.childCode == code)
    }

    @Test("1: the command died of a signal", arguments: [SIGKILL, SIGSEGV, SIGTERM, SIGABRT, SIGPIPE])
    func signaled(_ number: Int32) throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "kill -\(number) $$"]))
        #expect(result.code == 1, "\(result.account)")
        #expect(result.report?["child"]["signal"].int == Int(number))
        #expect(result.report?["child"]["exit_code"].isNull == true)
    }

    @Test("--exit-code child passes the command's status through", arguments: [0, 1, 3, 42, 127])
    func childCode(_ code: Int) throws {
        let stage = try Stage()
        var run = JailRun(["/bin/sh", "-c", "exit \(code)"])
        run.options = ["--exit-code", "child"]
        let result = try stage.launch(run)
        #expect(result.code == Int32(code), "\(result.account)")
    }

    @Test("--exit-code child: a signal is 128 + n, other verdicts are 240 + code")
    func childCodeOfOthers() throws {
        let stage = try Stage()
        var run = JailRun(["/bin/sh", "-c", "kill -TERM $$"])
        run.options = ["--exit-code", "child"]
        #expect(try stage.launch(run).code == 128 + SIGTERM)
        run.command = ["/bin/does-not-exist"]
        run.runName = "missing"
        #expect(try stage.launch(run).code == 242)
        run.command = ["/bin/sleep", "30"]
        run.policy = Policies.budgets(["max_runtime_s: 1"])
        run.runName = "late"
        let late = try stage.launch(run)
        #expect(late.code == 243, "\(late.account)")
    }

    @Test("6: a key whose enforcement comes later is refused, and nothing starts")
    func laterKey() throws {
        let stage = try Stage()
        let policy = Policies.direct(more: ["budgets:", "  max_llm_calls: 3"])
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "echo started > started"], policy: policy))
        #expect(result.code == 6, "\(result.account)")
        #expect(result.process.err.contains("max_llm_calls"), "\(result.account)")
        #expect(!Files.exists(stage.work("started")))
    }

    @Test("3: a budget ran out")
    func violation() throws {
        let stage = try Stage()
        let run = JailRun(["/bin/sleep", "30"], policy: Policies.budgets(["max_runtime_s: 1"]))
        let result = try stage.launch(run)
        #expect(result.code == 3, "\(result.account)")
        #expect(result.verdict == "violation")
    }

    @Test(
        "2: usage errors", arguments: [["run"], ["run", "--no-such-option", "--", "/bin/true"], ["no-such-command"]])
    func usage(_ words: [String]) throws {
        let stage = try Stage()
        let result = try stage.tool(words)
        #expect(result.code == 2, "\(result.end) \(result.err)")
        #expect(!result.err.isEmpty)
    }
}
