import JailModel
import JailPolicy
import JailTestSupport
import Testing

@testable import JailKit

@Suite("what becomes of the changes")
struct DisposalTests {
    private func decide(
        _ rules: String, _ verdict: Verdict, _ change: (inout StepRecord) -> Void = { _ in }
    ) throws -> Disposal {
        Disposal.decide(try policy("workspace: {\(rules)}").workspace, StepRecord.good().with(change), verdict)
    }

    static let failures = Verdict.allCases.filter { $0 != .pass }
    static let dispositions: [(String, Disposal)] = [("commit", .commit), ("keep", .keep), ("discard", .discard)]

    @Test("a pass follows on_pass alone", arguments: dispositions)
    func pass(word: String, disposal: Disposal) throws {
        for other in ["commit", "keep", "discard"] {
            #expect(try decide("on_pass: \(word), on_fail: \(other)", .pass) == disposal)
        }
    }

    @Test(
        "anything else follows on_fail alone, and is not published unless the command itself failed",
        arguments: failures)
    func fail(verdict: Verdict) throws {
        for other in ["commit", "keep", "discard"] {
            #expect(try decide("on_pass: \(other), on_fail: keep", verdict) == .keep)
            #expect(try decide("on_pass: \(other), on_fail: discard", verdict) == .discard)
            let mayCommit = verdict == .childFailed || verdict == .external
            #expect(try decide("on_pass: \(other), on_fail: commit", verdict) == (mayCommit ? .commit : .keep))
        }
    }

    @Test("the defaults: publish a pass, keep the rest")
    func defaults() throws {
        #expect(try decide("", .pass) == .commit)
        for verdict in Self.failures { #expect(try decide("", verdict) == .keep) }
    }

    @Test("what was not read whole or breaks a rule is never published", arguments: [Verdict.pass, .childFailed])
    func incomplete(verdict: Verdict) throws {
        let rules = "on_pass: commit, on_fail: commit"
        #expect(try decide(rules, verdict) { $0.changes?.isComplete = false } == .keep)
        let violation = ChangeViolation(path: "a", reason: "is outside workspace.write")
        #expect(try decide(rules, verdict) { $0.changes?.violations = [violation] } == .keep)
    }

    @Test("an interruption keeps, whatever the policy says", arguments: dispositions)
    func interrupted(word: String, disposal: Disposal) throws {
        for verdict in Verdict.allCases {
            let found = try decide("on_pass: \(word), on_fail: \(word)", verdict) { $0.interruptedBy = 15 }
            #expect(found == .keep)
        }
    }

    @Test("without changes there is nothing to do, except to leave a transaction open")
    func empty() throws {
        let empty = ChangeRecord(layer: "overlay on tmpfs", set: ChangeSet())
        for (word, _) in Self.dispositions {
            let rules = "on_pass: \(word), on_fail: \(word)"
            #expect(try decide(rules, .pass) { $0.changes = empty } == (word == "keep" ? .keep : .nothing))
            #expect(try decide(rules, .childFailed) { $0.changes = empty } == .nothing)
            #expect(try decide(rules, .pass) { $0.changes = nil } == .nothing)
        }
    }

    @Test("an object that can never be published is no empty set")
    func refusedOnly() throws {
        let set = ChangeSet(refused: [RefusedObject(path: "x", reason: .device)])
        #expect(try decide("", .violation) { $0.changes?.set = set } == .keep)
    }
}
