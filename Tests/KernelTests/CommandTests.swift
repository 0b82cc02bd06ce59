import Glibc
import RunSupport
import Testing

/// The other subcommands of this issue.
@Suite("Commands")
struct CommandTests {
    @Test("every command has help", arguments: [[], ["run"], ["doctor"], ["plan"], ["runs"], ["report"], ["policy"]])
    func help(_ words: [String]) throws {
        let stage = try Stage()
        let result = try stage.tool(words + ["--help"])
        #expect(result.code == 0, "\(result.err)")
        #expect(result.out.contains("USAGE"), "\(result.out)")
    }

    @Test("plan prints what would be enforced and starts nothing", arguments: [[], ["--json"]])
    func plan(_ options: [String]) throws {
        let stage = try Stage()
        let policy = try stage.scratch.file("p.yaml", Policies.direct())
        let words = ["plan", "--policy", policy, "--workspace", stage.workspace] + options
        let result = try stage.tool(words + ["--", "/bin/sh", "-c", "echo x > started"])
        #expect(result.code == 0, "\(result.err)")
        #expect(!Files.exists(stage.work("started")))
        #expect(result.out.contains(stage.workspace))
        if options == ["--json"] { _ = try JSON(parsing: result.stdout) }
    }

    @Test("runs lists runs, and report renders the latest and one by prefix")
    func runsAndReport() throws {
        let stage = try Stage()
        var run = JailRun(["/bin/echo", "hello"])
        // Without --run-dir: below the state directory.
        var request = try stage.request(run)
        if let at = request.argv.firstIndex(of: "--run-dir") { request.argv.removeSubrange(at...at + 1) }
        #expect(try execute(request).code == 0)
        run.command = ["/bin/false"]
        let list = try stage.tool(["runs"])
        #expect(list.code == 0, "\(list.err)")
        let json = try JSON(parsing: try stage.tool(["runs", "list", "--json"]).stdout)
        let entries = json.items.isEmpty ? json["runs"].items : json.items
        #expect(entries.count == 1, "\(json)")
        let id = try #require(entries.first?["run_id"].text)
        #expect(list.out.contains(id.prefix(8)))
        for name in ["latest", id, String(id.prefix(id.utf8.count - 2))] {
            let text = try stage.tool(["report", name])
            #expect(text.code == 0, "\(name): \(text.err)")
            #expect(text.out.contains("budgets"), "\(text.out)")
            let report = try JSON(parsing: try stage.tool(["report", name, "--format", "json"]).stdout)
            #expect(report["run_id"].text == id)
        }
        #expect(try stage.tool(["report", "no-such-run"]).code == 2)
    }

    @Test("policy show prints a policy that is accepted again")
    func policyShow() throws {
        let stage = try Stage()
        let shown = try stage.tool(["policy", "show", "default"])
        #expect(shown.code == 0, "\(shown.err)")
        #expect(shown.out.contains("version: 1"))
    }

    @Test("--version")
    func version() throws {
        let stage = try Stage()
        let result = try stage.tool(["--version"])
        #expect(result.code == 0)
        #expect(result.out.contains("0."), "\(result.out)")
    }

    @Test("--status-fd gets JSON lines")
    func statusDescriptor() throws {
        let stage = try Stage()
        let pipe = try Pipe()
        var run = JailRun(["/bin/true"])
        run.options = ["--status-fd", "7"]
        run.extra = [7: pipe.writeEnd]
        let result = try stage.launch(run)
        close(pipe.writeEnd)
        #expect(result.code == 0, "\(result.account)")
        var text = [UInt8](repeating: 0, count: 65_536)
        let got = read(pipe.readEnd, &text, text.count)
        close(pipe.readEnd)
        let lines = String(decoding: text[..<max(0, got)], as: UTF8.self).split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines { _ = try JSON(parsing: String(line)) }
    }
}
