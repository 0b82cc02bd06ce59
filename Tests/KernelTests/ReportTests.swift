import Glibc
import RunSupport
import Testing

/// The run directory and report.json (contract sections 5 and 6).
@Suite("Run directory and report")
struct ReportTests {
    static let gates = [
        "gate_j_pinned_refs", "gate_b_hermetic_paths", "gate_k_supply_chain_pinning", "gate_n_network_allowlist",
        "gate_l_secrets_hygiene", "gate_m_no_false_pass", "gate_o_budget_config", "gate_f_budgets",
        "gate_s_change_budget", "gate_q_ci_parity", "gate_t_test_determinism", "gate_r_untrusted_code_policy",
        "gate_p_version_locks", "gate_t_rollback_capability",
    ]

    @Test("every key of the contract is there")
    func keys() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/echo", "hello"]))
        let report = try #require(result.report, "\(result.account)")
        let keys = [
            "schema", "launch_jail", "run_id", "profile", "verdict", "exit_code", "command", "child", "usage",
            "budgets",
            "gates", "issues", "changes", "egress", "denials", "execs", "inputs", "policy", "plan_sha256", "host",
            "enforcement", "timings_ms", "events",
        ]
        for key in keys { #expect(report.members[key] != nil, "\(key) is missing") }
        #expect(report["schema"].text == "launch-jail/report/v1")
        #expect(report["command"]["argv"].items.compactMap(\.text) == ["/bin/echo", "hello"])
        #expect(report["command"]["executable"].text?.hasSuffix("/echo") == true)
        #expect(report["command"]["sha256"].text?.utf8.count == 64)
        #expect(report["policy"]["sha256"].text?.utf8.count == 64)
        #expect(report["plan_sha256"].text?.utf8.count == 64)
        for key in ["wall_s", "cpu_s", "max_rss_bytes", "output_bytes", "denials"] {
            #expect(report["usage"][key].number != nil, "usage.\(key)")
        }
        #expect(report["usage"]["output_bytes"].int == 6)
        #expect(report["host"]["tier"].text == "T1")
        #expect((report["usage"]["wall_s"].number ?? -1) > 0)
    }

    @Test("every gate is named once, and those that did not run never pass")
    func gateNames() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"]))
        let gates = result.report?["gates"].items ?? []
        #expect(gates.compactMap { $0["name"].text }.sorted() == Self.gates.sorted())
        let judged = [
            "gate_b_hermetic_paths", "gate_n_network_allowlist", "gate_f_budgets", "gate_r_untrusted_code_policy",
        ]
        for name in judged {
            #expect(result.gate(name)["status"].text == "pass", "\(name): \(result.gate(name))")
        }
        for gate in gates where gate["status"].text != "pass" {
            #expect(gate["reason"].text?.isEmpty == false, "\(gate)")
            #expect(["not_applicable", "blocked", "fail"].contains(gate["status"].text))
        }
        for name in ["gate_k_supply_chain_pinning", "gate_q_ci_parity", "gate_t_test_determinism"] {
            #expect(result.gate(name)["status"].text != "pass", "\(name) did not run")
        }
    }

    @Test("report.json is sorted, ends with a newline and parses")
    func form() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"]))
        let text = try Files.text(result.runDirectory + "/report.json")
        #expect(text.hasSuffix("\n"))
        let script = "import json,sys; t=open(sys.argv[1]).read(); d=json.loads(t); print(list(d)==sorted(d))"
        let check = try execute(
            ProcessRequest(["/usr/bin/python3", "-c", script, result.runDirectory + "/report.json"]))
        #expect(check.out == "True\n", "\(check.err)")
    }

    @Test("the event log is one chain whose head stands in the report")
    func events() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun([Probe.escape, "userns"]))
        let lines = try Files.text(result.runDirectory + "/events.ndjson").split(separator: "\n").map(String.init)
        #expect(lines.count >= 3)
        #expect(result.report?["events"]["count"].int == lines.count)
        #expect(result.report?["events"]["head"].text?.utf8.count == 64)
        for line in lines {
            guard case .object = try JSON(parsing: line) else {
                Issue.record("not an object: \(line)")
                continue
            }
        }
        #expect(lines.last?.contains(result.report?["events"]["head"].text ?? "none") == true)
    }

    @Test("the files of the run directory are there, private, and say what they should")
    func files() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/sh", "-c", "echo o; echo e >&2; exit 3"]))
        let names = try Files.list(result.runDirectory)
        for name in ["report.json", "events.ndjson", "stdout.log", "stderr.log", "gates"] {
            #expect(names.contains(name), "\(names)")
        }
        var info = stat()
        #expect(lstat(result.runDirectory, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o700)
        #expect(try Files.text(result.runDirectory + "/stdout.log") == "o\n")
        #expect(try Files.text(result.runDirectory + "/stderr.log") == "e\n")
        for gate in Self.gates {
            let log = try Files.text(result.runDirectory + "/gates/\(gate).log")
            #expect(
                log.hasPrefix("OK") || log.hasPrefix("ERROR") || log.hasPrefix("NOT") || log.hasPrefix("BLOCKED"),
                "\(gate): \(log)")
        }
    }

    @Test("a failed gate leaves an issue file")
    func issues() throws {
        let stage = try Stage()
        let result = try stage.launch(
            JailRun(["/bin/sleep", "30"], policy: Policies.budgets(["max_runtime_s: 1"])))
        let names = try Files.list(result.runDirectory + "/issues")
        #expect(names.contains { $0.hasSuffix(".issue.json") }, "\(names)")
        for name in names { _ = try JSON(parsing: try Files.read(result.runDirectory + "/issues/" + name)) }
        let issue = result.report?["issues"][0] ?? .null
        for key in ["issue_id", "gate", "severity", "error_code", "message", "status"] {
            #expect(issue[key].text?.isEmpty == false, "\(key): \(issue)")
        }
    }

    @Test("denials name what was tried, how often, by which rule and what would allow it")
    func denials() throws {
        let stage = try Stage()
        let script = "for i in 1 2 3; do \(Probe.escape) keyctl; done; \(Probe.escape) userns"
        let result = try stage.launch(JailRun(["/bin/sh", "-c", script]))
        let denials = result.report?["denials"].items ?? []
        let keyctl = denials.first {
            ($0["subject"].text ?? "").contains("keyctl") || ($0["rule"].text ?? "").contains("keyctl")
        }
        #expect(keyctl?["count"].int == 3, "\(denials)")
        #expect(keyctl?["kind"].text == "syscall")
        #expect((result.report?["usage"]["denials"].int ?? 0) >= 4, "\(result.account)")
    }

    @Test("many denials are counted, and listed up to a bound")
    func denialFlood() throws {
        let stage = try Stage()
        let script = """
            import ctypes
            libc = ctypes.CDLL(None)
            for i in range(3000): libc.syscall(250, i, 0)
            """
        var run = JailRun(["/usr/bin/python3", "-c", script], policy: Policies.direct())
        run.limit = 60
        let result = try stage.launch(run)
        #expect(result.report != nil, "\(result.process.end)")
        #expect((result.report?["usage"]["denials"].int ?? 0) >= 900, "\(result.account.prefix(1500))")
        #expect(try Files.size(result.runDirectory + "/report.json") < 4 << 20)
    }

    @Test("the summary on standard error names the verdict, and --json where asked is JSON")
    func summary() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"]))
        #expect(result.process.err.lowercased().contains("pass"), "\(result.account)")
        #expect(result.process.out.isEmpty)
    }

    @Test("--report writes another rendering")
    func reportOption() throws {
        let stage = try Stage()
        var run = JailRun(["/bin/true"])
        run.options = ["--report", "json=\(stage.state)/copy.json", "--report", "text=\(stage.state)/copy.txt"]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(try JSON(parsing: try Files.read(stage.state + "/copy.json")) == result.report)
        #expect(try Files.text(stage.state + "/copy.txt").contains("budgets"))
    }

    @Test("two runs of the same thing have the same plan")
    func stablePlan() throws {
        let stage = try Stage()
        var digests: Set<String> = []
        for number in 0..<2 {
            var run = JailRun(["/bin/true"])
            run.runName = "run\(number)"
            digests.insert(try stage.launch(run).report?["plan_sha256"].text ?? "none\(number)")
        }
        #expect(digests.count == 1, "\(digests)")
    }
}
