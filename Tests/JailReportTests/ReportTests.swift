import JailDigest
import JailGates
import JailModel
import JailReport
import JailTestSupport
import Testing

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("report.json")
struct ReportTests {
    /// The keys of contract section 6; their removal would break users.
    static let keys = [
        "schema", "launch_jail", "run_id", "profile", "verdict", "exit_code", "command", "child", "usage", "budgets",
        "gates", "issues", "changes", "egress", "denials", "execs", "inputs", "policy", "plan_sha256", "host",
        "enforcement", "timings_ms", "events",
    ]
    static let inner: [String: [String]] = [
        "command": ["argv", "cwd", "executable", "sha256"],
        "child": ["started", "exit_code", "signal", "orphans_killed"],
        "usage": [
            "wall_s", "cpu_s", "max_rss_bytes", "output_bytes", "bytes_written", "files_changed", "file_writes",
            "connections", "egress_bytes", "llm_calls", "llm_tokens", "denials", "execs",
        ],
        "changes": [
            "conflicts", "files", "layer", "mode", "notes", "patch", "publication", "refused", "state", "tree_after",
            "tree_before",
        ], "policy": ["name", "sha256"],
        "host": ["kernel", "arch", "tier", "landlock_abi"], "events": ["count", "head"],
    ]

    @Test("every kind of run has every key", arguments: ReportCase.all)
    func hasKeys(example: ReportCase) {
        let json = example.report.json()
        for key in Self.keys { #expect(json[key] != nil, "\(key)") }
        for (key, names) in Self.inner { for name in names { #expect(json[key]?[name] != nil, "\(key).\(name)") } }
        guard case .array(let gates)? = json["gates"] else {
            Issue.record("gates is no list")
            return
        }
        #expect(gates.count == GateName.allCases.count)
        for gate in gates {
            for key in ["name", "guarantee", "status", "enforcement", "mechanisms", "reason", "issues"] {
                #expect(gate[key] != nil, "\(key)")
            }
        }
    }

    @Test("the verdict of each example is what it stands for", arguments: ReportCase.all)
    func verdicts(example: ReportCase) {
        let report = example.report
        #expect(report.verdict == example.verdict)
        #expect(report.json()["exit_code"] == .integer(Int64(example.verdict.exitCode)))
    }

    @Test("as recorded", arguments: ReportCase.all)
    func golden(example: ReportCase) { expectGolden(text(example.report.encoded()), "report-\(example.name).json") }

    @Test("the same run gives the same bytes, and reading them back changes none", arguments: ReportCase.all)
    func stable(example: ReportCase) throws {
        let bytes = example.report.encoded()
        #expect(example.report.encoded() == bytes)
        let document = try ReportDocument(decoding: bytes)
        #expect(document.encoded() == bytes)
        #expect(bytes.allSatisfy { $0 == UInt8(ascii: "\n") || (0x20..<0x7f).contains($0) })
        #expect(try example.report.document() == document)
    }

    @Test("issues are numbered by gate and listed by severity, and gates refer to them")
    func issues() throws {
        let report = ReportCase.violation.report
        #expect(report.findings.map(\.number).sorted() == Array(1...report.findings.count))
        #expect(report.findings.allSatisfy { $0.id.hasPrefix("jail-20260101T000000Z-0badcafe-000") })
        let severities = report.findings.map(\.issue.severity)
        #expect(severities == severities.sorted(by: >))
        let document = try report.document()
        let listed = Set(document.issues.map(\.id))
        #expect(document.gates.flatMap(\.issues).sorted() == listed.sorted())
    }

    @Test("arguments that are no UTF-8 are escaped, and their bytes kept")
    func bytesInArguments() {
        let command = ReportCase.fault.report.json()["command"]
        #expect(command?["argv"] == ["/%ff%25", "x"])
        #expect(command?["argv_bytes"] == ["L/8l", "eA=="])
        #expect(ReportCase.pass.report.json()["command"]?["argv_bytes"] == JSONValue.null)
    }

    @Test("a changed path that is no UTF-8 keeps its bytes, and only a directory that no file tells of is listed")
    func changedPaths() throws {
        guard case .array(let files)? = ReportCase.changed.report.json()["changes"]?["files"] else {
            Issue.record("changes.files is no list")
            return
        }
        #expect(files.count == 9)
        let last = try #require(files.last)
        #expect(last["path"] == "src/%ff%25.txt")
        #expect(last["path_bytes"] == "c3JjL/8lLnR4dA==")
        #expect(files.dropLast().allSatisfy { $0["path_bytes"] == JSONValue.null })
        let conflict = ReportCase.conflict.report.json()["changes"]
        #expect(conflict?["conflicts"] == ["src/main.c", "src/%ff%25.txt"])
        #expect(conflict?["refused"] == [["path": "pipe", "reason": "FIFO"]])
        #expect(conflict?["tree_after"] == "")
    }

    @Test("numbers beyond what JSON readers hold are clamped, not wrapped")
    func clamps() {
        let record = StepRecord.good().with { $0.usage.llmTokens = .max }
        let example = ReportCase(name: "", record: record, verdict: .pass)
        #expect(example.report.json()["usage"]?["llm_tokens"] == .integer(.max))
    }
}

@Suite("reading a report back")
struct ReportDocumentTests {
    static func changed(_ key: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = ReportCase.violation.report.json() else { return .null }
        members[key] = value
        return .object(members)
    }

    @Test(
        "a key that is missing is named",
        arguments: ["schema", "verdict", "gates", "usage", "child", "denials", "host"])
    func missing(key: String) {
        #expect(throws: ReportError(key: key, reason: "absent")) { _ = try ReportDocument(Self.changed(key, nil)) }
    }

    @Test("a value of another form is named with its place")
    func wrong() {
        let cases: [(String, JSONValue, ReportError)] = [
            ("schema", "x/v2", ReportError(key: "schema", reason: "not launch-jail/report/v1")),
            ("verdict", "good", ReportError(key: "verdict", reason: "`good` is unknown here")),
            ("exit_code", "0", ReportError(key: "exit_code", reason: "not an integer")),
            ("gates", [["name": 1]], ReportError(key: "gates[0].name", reason: "not a text")),
            ("usage", [], ReportError(key: "usage", reason: "not an object")),
            ("warnings", [1], ReportError(key: "warnings[0]", reason: "not a text")),
        ]
        for (key, value, error) in cases {
            #expect(throws: error) { _ = try ReportDocument(Self.changed(key, value)) }
        }
    }

    @Test("text that is no JSON", arguments: ["", "{", "[]", "null", "{\"schema\":1}", "{}x"])
    func garbage(text: String) {
        #expect(throws: ReportError.self) { _ = try ReportDocument(decoding: Array(text.utf8)) }
    }

    @Test("keys of later versions are left alone")
    func more() throws { _ = try ReportDocument(Self.changed("future", ["a": 1])) }
}

@Suite("text for people")
struct TextTests {
    @Test("the report, as recorded", arguments: ReportCase.all)
    func report(example: ReportCase) throws {
        let document = try ReportDocument(decoding: example.report.encoded())
        expectGolden(
            TextReport.render(document, location: "/runs/r1/report.json"), "report-\(example.name).txt")
    }

    @Test("the summary, as recorded", arguments: ReportCase.all)
    func summary(example: ReportCase) throws {
        expectGolden(
            SummaryText.render(try example.report.document(), location: "/runs/r1"), "summary-\(example.name).txt")
    }

    @Test("a pass is one line")
    func oneLine() throws {
        let line = SummaryText.render(try ReportCase.pass.report.document(), location: "/runs/r1")
        #expect(
            line == "launch-jail: pass  8 gates pass, 6 not judged  1 file changed (committed)  0.012 s  /runs/r1\n")
    }

    @Test("no text of the command reaches the terminal as a control sequence", arguments: ReportCase.all)
    func safe(example: ReportCase) throws {
        let document = try example.report.document()
        for text in [TextReport.render(document), SummaryText.render(document)] {
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x202e) })
        }
    }

    @Test("colour adds escape sequences and no other text", arguments: ReportCase.all)
    func colour(example: ReportCase) throws {
        let document = try example.report.document()
        for (plain, coloured) in [
            (TextReport.render(document), TextReport.render(document, colour: true)),
            (SummaryText.render(document), SummaryText.render(document, colour: true)),
        ] {
            #expect(coloured.contains("\u{1b}["))
            #expect(coloured.replacing(#/\u{1b}\[[0-9]+m/#, with: "") == plain)
        }
    }

    @Test("lines keep to the width where words allow it", arguments: [60, 80, 120])
    func width(columns: Int) throws {
        let text = TextReport.render(try ReportCase.pass.report.document(), width: columns)
        for line in text.split(separator: "\n") { #expect(line.count <= columns, "\(line)") }
    }

    @Test("ten denials are shown and the rest is counted")
    func manyDenials() throws {
        let record = StepRecord.good().with {
            $0.denials = (0..<14).map {
                Denial(kind: .network, subject: "192.0.2.\($0):1/tcp", rule: "network.mode: none")
            }
        }
        let example = ReportCase(name: "", record: record, verdict: .violation)
        let text = SummaryText.render(try example.report.document())
        #expect(text.contains("192.0.2.9:1/tcp, once"))
        #expect(!text.contains("192.0.2.10:1/tcp, once"))
        #expect(text.contains("    and 4 more\n"))
    }
}

@Suite("compatible files")
struct CompatibleFileTests {
    @Test("an issue file has the closed set of keys, and none that is null", arguments: ReportCase.all)
    func issueFile(example: ReportCase) {
        for finding in example.report.findings {
            guard case .object(let members) = IssueFile.json(finding) else { continue }
            let allowed: Set<String> = [
                "issue_id", "gate", "severity", "message", "status", "error_code", "files", "location", "suggested_fix",
            ]
            #expect(Set(members.keys).isSubset(of: allowed))
            #expect(
                Set(["issue_id", "gate", "severity", "message", "status", "error_code"]).isSubset(of: members.keys))
            #expect(!members.values.contains(.null))
            #expect(members["status"] == "OPEN")
            #expect(["info", "warn", "error", "blocker"].contains(members["severity"]))
        }
    }

    @Test("error codes match the pattern that compatible readers check", arguments: ErrorCode.allCases)
    func codes(code: ErrorCode) { #expect(code.rawValue.wholeMatch(of: #/[A-Z]+(_[A-Z]+)*/#) != nil) }

    @Test("ok is the conjunction of the gates, and true for a pass only", arguments: ReportCase.all)
    func validation(example: ReportCase) {
        let report = example.report
        let json = ValidationReport.json(report)
        guard case .array(let gates)? = json["gates"], case .object(let members) = json else {
            Issue.record("gates is no list")
            return
        }
        #expect(members.keys.sorted() == ["gates", "issues", "ok", "profile", "schema_version"])
        #expect(json["ok"] == .bool(gates.allSatisfy { $0["ok"] == true }))
        for (gate, verdict) in zip(gates, report.verdicts) {
            #expect(gate["ok"] == .bool(verdict.status == .pass))
            guard case .object(let members) = gate else { continue }
            #expect(members.keys.sorted() == ["log_path", "name", "ok"])
        }
    }

    @Test("as recorded")
    func golden() {
        let report = ReportCase.violation.report
        expectGolden(text(ValidationReport.encoded(report)), "validation-violation.json")
        expectGolden(text(report.findings.flatMap(IssueFile.encoded)), "issues-violation.json")
        expectGolden(text(report.verdicts.flatMap(GateLog.encoded)), "gatelogs-violation.txt")
    }

    @Test("the first line of a gate log is OK for a pass only, and no line is empty", arguments: ReportCase.all)
    func gateLog(example: ReportCase) {
        for verdict in example.report.verdicts {
            let lines = text(GateLog.encoded(verdict)).split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast()
            #expect((lines.first == "OK") == (verdict.status == .pass))
            #expect(lines.first == "OK" || lines.first?.hasPrefix("ERROR ") == true)
            #expect(lines.allSatisfy { !$0.isEmpty })
        }
    }
}

@Suite("exit code")
struct ExitDecisionTests {
    @Test("is the verdict's", arguments: Verdict.allCases)
    func verdict(verdict: Verdict) {
        #expect(ExitDecision.code(verdict, mode: .verdict, child: .exited(77)) == verdict.exitCode)
    }

    static let childCases: [(Verdict, ChildEnd?, Int32)] = [
        (.pass, .exited(0), 0), (.childFailed, .exited(1), 1), (.childFailed, .exited(3), 3),
        (.childFailed, .exited(255), 255), (.childFailed, .signaled(9), 137), (.childFailed, .signaled(11), 139),
        (.invalid, nil, 242), (.violation, .exited(0), 243), (.violation, .signaled(9), 243),
        (.external, .exited(7), 244), (.internal, nil, 245), (.internal, .exited(0), 245), (.unenforceable, nil, 246),
    ]

    @Test("passes the command's own status through for verdicts 0 and 1 only", arguments: childCases)
    func passesThrough(verdict: Verdict, child: ChildEnd?, code: Int32) {
        #expect(ExitDecision.code(verdict, mode: .child, child: child) == code)
    }
}
