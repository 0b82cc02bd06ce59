import JailGates
import JailModel
import JailTestSupport
import Testing

@Suite("the verdict of a run")
struct DecideTests {
    static func refusal(_ verdict: Verdict) -> LaunchOutcome {
        .refused(LaunchRefusal(verdict: verdict, code: .schemaInvalid, message: "no", hint: ""))
    }

    static let outcomes: [(LaunchOutcome, Verdict)] = [
        (.ended(.exited(0)), .pass), (.ended(.exited(1)), .childFailed), (.ended(.exited(3)), .childFailed),
        (.ended(.exited(255)), .childFailed), (.ended(.signaled(9)), .childFailed),
        (refusal(.invalid), .invalid), (refusal(.unenforceable), .unenforceable), (refusal(.violation), .violation),
        (refusal(.internal), .internal), (refusal(.pass), .internal), (refusal(.childFailed), .internal),
        (refusal(.external), .internal),
        (.failed(LaunchFault(step: "clone", message: "x"), started: false), .internal),
        (.failed(LaunchFault(step: "supervise", message: "x"), started: true), .internal),
    ]

    @Test("by how the step ended", arguments: outcomes)
    func byOutcome(outcome: LaunchOutcome, verdict: Verdict) {
        let record = StepRecord.good().with { $0.outcome = outcome }
        #expect(Gates.decide(record, Gates.judge(record)) == verdict)
    }

    @Test("a violation outweighs a failed command, and a fault of ours outweighs both")
    func precedence() {
        let failed = StepRecord.good().with { $0.outcome = .ended(.exited(1)) }
        let violated = failed.with {
            $0.breaches = [BudgetBreach(kind: .cpu, limit: 1, observed: 2, meter: "cgroup")]
        }
        let incomplete = violated.with { $0.evidenceGaps = ["the ledger could not be written"] }
        #expect(Gates.decide(failed, Gates.judge(failed)) == .childFailed)
        #expect(Gates.decide(violated, Gates.judge(violated)) == .violation)
        #expect(Gates.decide(incomplete, Gates.judge(incomplete)) == .internal)
    }

    @Test("an interruption is internal whatever else holds", arguments: [2, 15])
    func interrupted(signal: Int32) throws {
        let record = StepRecord.good().with {
            $0.interruptedBy = signal
            $0.outcome = .ended(.signaled(signal))
        }
        let verdicts = Gates.judge(record)
        #expect(Gates.decide(record, verdicts) == .internal)
        #expect(verdicts.flatMap(\.issues).contains { $0.code == .runInterrupted })
    }

    @Test("an interruption also outweighs a refusal")
    func interruptedBeforeStart() {
        let record = StepRecord.good().with {
            $0.interruptedBy = 2
            $0.outcome = Self.refusal(.invalid)
        }
        #expect(Gates.decide(record, Gates.judge(record)) == .internal)
    }

    @Test("an escaped canary is internal, with its own code")
    func canary() {
        let record = StepRecord.good().with { $0.canaries[0].errno = 0 }
        let verdicts = Gates.judge(record)
        #expect(Gates.decide(record, verdicts) == .internal)
        #expect(verdicts.flatMap(\.issues).contains { $0.code == .canaryEscaped })
    }

    @Test("a list that does not name every gate once, in order, is internal")
    func incompleteList() {
        let record = StepRecord.good()
        let verdicts = Gates.judge(record)
        #expect(Gates.decide(record, Array(verdicts.dropLast())) == .internal)
        #expect(Gates.decide(record, verdicts + verdicts.prefix(1)) == .internal)
        #expect(Gates.decide(record, verdicts.reversed()) == .internal)
        #expect(Gates.decide(record, []) == .internal)
    }

    @Test("a blocked gate counts as a failure even without an issue")
    func blockedWithoutIssue() {
        let record = StepRecord.good()
        let verdicts = Gates.judge(record).map { verdict in
            verdict.gate == .ciParity
                ? GateVerdict(gate: .ciParity, status: .blocked, enforcement: .none, reason: "x") : verdict
        }
        #expect(Gates.decide(record, verdicts) == .violation)
    }

    @Test("an open circuit breaker is an external failure")
    func external() {
        let record = StepRecord.good().with { $0.outcome = .ended(.exited(1)) }
        let issue = Issue(gate: .budgets, severity: .blocker, code: .circuitBreakerOpen, message: "upstream is down")
        let verdicts = Gates.judge(record).map { verdict in
            verdict.gate == .budgets
                ? GateVerdict(gate: .budgets, status: .fail, enforcement: .none, reason: "x", issues: [issue]) : verdict
        }
        #expect(Gates.decide(record, verdicts) == .external)
    }
}
