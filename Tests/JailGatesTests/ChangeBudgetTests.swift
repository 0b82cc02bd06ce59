import JailGates
import JailModel
import JailTestSupport
import Testing

@Suite("change budget gate")
struct ChangeBudgetTests {
    private func judged(_ record: StepRecord) throws -> GateVerdict {
        try #require(Gates.judge(record).first { $0.gate == .changeBudget })
    }

    /// A run that changed these files, and was published.
    private func record(
        profile: Profile = .local, _ paths: [ChangedPath], _ change: (inout StepRecord) -> Void = { _ in }
    ) -> StepRecord {
        StepRecord.good(profile: profile).with {
            $0.changes?.set.paths = paths
            $0.changes?.fileWrites = UInt64(paths.count)
            change(&$0)
        }
    }

    private func files(_ count: Int) -> [ChangedPath] {
        (0..<count).map { .modified(ByteString("src/\($0).c"), LineCounts(added: 1)) }
    }

    @Test("max_files_changed: the limit itself is fine, one more is not, and directories cost nothing")
    func filesChanged() throws {
        let directory = ObjectState(kind: .directory, mode: 0o755, uid: 1000, gid: 1000, modified: 0)
        let exact = files(100) + [ChangedPath(path: "src/new", kind: .added, before: nil, after: directory)]
        #expect(try judged(record(exact) { $0.changes?.fileWrites = 100 }).status == .pass)
        let over = record(files(101)) { $0.changes?.fileWrites = 100 }
        let verdict = try judged(over)
        #expect(verdict.status == .fail)
        #expect(verdict.issues.map(\.code) == [.changeBudget])
        #expect(verdict.issues.first?.message.hasPrefix("max_files_changed: 100 allowed, 101 ") == true)
        #expect(Gates.decide(over, Gates.judge(over)) == .violation)
    }

    @Test("max_file_writes counts earlier steps of the run too")
    func fileWrites() throws {
        #expect(try judged(record(files(2)) { $0.changes?.fileWrites = 100 }).status == .pass)
        let verdict = try judged(record(files(2)) { $0.changes?.fileWrites = 101 })
        #expect(verdict.status == .fail)
        #expect(verdict.issues.map(\.code) == [.budgetFileWrites])
    }

    @Test("a breach that the supervisor saw is told once")
    func seenTwice() throws {
        let verdict = try judged(
            record(files(200)) {
                $0.changes?.fileWrites = 1
                $0.breaches = [BudgetBreach(kind: .filesChanged, limit: 100, observed: 130, meter: "layer walk")]
            })
        #expect(verdict.issues.count == 1)
        #expect(verdict.reason.contains("130"))
    }

    @Test("max_lines_per_file counts what the budget counts, not what the diff shows")
    func linesPerFile() throws {
        let endings = LineCounts(added: 900, removed: 900, formatting: 0, budget: 500)
        #expect(try judged(record([.modified("a.c", endings)])).status == .pass)
        #expect(try judged(record([.modified("a.c", LineCounts(added: 300, removed: 200))])).status == .pass)
        let verdict = try judged(
            record([
                .modified("a.c", LineCounts(added: 300, removed: 201)), .modified("b.c", LineCounts(added: 1)),
                .modified("c.c", LineCounts(added: 900, removed: 900, budget: 700)),
            ]))
        #expect(verdict.status == .fail)
        #expect(
            verdict.issues.map(\.suggestedFix) == [
                "budgets: {max_lines_per_file: 501}", "budgets: {max_lines_per_file: 700}",
            ])
        #expect(verdict.issues.first?.message == "max_lines_per_file: 500 allowed, 501 changed in a.c (+300 -201)")
    }

    @Test("many small files are no large one, and a binary file has no lines")
    func notSummed() throws {
        let binary = ChangedPath(
            path: "logo.png", kind: .modified, before: .file(1, size: 9), after: .file(2, size: 9), isBinary: true)
        let paths = (0..<10).map { ChangedPath.modified(ByteString("\($0).c"), LineCounts(added: 499)) } + [binary]
        #expect(try judged(record(paths)).status == .pass)
    }

    @Test("budgets that are not set limit nothing")
    func unlimited() throws {
        let many = record(files(500)) {
            for kind in [BudgetKind.filesChanged, .fileWrites, .linesPerFile] { $0.budgets[kind] = nil }
        }
        #expect(try judged(many).status == .pass)
    }

    @Test(
        "above 80 % of formatting-only lines: a warning, in prod a failure; 80 % itself is fine",
        arguments: Profile.allCases)
    func formatting(profile: Profile) throws {
        let exact = LineCounts(added: 60, removed: 40, formatting: 80)
        #expect(try judged(record(profile: profile, [.modified("a.c", exact)])).issues.isEmpty)
        // The shares are of the whole set: 809 of 1000 lines.
        let paths: [ChangedPath] = [
            .modified("a.c", LineCounts(added: 250, removed: 250, formatting: 409)),
            .modified("b.c", LineCounts(added: 250, removed: 250, formatting: 400)),
        ]
        let over = record(profile: profile, paths)
        let verdict = try judged(over)
        #expect(verdict.status == (profile == .prod ? .fail : .pass))
        #expect(verdict.issues.map(\.code) == [.formattingOnlyDiff])
        #expect(verdict.issues.map(\.severity) == [profile == .prod ? .blocker : .warn])
        #expect(verdict.issues[0].message == "809 of 1000 changed lines are formatting only")
    }

    @Test("the largest counts neither trap nor pass", arguments: [Profile.local, .prod])
    func largest(profile: Profile) throws {
        let lines = LineCounts(added: .max, removed: 0, formatting: .max, budget: 0)
        let verdict = try judged(record(profile: profile, [.modified("a.c", lines)]))
        #expect(verdict.issues.map(\.code) == [.formattingOnlyDiff])
    }

    @Test("what was not read whole fails")
    func incomplete() throws {
        let verdict = try judged(record(files(1)) { $0.changes?.isComplete = false })
        #expect(verdict.status == .fail)
        #expect(verdict.issues.map(\.code) == [.changeBudget])
        #expect(verdict.issues.first?.suggestedFix?.contains("max_bytes_written") == true)
    }

    @Test("changes that nobody read are missing evidence", arguments: Profile.allCases)
    func notRead(profile: Profile) throws {
        let verdict = try judged(StepRecord.good(profile: profile).with { $0.changes = nil })
        #expect(verdict.status == .blocked)
        #expect(verdict.issues.map(\.code) == [.evidenceIncomplete])
    }

    @Test("direct counts nothing: not applicable in local, blocked elsewhere", arguments: Profile.allCases)
    func direct(profile: Profile) throws {
        let verdict = try judged(StepRecord.good(profile: profile).direct())
        #expect(verdict.status == (profile == .local ? .notApplicable : .blocked))
        #expect(verdict.issues.map(\.code) == (profile == .local ? [] : [.notEnforceable]))
        #expect(verdict.reason.contains("uncounted"))
    }

    @Test("readonly passes, and says why")
    func readonly() throws {
        let verdict = try judged(.good(profile: .ci).readonly())
        #expect(verdict.status == .pass)
        #expect(verdict.reason == "the workspace is read-only")
    }

    @Test("a path cannot steer a terminal")
    func hostilePath() throws {
        let verdict = try judged(record([.modified("a\u{1b}[2J\u{202e}\n.c", LineCounts(added: 501))]))
        for text in verdict.evidence + verdict.issues.map(\.message) + [verdict.reason] {
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e })
        }
    }
}

extension StepRecord {
    /// The same in a workspace that is written straight to.
    func direct() -> StepRecord {
        with {
            $0.workspaceMode = .direct
            $0.changes = nil
            $0.enforcement[.changeBudget] = EnforcementClaim(
                level: .none, gaps: ["workspace.mode direct: writes reach the workspace uncounted"])
            $0.enforcement[.rollback] = EnforcementClaim(
                level: .none, gaps: ["workspace.mode direct: what was there before is not kept"])
        }
    }

    /// The same in a workspace that cannot be written to.
    func readonly() -> StepRecord {
        with {
            $0.workspaceMode = .readonly
            $0.changes = nil
            let claim = EnforcementClaim(level: .kernel, mechanisms: ["read-only-mount"])
            $0.enforcement[.changeBudget] = claim
            $0.enforcement[.rollback] = claim
        }
    }
}
