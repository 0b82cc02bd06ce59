import Glibc
import RunSupport
import Testing

/// What the attack review of the overlay found, each with what must happen instead.
@Suite("Overlay: what the review found")
struct OverlayReviewTests {
    private let reachOut =
        "python3 -c 'import socket\ntry: socket.create_connection((\"192.0.2.1\", 80), 1)\nexcept OSError: pass'"

    @Test("what a failed gate held back is not published by a later step of the run directory")
    func continuation() throws {
        let stage = try Stage()
        let first = try stage.step("echo evil > evil.txt; \(reachOut)", Policies.overlay())
        #expect(first.code == 3 && first.state == "pending", "\(first.account)")
        let second = try stage.step("true", Policies.overlay())
        #expect(second.code == 3, "\(second.account)")
        #expect(try Files.list(stage.workspace).isEmpty)
        // Control: a step that passed is continued, and both are published.
        let kept = try stage.step("echo 1 > one", Policies.overlay(), options: ["--on-pass", "keep"], name: "good")
        #expect(kept.code == 0, "\(kept.account)")
        let last = try stage.step("cat one; echo 2 > two", Policies.overlay(), name: "good")
        #expect(last.code == 0 && last.process.out == "1\n", "\(last.account)")
        #expect(try Files.list(stage.workspace) == ["one", "two"])
    }

    @Test("no force publishes what the policy protects, also when the run was never judged")
    func force() throws {
        let stage = try Stage()
        try stage.file("docs/secret.md", "s\n")
        let before = try stage.describe()
        var run = JailRun(
            ["/bin/sh", "-c", "echo bad > docs/secret.md; echo ready; exec sleep 38"],
            policy: Policies.overlay(workspace: ["protect: [\"**/secret.md\"]"], budgets: [Layer.disk.budget]))
        run.runName = "launch-jail/runs/killed"
        let process = try RunningProcess(try stage.request(run))
        try process.wait(forOutput: "ready")
        process.send(SIGKILL)
        _ = process.finish()
        let forced = try stage.tool(["commit", stage.runDirectory(run), "--force"])
        #expect(forced.code == 3, "\(forced.out)\(forced.err)")
        #expect(before == (try stage.describe()))
    }

    @Test("text that is too large to be compared is above every budget of lines; the same size of zeros is not text")
    func hugeText() throws {
        let stage = try Stage()
        let budget = ["max_lines_per_file: 500"]
        let text = try stage.step(
            "python3 -c 'open(\"s\", \"w\").write(\"a\\n\" * 15000000)'", Policies.overlay(budgets: budget),
            name: "text")
        #expect(text.code == 3, "\(text.account)")
        #expect(!Files.exists(stage.work("s")))
        let zeros = try stage.step(
            "head -c 30000000 /dev/zero > s", Policies.overlay(budgets: budget), name: "zeros")
        #expect(zeros.code == 0 && zeros.state == "committed", "\(zeros.account)")
    }

    @Test("places that an earlier step of the transaction held never reach the real tree")
    func places() throws {
        let stage = try Stage()
        let first = try stage.step(
            "echo 1 > a", Policies.overlay(workspace: ["protect: [\".github/workflows\", \"x/y\"]"]),
            options: ["--on-pass", "keep"])
        #expect(first.code == 0, "\(first.account)")
        let second = try stage.step("echo 2 > b", Policies.overlay(workspace: ["protect: [\"x/y\"]"]))
        #expect(second.code == 0 && second.state == "committed", "\(second.account)")
        #expect(try Files.list(stage.workspace) == ["a", "b"])
    }

    @Test("a directory that its owner cannot read is a violation, and is told")
    func unreadable() throws {
        let stage = try Stage()
        let result = try stage.step("mkdir new; echo x > new/x; chmod 0 new", Policies.overlay())
        #expect(result.code == 3 && result.state == "pending", "\(result.account)")
        #expect(result.changed.contains("new/x"))
        #expect(try Files.list(stage.workspace).isEmpty)
    }

    @Test("a changed or an empty directory stands in the report")
    func directories() throws {
        let stage = try Stage()
        try stage.file("docs/a")
        let result = try stage.step("chmod 777 docs; mkdir empty full; echo x > full/x", Policies.overlay())
        #expect(result.code == 0, "\(result.account)")
        #expect(result.changed == ["docs", "empty", "full/x"])
        #expect(result.report?["usage"]["files_changed"].int == 1)
    }

    @Test("a child that writes one file past the budget ends the whole step, with the typed code")
    func fileSizeOfAChild() throws {
        let stage = try Stage()
        let policy = Policies.overlay(budgets: ["max_bytes_written: 1MiB"])
        let over = try stage.step("head -c 1048676 /dev/zero > big; sleep 50", policy, name: "over")
        #expect(over.code == 3, "\(over.account)")
        #expect(over.issueCodes.contains("BUDGET_EXCEEDED_BYTES_WRITTEN"), "\(over.account)")
        #expect((over.report?["usage"]["wall_s"].number ?? 99) < 10, "\(over.account)")
        #expect(try Files.list(stage.workspace).isEmpty)
        // Control: exactly the limit is fine, and the same step ends by itself.
        let exact = try stage.step("head -c 1048576 /dev/zero > big", policy, name: "exact")
        #expect(exact.code == 0 && exact.state == "committed", "\(exact.account)")
    }

    @Test("mode direct does not pass for an account of what was written")
    func directIsTold() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun(["/bin/true"], policy: Policies.direct()))
        let reason = result.gate("gate_f_budgets")["reason"].text ?? ""
        #expect(reason.contains("keeps no account of writes"), "\(reason)")
        #expect(result.gate("gate_s_change_budget")["status"].text != "pass", "\(result.account)")
        #expect(result.gate("gate_t_rollback_capability")["status"].text != "pass", "\(result.account)")
    }
}
