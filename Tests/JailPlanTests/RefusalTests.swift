import JailModel
import JailPlan
import JailPolicy
import Testing

/// A request that must not become a plan.
struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let policy: String
    let verdict: Verdict
    var cwd = "/work/project"
    var facts = Fixture.facts()
    /// A word that the message must hold, so that the user knows which rule it was.
    var word = ""
    var testDescription: String { name }
}

@Suite("what cannot be enforced is refused before anything starts")
struct RefusalTests {
    static let cases: [Refused] = [
        Refused(
            name: "a key of a later version", policy: "budgets: {max_llm_calls: 5}", verdict: .unenforceable,
            word: "max_llm_calls"),
        Refused(
            name: "overlay without mounts of its own", policy: "workspace: {mode: overlay}\nrequire: []",
            verdict: .unenforceable, facts: Fixture.facts(tier: .t3), word: "overlay"),
        Refused(
            name: "counting changes where they are written straight",
            policy: "workspace: {mode: direct}\nrequire: [change_budget]", verdict: .unenforceable,
            word: "change_budget"),
        Refused(
            name: "taking back what is written straight", policy: "workspace: {mode: direct}\nrequire: [rollback]",
            verdict: .unenforceable, word: "rollback"),
        Refused(
            name: "a scratch pattern", policy: "workspace: {scratch: [\"*.tmp\"]}", verdict: .unenforceable,
            word: "*.tmp"),
        Refused(
            name: "a glob in write", policy: "workspace: {mode: direct, write: [\"*.md\"]}", verdict: .unenforceable,
            word: "*.md"),
        Refused(
            name: "a write path that does not exist", policy: "workspace: {mode: direct, write: [new.txt]}",
            verdict: .unenforceable,
            word: "new.txt"),
        Refused(
            name: "cwd outside", policy: "extends: default", verdict: .invalid, cwd: "/work/project-evil",
            word: "outside"),
        Refused(
            name: "cwd in an untrusted tree", policy: "workspace: {untrusted: [src]}", verdict: .invalid,
            cwd: "/work/project/src", word: "untrusted"),
        Refused(
            name: "paths without namespaces", policy: "require: [hermetic_paths]", verdict: .unenforceable,
            facts: Fixture.facts(tier: .t3), word: "hermetic_paths"),
        Refused(
            name: "execution without namespaces", policy: "require: [untrusted_exec]", verdict: .unenforceable,
            facts: Fixture.facts(tier: .t3), word: "untrusted_exec"),
        Refused(
            name: "egress given away", policy: "network: {mode: host}\nrequire: [network_egress]",
            verdict: .unenforceable, word: "network_egress"),
        Refused(
            name: "budgets by the kernel without a cgroup", policy: "require: [{budgets: kernel}]",
            verdict: .unenforceable, word: "budgets"),
    ]

    @Test("refused", arguments: cases)
    func isRefused(refused: Refused) throws {
        let policy = try Fixture.policy(refused.policy)
        let request = try Fixture.request(cwd: refused.cwd)
        let error = #expect(throws: PlanError.self) {
            try Fixture.plan(policy, refused.facts, request)
        }
        #expect(error?.refusal.verdict == refused.verdict)
        #expect(error?.refusal.message.contains(refused.word) == true)
    }

    @Test("an overlay without a layer would be a writable workspace, so it is none")
    func needsLayer() throws {
        let policy = try Fixture.policy("workspace: {mode: overlay}")
        let error = #expect(throws: PlanError.self) {
            try PlanCompiler.compile(policy: policy, facts: Fixture.facts(), request: Fixture.request())
        }
        #expect(error?.refusal.verdict == .unenforceable)
    }

    @Test("host uid 0 is never the command's, in any tier", arguments: Tier.allCases)
    func refusesRoot(tier: Tier) throws {
        var facts = Fixture.facts(tier: tier, mapped: true)
        facts.target.outsideUID = 0
        let policy = try Fixture.policy("require: []")
        let error = #expect(throws: PlanError.self) {
            try Fixture.plan(policy, facts)
        }
        #expect(error?.refusal.verdict == .unenforceable)
    }

    @Test("a cgroup with memory and pids makes budgets the kernel's")
    func acceptsCgroup() throws {
        let facts = Fixture.facts(cgroup: .v2(directory: "/c", controllers: ["memory", "pids", "cpu"]))
        let policy = try Fixture.policy("require: [{budgets: kernel}]")
        let plan = try Fixture.plan(policy, facts)
        #expect(plan.enforcement[.budgets]?.level == .kernel)
    }

    @Test(
        "a workspace that is no project is refused",
        arguments: ["/", "/home/dev", "/usr/src", "/etc", "/proc/1", "/dev/shm"])
    func refusesWorkspace(place: String) throws {
        let workspace = try Fixture.path(place)
        let policy = try Policy.shipped("default")
        let error = #expect(throws: PlanError.self) {
            try PlaceRules.check(policy, workspace: workspace, cwd: workspace, homes: ["/home/dev"])
        }
        #expect(error?.refusal.verdict == .invalid)
    }
}
