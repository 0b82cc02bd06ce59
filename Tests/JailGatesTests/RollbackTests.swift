import JailGates
import JailModel
import JailTestSupport
import Testing

@Suite("rollback gate")
struct RollbackTests {
    private func judged(_ record: StepRecord) throws -> GateVerdict {
        try #require(Gates.judge(record).first { $0.gate == .rollbackCapability })
    }

    private func record(
        profile: Profile = .local, _ publication: Publication, state: ChangeState = .pending
    ) -> StepRecord {
        StepRecord.good(profile: profile).with {
            $0.changes?.publication = publication
            $0.changes?.state = state
        }
    }

    @Test("published and verified passes with both digests", arguments: Profile.allCases)
    func published(profile: Profile) throws {
        let verdict = try judged(.good(profile: profile))
        #expect(verdict.status == .pass)
        let before = String(repeating: "61", count: 32)
        let after = String(repeating: "62", count: 32)
        #expect(verdict.evidence.contains("tree before \(before), after \(after), 1 operations"))
        #expect(verdict.evidence.contains("changes are committed"))
    }

    @Test(
        "published with a problem is blocked: the undo is not proven, whatever the profile", arguments: Profile.allCases
    )
    func problems(profile: Profile) throws {
        let publication = Publication.published(
            treeBefore: .repeating(1), treeAfter: .repeating(2), operations: 2,
            problems: ["a.c: the undo is not whole", "b.c: is not what was published"])
        let record = record(profile: profile, publication, state: .committed)
        let verdict = try judged(record)
        #expect(verdict.status == .blocked)
        #expect(verdict.issues.map(\.code) == [.evidenceIncomplete])
        #expect(verdict.reason.contains("a.c: the undo") && verdict.reason.contains("b.c: is not"))
        #expect(Gates.decide(record, Gates.judge(record)) == .internal)
    }

    @Test("a conflict fails, and names every path")
    func conflict() throws {
        let paths: [ByteString] = ["a.c", "b/c.txt", ByteString([0x64, 0xff]) ?? ""]
        let record = record(.conflict(paths))
        let verdict = try judged(record)
        #expect(verdict.status == .fail)
        #expect(verdict.issues.map(\.code) == [.commitConflict, .commitConflict, .commitConflict])
        for path in paths { #expect(verdict.issues.contains { $0.message.hasPrefix("\(path) was changed outside") }) }
        #expect(Gates.decide(record, Gates.judge(record)) == .violation)
    }

    @Test("a publication that failed is blocked, and the run internal")
    func failed() throws {
        let record = record(.failed("no space left on device"))
        let verdict = try judged(record)
        #expect(verdict.status == .blocked)
        #expect(verdict.reason.contains("publishing failed: no space left on device"))
        #expect(Gates.decide(record, Gates.judge(record)) == .internal)
    }

    @Test("nothing published: the workspace is as it was", arguments: [ChangeState.pending, .discarded])
    func notTried(state: ChangeState) throws {
        let verdict = try judged(record(.notTried, state: state))
        #expect(verdict.status == .pass)
        #expect(verdict.reason == "nothing was published: the workspace is as it was")
        #expect(verdict.evidence.contains("changes are \(state.rawValue)"))
    }

    @Test("nothing changed passes")
    func nothing() throws {
        let verdict = try judged(
            StepRecord.good(profile: .ci).with {
                $0.changes = ChangeRecord(layer: "overlay on tmpfs", set: ChangeSet())
            })
        #expect(verdict.status == .pass)
        #expect(verdict.reason == "nothing changed")
    }

    @Test("changes that nobody read are missing evidence")
    func notRead() throws {
        let verdict = try judged(StepRecord.good().with { $0.changes = nil })
        #expect(verdict.status == .blocked)
        #expect(verdict.issues.map(\.code) == [.evidenceIncomplete])
    }

    @Test("direct keeps nothing: not applicable in local, blocked elsewhere", arguments: Profile.allCases)
    func direct(profile: Profile) throws {
        let verdict = try judged(StepRecord.good(profile: profile).direct())
        #expect(verdict.status == (profile == .local ? .notApplicable : .blocked))
    }

    @Test("readonly passes")
    func readonly() throws { #expect(try judged(.good(profile: .ci).readonly()).status == .pass) }
}
