import JailGates
import JailModel
import JailTestSupport
import Testing

/// One thing that is worse than in the good record.
struct Weakening: Sendable, CustomTestStringConvertible {
    let name: String
    /// The gate that must notice.
    let gate: GateName
    let change: @Sendable (inout StepRecord) -> Void
    var testDescription: String { name }

    init(_ name: String, _ gate: GateName, _ change: @escaping @Sendable (inout StepRecord) -> Void) {
        self.name = name
        self.gate = gate
        self.change = change
    }
}

@Suite("each single weakening of a good run is noticed")
struct WeakeningTests {
    static let capabilities: [Weakening] = [
        ("effective", \AppliedState.effectiveCapabilities), ("permitted", \.permittedCapabilities),
        ("inheritable", \.inheritableCapabilities), ("bounding", \.boundingCapabilities),
        ("ambient", \.ambientCapabilities),
    ].flatMap { name, path in
        [0, 21, 63].map { bit in
            Weakening("\(name) capability \(bit)", .hermeticPaths) { $0.applied?[keyPath: path] = 1 << UInt64(bit) }
        }
    }

    static let jail: [Weakening] = [
        Weakening("no read-back", .hermeticPaths) { $0.applied = nil },
        Weakening("no_new_privs off", .hermeticPaths) { $0.applied?.hasNoNewPrivileges = false },
        Weakening("securebits clear", .hermeticPaths) { $0.applied?.secureBits = 0 },
        Weakening("securebits not locked", .hermeticPaths) { $0.applied?.secureBits = 0x01 },
        Weakening("no seccomp filter", .hermeticPaths) { $0.applied?.seccompFilters = 0 },
        Weakening("no Landlock", .hermeticPaths) { $0.applied?.landlockABI = 0 },
        Weakening("host root", .hermeticPaths) { $0.host.target.outsideUID = 0 },
        Weakening("protected path changed", .hermeticPaths) {
            $0.pathViolations = ["/work/project/.git/config changed"]
        },
        Weakening("trust handed over", .hermeticPaths) {
            $0.handoffs = [TrustHandoff(path: ".git/hooks/x", handoff: .gitHooks, reason: "is started by git")]
        },
        Weakening("file denial", .hermeticPaths) {
            $0.denials = [Denial(kind: .file, subject: "/etc/shadow", rule: "filesystem.hide")]
        },
        Weakening("connection refused", .networkAllowlist) {
            $0.denials = [Denial(kind: .network, subject: "192.0.2.1:443/tcp", rule: "network.mode: none")]
        },
        Weakening("connection accepted", .networkAllowlist) {
            $0.egress = [EgressRecord(host: "example.com", port: 443, verdict: .allow)]
        },
        Weakening("denials dropped", .networkAllowlist) { $0.denialsDropped = 1 },
        Weakening("exec denial", .untrustedCode) {
            $0.denials = [Denial(kind: .exec, subject: "/work/project/x", rule: "exec.workspace: deny")]
        },
        Weakening("unknown cwd", .untrustedCode) { $0.command.cwd = "" },
        Weakening("unknown executable", .untrustedCode) { $0.command.executable = "" },
        Weakening("unknown executable digest", .untrustedCode) { $0.command.sha256 = nil },
    ]

    static let canaries: [Weakening] =
        (0..<4).flatMap { index in
            let canary = StepRecord.good().canaries[index]
            let gate: GateName =
                switch canary.guarantee {
                case .networkEgress: .networkAllowlist
                case .untrustedExec: .untrustedCode
                default: .hermeticPaths
                }
            return [Weakening("escaped: \(canary.name)", gate) { $0.canaries[index].errno = 0 }]
        } + [
            Weakening("escaped: of a guarantee that no gate judges", .noFalsePass) {
                $0.canaries.append(CanaryResult(name: "ptrace of pid 1", errno: 0, guarantee: .secretHygiene))
            },
            Weakening("no canaries", .hermeticPaths) { $0.canaries = [] },
            Weakening("no path canary", .hermeticPaths) { $0.canaries.removeAll { $0.guarantee == .hermeticPaths } },
            Weakening("no network canary", .networkAllowlist) {
                $0.canaries.removeAll { $0.guarantee == .networkEgress }
            },
            Weakening("no exec canary", .untrustedCode) { $0.canaries.removeAll { $0.guarantee == .untrustedExec } },
        ]

    static let budgets: [Weakening] =
        BudgetKind.allCases.map { kind in
            Weakening("breach of \(kind.rawValue)", kind.guarantee == .changeBudget ? .changeBudget : .budgets) {
                $0.breaches = [BudgetBreach(kind: kind, limit: 1, observed: 2, meter: "test")]
            }
        } + [
            Weakening("runtime above its limit without a breach", .budgets) { $0.usage.wall = .seconds(3601) },
            Weakening("CPU above its limit without a breach", .budgets) { $0.usage.cpu = .milliseconds(3_600_001) },
            Weakening("output above its limit without a breach", .budgets) { $0.usage.outputBytes = (64 << 20) + 1 },
            Weakening("no CPU meter", .budgets) { $0.usage.cpuMeter = "" },
            Weakening("no memory meter", .budgets) { $0.usage.memoryMeter = "" },
        ]

    static let evidence: [Weakening] = [
        Weakening("evidence gap", .noFalsePass) { $0.evidenceGaps = ["events.ndjson: no space left on device"] },
        Weakening("interrupted", .noFalsePass) { $0.interruptedBy = 2 },
        Weakening("survivors possible", .noFalsePass) { $0.noSurvivors = nil },
        Weakening("no plan digest", .noFalsePass) { $0.planDigest = nil },
        Weakening("stdout cut", .noFalsePass) { $0.stdout.isTruncated = true },
        Weakening("stderr cut", .noFalsePass) { $0.stderr.isTruncated = true },
        Weakening("stdout incomplete", .noFalsePass) { $0.stdout.stored = 119 },
        Weakening("no stdout digest", .noFalsePass) { $0.stdout.sha256 = nil },
    ]

    @Test(
        "the gate that guards it stops passing and the exit code is not 0",
        arguments: capabilities + jail + canaries + budgets + evidence, Profile.allCases)
    func isNoticed(weakening: Weakening, profile: Profile) throws {
        let weak = StepRecord.good(profile: profile).with(weakening.change)
        let verdicts = Gates.judge(weak)
        let verdict = try #require(verdicts.first { $0.gate == weakening.gate })
        #expect(verdict.isFailure)
        #expect(!verdict.reason.isEmpty)
        #expect(verdict.issues.contains { $0.severity == .blocker })
        #expect(Gates.decide(weak, verdicts).exitCode != 0)
    }

    static let guarantees: [(Guarantee, GateName)] = [
        (.hermeticPaths, .hermeticPaths), (.networkEgress, .networkAllowlist), (.budgets, .budgets),
        (.untrustedExec, .untrustedCode),
    ]

    @Test(
        "a gap of the host is told in local and fails in ci and prod", arguments: guarantees,
        [
            EnforcementClaim(level: .kernel, mechanisms: ["x"], gaps: ["UDP is open"]),
            EnforcementClaim(level: .observed),
            EnforcementClaim.none,
        ])
    func gapByProfile(pair: (Guarantee, GateName), claim: EnforcementClaim) throws {
        for profile in Profile.allCases {
            let weak = StepRecord.good(profile: profile).with { $0.enforcement[pair.0] = claim }
            let verdicts = Gates.judge(weak)
            let verdict = try #require(verdicts.first { $0.gate == pair.1 })
            if profile == .local {
                #expect(verdict.status == .notApplicable)
                #expect(verdict.reason.hasPrefix("not enforced on this host: "))
                #expect(Gates.decide(weak, verdicts) == .pass)
            } else {
                #expect(verdict.status == .blocked)
                #expect(verdict.issues.first?.code == .notEnforceable)
                #expect(Gates.decide(weak, verdicts) == .violation)
            }
        }
    }

    @Test("a claim that nobody made is no claim", arguments: guarantees)
    func claimMissing(pair: (Guarantee, GateName)) throws {
        let weak = StepRecord.good().with { $0.enforcement[pair.0] = nil }
        #expect(Gates.judge(weak).first { $0.gate == pair.1 }?.status == .notApplicable)
    }
}
