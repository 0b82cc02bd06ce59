import JailGates
import JailModel
import JailTestSupport
import Testing

private func judged(_ gate: GateName, _ record: StepRecord) throws -> GateVerdict {
    try #require(Gates.judge(record).first { $0.gate == gate })
}

@Suite("gates")
struct JudgeTests {
    static let judgedGates: Set<GateName> = [
        .hermeticPaths, .networkAllowlist, .noFalsePass, .budgetConfig, .budgets, .untrustedCode, .changeBudget,
        .rollbackCapability,
    ]

    @Test("a good run passes the judged gates, names every gate once in order, and exits 0")
    func good() {
        let record = StepRecord.good()
        let verdicts = Gates.judge(record)
        #expect(verdicts.map(\.gate) == GateName.allCases)
        for verdict in verdicts {
            #expect(verdict.status == (Self.judgedGates.contains(verdict.gate) ? .pass : .notApplicable))
            #expect(verdict.status == .pass || !verdict.reason.isEmpty)
            #expect(verdict.status != .pass || !verdict.evidence.isEmpty)
        }
        #expect(Gates.decide(record, verdicts) == .pass)
    }

    @Test("judging is a function of the record alone")
    func isPure() {
        let record = StepRecord.good(profile: .ci)
        #expect(Gates.judge(record) == Gates.judge(record))
    }

    @Test("the gates that are not judged: a warning in ci, blocked in prod")
    func unjudged() {
        for profile in Profile.allCases {
            let record = StepRecord.good(profile: profile)
            let verdicts = Gates.judge(record)
            for verdict in verdicts where !Self.judgedGates.contains(verdict.gate) {
                #expect(verdict.status == (profile == .prod ? .blocked : .notApplicable))
                #expect(verdict.enforcement == .none)
                #expect(verdict.reason.hasPrefix("this version "))
                let severities: [Severity] = profile == .local ? [] : [profile == .ci ? .warn : .blocker]
                #expect(verdict.issues.map(\.severity) == severities)
                #expect(verdict.issues.allSatisfy { $0.code == .gateNotImplemented })
            }
            #expect(Gates.decide(record, verdicts) == (profile == .prod ? .violation : .pass))
        }
    }

    @Test("nothing passes by running when nothing started")
    func notStarted() {
        let refusal = LaunchRefusal(verdict: .invalid, code: .pathEscape, message: "cwd is outside", hint: "cd")
        let fault = LaunchFault(step: "clone", errno: 11, message: "cannot clone")
        let runtime: [GateName] = [
            .hermeticPaths, .networkAllowlist, .budgets, .untrustedCode, .noFalsePass, .changeBudget,
            .rollbackCapability,
        ]
        for outcome in [LaunchOutcome.refused(refusal), .failed(fault, started: false), .failed(fault, started: true)] {
            let record = StepRecord.good().with { $0.outcome = outcome }
            for verdict in Gates.judge(record) where runtime.contains(verdict.gate) {
                #expect(verdict.status == .blocked)
            }
        }
    }

    @Test("a refusal's cause and hint stand in one issue")
    func refusalIssue() throws {
        let refusal = LaunchRefusal(
            verdict: .unenforceable, code: .notEnforceable, message: "no user namespaces", hint: "see doctor")
        let verdict = try judged(.noFalsePass, StepRecord.good().with { $0.outcome = .refused(refusal) })
        #expect(verdict.issues.count == 1)
        #expect(verdict.issues.first?.code == .notEnforceable)
        #expect(verdict.issues.first?.suggestedFix == "see doctor")
    }
}

@Suite("network gate")
struct NetworkGateTests {
    static let refused = Denial(
        kind: .network, subject: "192.0.2.1:443/tcp", count: 3, rule: "network.mode: none",
        remedy: "network: {mode: host}")

    @Test("one issue for each subject, with the line that would allow it")
    func denials() throws {
        let other = Denial(kind: .network, subject: "[::1]:53/udp", rule: "network.mode: none")
        let verdict = try judged(
            .networkAllowlist, StepRecord.good().with { $0.denials = [Self.refused, other, Self.refused] })
        #expect(verdict.status == .fail)
        #expect(verdict.issues.map(\.code) == [.networkBlocked, .networkBlocked])
        #expect(verdict.issues[0].message.contains("192.0.2.1:443/tcp was refused, tried 6 times"))
        #expect(verdict.issues[0].suggestedFix == "network: {mode: host}")
        #expect(verdict.issues[1].suggestedFix == nil)
    }

    @Test("the 51st subject and those after it are counted in one issue")
    func cap() throws {
        let many = (0..<60).map { Denial(kind: .network, subject: "192.0.2.\($0):1/tcp", rule: "r") }
        let verdict = try judged(.networkAllowlist, StepRecord.good().with { $0.denials = many })
        #expect(verdict.issues.count == 51)
        #expect(verdict.issues.last?.message == "10 more were refused; the report lists them")
    }

    @Test("on_denied: warn passes and warns")
    func warn() throws {
        let record = StepRecord.good().with {
            $0.denials = [Self.refused]
            $0.onDenied = .warn
        }
        let verdicts = Gates.judge(record)
        let verdict = try judged(.networkAllowlist, record)
        #expect(verdict.status == .pass)
        #expect(verdict.issues.map(\.severity) == [.warn])
        #expect(Gates.decide(record, verdicts) == .pass)
    }

    @Test("a supervisor's wall passes and is reported as one")
    func supervisor() throws {
        let record = StepRecord.good().with { $0.enforcement[.networkEgress]?.level = .supervisor }
        let verdict = try judged(.networkAllowlist, record)
        #expect(verdict.status == .pass)
        #expect(verdict.enforcement.level == .supervisor)
    }

    @Test("mode host is never a pass", arguments: Profile.allCases)
    func host(profile: Profile) throws {
        let record = StepRecord.good(profile: profile).with {
            $0.networkMode = .host
            $0.enforcement[.networkEgress] = EnforcementClaim.none
        }
        let verdict = try judged(.networkAllowlist, record)
        #expect(verdict.status == (profile == .local ? .notApplicable : .blocked))
        #expect(verdict.reason == "network.mode: host: the policy gives the network away; egress is not enforced")
        #expect(verdict.issues.map(\.code) == (profile == .local ? [] : [.networkAllowlistMissing]))
    }

    @Test("an allowlist is not judged yet, so it is blocked", arguments: Profile.allCases)
    func allowlist(profile: Profile) throws {
        let verdict = try judged(
            .networkAllowlist, StepRecord.good(profile: profile).with { $0.networkMode = .allowlist })
        #expect(verdict.status == .blocked)
    }

    @Test("denials that are not itemised are said, not hidden")
    func notItemised() throws {
        let record = StepRecord.good().with { $0.areDenialsItemised = false }
        let verdict = try judged(.networkAllowlist, record)
        #expect(verdict.status == .pass)
        #expect(verdict.reason.contains("not itemised"))
        #expect(verdict.evidence.contains("denials: not itemised"))
    }

    @Test("a subject cannot steer a terminal")
    func hostileSubject() throws {
        let denial = Denial(kind: .network, subject: "\u{1b}[2Jevil\u{202e}", rule: "r\n")
        let verdict = try judged(.networkAllowlist, StepRecord.good().with { $0.denials = [denial] })
        for text in verdict.evidence + verdict.issues.map(\.message) {
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e })
        }
    }
}

@Suite("budget gates")
struct BudgetGateTests {
    @Test("a breach is told with its code, numbers, unit, meter and the policy line", arguments: BudgetKind.allCases)
    func breach(kind: BudgetKind) throws {
        let record = StepRecord.good().with {
            $0.breaches = [BudgetBreach(kind: kind, limit: 1 << 20, observed: (1 << 20) + 7, meter: "meter")]
        }
        let gate: GateName = kind.guarantee == .changeBudget ? .changeBudget : .budgets
        let verdicts = Gates.judge(record)
        let verdict = try #require(verdicts.first { $0.gate == gate })
        #expect(verdict.status == .fail)
        let issue = try #require(verdict.issues.first)
        #expect(issue.code == kind.errorCode)
        #expect(issue.severity == .blocker)
        #expect(issue.message.contains("1048576") && issue.message.contains("1048583"))
        #expect(issue.message.hasSuffix("seen by meter"))
        #expect(issue.suggestedFix?.hasPrefix("budgets: {\(kind.rawValue): ") == true)
        #expect(Gates.decide(record, verdicts) == .violation)
        let other: GateName = gate == .budgets ? .changeBudget : .budgets
        #expect(verdicts.first { $0.gate == other }?.status != .fail)
    }

    @Test("sizes are suggested as policies write them")
    func suggestion() throws {
        let record = StepRecord.good().with {
            $0.breaches = [BudgetBreach(kind: .memory, limit: 4 << 30, observed: 5 << 30, meter: "cgroup1 memory")]
        }
        let issue = try #require(try judged(.budgets, record).issues.first)
        #expect(issue.suggestedFix == "budgets: {max_memory: 8GiB}")
        #expect(issue.message == "max_memory: 4294967296 bytes allowed, 5368709120 bytes seen by cgroup1 memory")
    }

    @Test("limits are inclusive")
    func inclusive() throws {
        let record = StepRecord.good().with {
            $0.usage.wall = .seconds(3600)
            $0.usage.cpu = .seconds(3600)
            $0.usage.outputBytes = 64 << 20
            $0.usage.maxRSS = ByteCount(4 << 30)
        }
        #expect(try judged(.budgets, record).status == .pass)
    }

    @Test("the largest limit suggests no number beyond 64 bits")
    func largest() throws {
        let record = StepRecord.good().with {
            $0.breaches = [BudgetBreach(kind: .llmTokens, limit: .max, observed: .max, meter: "m")]
        }
        #expect(
            try judged(.budgets, record).issues.first?.suggestedFix == "budgets: {max_llm_tokens: 18446744073709551615}"
        )
    }

    @Test("a lower bound of the CPU time is no enforcement, unless no CPU budget was asked for")
    func lowerBound() throws {
        let record = StepRecord.good().with { $0.usage.cpuMeter = "rusage (lower bound)" }
        let verdict = try judged(.budgets, record)
        #expect(verdict.status == .notApplicable)
        #expect(verdict.enforcement.level == .observed)
        #expect(verdict.reason.contains("rusage (lower bound)"))
        #expect(try judged(.budgets, record.with { $0.profile = .ci }).status == .blocked)
        #expect(try judged(.budgets, record.with { $0.budgets[.cpu] = nil }).status == .pass)
    }

    @Test(
        "a budget that is not set: a warning, in prod a failure",
        arguments: [BudgetKind.runtime, .cpu, .memory, .processes, .openFiles, .output], Profile.allCases)
    func missing(kind: BudgetKind, profile: Profile) throws {
        let record = StepRecord.good(profile: profile).with { $0.budgets[kind] = nil }
        let verdict = try judged(.budgetConfig, record)
        #expect(verdict.status == (profile == .prod ? .fail : .pass))
        #expect(verdict.enforcement.level == .static)
        #expect(verdict.issues.map(\.code) == [.budgetMissing])
        #expect(verdict.issues[0].severity == (profile == .prod ? .blocker : .warn))
        #expect(verdict.issues[0].message.contains(kind.rawValue))
    }

    @Test("a budget that only some steps need may be absent")
    func optional() throws {
        #expect(try judged(.budgetConfig, .good()).issues.isEmpty)
    }
}

@Suite("untrusted code, paths and no-false-pass gates")
struct OtherGateTests {
    @Test("the evidence of guarantee J names cwd, executable, digest, programs and the residual")
    func untrusted() throws {
        let evidence = try judged(.untrustedCode, .good()).evidence
        #expect(evidence.contains("working directory: /work/project"))
        #expect(evidence.contains("executable: /usr/bin/git sha256 " + String(repeating: "aa", count: 32)))
        #expect(evidence.contains("programs started: 3"))
        #expect(
            evidence.contains(
                "residual: an allowed interpreter reading a readable script is not prevented by the kernel"))
    }

    @Test(
        "a supervisor's word is not enough for paths and execution",
        arguments: [GateName.hermeticPaths, .untrustedCode])
    func kernelOnly(gate: GateName) throws {
        let record = StepRecord.good().with { $0.enforcement[gate.guarantee]?.level = .supervisor }
        #expect(try judged(gate, record).status == .notApplicable)
    }

    @Test("capabilities are told by name")
    func capabilities() throws {
        let verdict = try judged(
            .hermeticPaths,
            StepRecord.good().with {
                $0.applied?.effectiveCapabilities = 1 << 21 | 1
                $0.applied?.boundingCapabilities = 1 << 7
            })
        #expect(verdict.reason.hasSuffix("the effective capability set is not empty: cap_chown, cap_sys_admin"))
        #expect(
            verdict.evidence.contains {
                $0.hasPrefix("read back: capabilities effective cap_chown, cap_sys_admin; bounding cap_setuid, ")
            })
    }

    @Test("a refused system call is told and is no violation: the jail held")
    func syscalls() throws {
        let denial = Denial(kind: .syscall, subject: "mount(tmpfs)", count: 2, rule: "seccomp: mount")
        let record = StepRecord.good().with { $0.denials = [denial] }
        let verdict = try judged(.hermeticPaths, record)
        #expect(verdict.status == .pass)
        #expect(verdict.evidence.contains { $0.contains("system calls refused: 2") })
    }

    @Test("output that was cut by its budget is no gap of the evidence")
    func cutByBudget() throws {
        let record = StepRecord.good().with {
            $0.stdout.isTruncated = true
            $0.breaches = [BudgetBreach(kind: .output, limit: 1, observed: 2, meter: "supervisor")]
        }
        #expect(try judged(.noFalsePass, record).status == .pass)
        #expect(Gates.decide(record, Gates.judge(record)) == .violation)
    }

    @Test("denials beyond the cap are noted")
    func dropped() throws {
        let verdict = try judged(.noFalsePass, StepRecord.good().with { $0.denialsDropped = 7 })
        #expect(verdict.status == .pass)
        #expect(verdict.evidence.contains("denials beyond the cap: 7, counted but not listed"))
    }

    @Test("log lines hold no time of day")
    func stableLog() {
        for verdict in Gates.judge(.good(profile: .ci)) {
            for line in verdict.evidence { #expect(!line.contains("2026")) }
        }
    }
}
