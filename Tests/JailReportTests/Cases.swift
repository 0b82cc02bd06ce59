import JailGates
import JailModel
import JailReport
import JailTestSupport
import Testing

/// A run of each kind, with what it is for.
struct ReportCase: Sendable, CustomTestStringConvertible {
    let name: String
    let record: StepRecord
    let verdict: Verdict
    var testDescription: String { name }

    /// The report as JailKit makes it.
    var report: Report {
        let verdicts = Gates.judge(record)
        let verdict = Gates.decide(record, verdicts)
        return Report.make(
            record: record, verdicts: verdicts, verdict: verdict, exitCode: verdict.exitCode, eventCount: 12,
            eventHead: SHA256Value.repeating(0xcd).hex)
    }

    static let pass = ReportCase(name: "pass", record: .good(), verdict: .pass)

    static let childFailed = ReportCase(
        name: "child-failed",
        record: StepRecord.good(profile: .ci).with {
            $0.outcome = .ended(.signaled(11))
            $0.orphansKilled = 2
            $0.changes?.state = .pending
            $0.changes?.publication = .notTried
        }, verdict: .childFailed)

    static let violation = ReportCase(
        name: "violation",
        record: StepRecord.good().with {
            $0.outcome = .ended(.signaled(9))
            $0.command.argv = ["curl", "-sS", "https://example.com/it's here", "a\u{1b}[31mb"]
            $0.command.executable = "/usr/bin/curl"
            $0.denials = [
                Denial(
                    kind: .network, subject: "192.0.2.1:443/tcp", count: 3, rule: "network.mode: none",
                    remedy: "network: {mode: allowlist, allow: [\"192.0.2.1:443\"]}", pid: 4711,
                    executable: "/usr/bin/curl"),
                Denial(
                    kind: .syscall, subject: "mount(\"tmp\u{202e}fs\")", rule: "seccomp: mount", pid: 4712,
                    executable: "/usr/bin/mount"),
            ]
            $0.denialsDropped = 5
            $0.handoffs = [
                TrustHandoff(path: "a/.git/config", handoff: .gitConfig, reason: "sets core.pager"),
                TrustHandoff(path: "Makefile", handoff: .buildScripts, reason: "runs when somebody builds or tests"),
                TrustHandoff(
                    path: ByteString([0x2e, 0x73, 0x73, 0x68, 0x2f, 0xff]) ?? "", handoff: .shellStartup,
                    reason: "is read when a shell or a session starts"),
            ]
            $0.allowedHandoffs = [.shellStartup]
            $0.breaches = [
                BudgetBreach(kind: .memory, limit: 4 << 30, observed: 5 << 30, meter: "cgroup2 memory.events")
            ]
            $0.changes = changeRecord(
                ["Makefile", "a/.git/config"].map { .modified($0, LineCounts(added: 2)) }, .pending, .notTried)
            $0.changes?.violations = [
                ChangeViolation(path: "a/.git/config", reason: "is protected by workspace.protect: a/.git/config")
            ]
            $0.usage.filesChanged = 2
            $0.usage.fileWrites = 2
            $0.usage.denials = 9
            $0.usage.maxRSS = ByteCount(4 << 30)
            $0.usage.wall = .milliseconds(61_234)
        }, verdict: .violation)

    static let refused = ReportCase(
        name: "refused",
        record: StepRecord.good().with {
            $0.outcome = .refused(
                LaunchRefusal(
                    verdict: .invalid, code: .pathEscape,
                    message: "the working directory /etc is outside the workspace",
                    hint: "start in /work/project, or name another workspace with --workspace"))
        }.neverRan(), verdict: .invalid)

    static let unenforceable = ReportCase(
        name: "unenforceable",
        record: StepRecord.good(profile: .prod).with {
            $0.outcome = .refused(
                LaunchRefusal(
                    verdict: .unenforceable, code: .notEnforceable,
                    message: "network_egress needs a network namespace, and this host has no user namespaces",
                    hint: "sysctl kernel.apparmor_restrict_unprivileged_userns=0"))
            $0.host.tier = .t3
        }.neverRan(), verdict: .unenforceable)

    static let degraded = ReportCase(
        name: "degraded",
        record: StepRecord.good().with {
            $0.host.tier = .t3
            $0.areDenialsItemised = false
            $0.enforcement[.hermeticPaths] = EnforcementClaim(
                level: .kernel, mechanisms: ["landlock:7", "seccomp"],
                gaps: ["paths that are not granted exist and can be looked up"])
            $0.enforcement[.networkEgress] = EnforcementClaim(
                level: .kernel, mechanisms: ["landlock:7", "seccomp"], gaps: ["UDP through io_uring is open"])
            $0.workspaceMode = .direct
            $0.changes = nil
            $0.usage.filesChanged = 0
            $0.usage.fileWrites = 0
            $0.usage.bytesWritten = 0
            $0.enforcement[.changeBudget] = EnforcementClaim(
                level: .none, gaps: ["workspace.mode direct: writes reach the workspace uncounted"])
            $0.enforcement[.rollback] = EnforcementClaim(
                level: .none, gaps: ["workspace.mode direct: what was there before is not kept"])
            $0.usage.cpuMeter = "rusage (lower bound)"
            $0.warnings = ["no cgroup is delegated: memory is polled"]
        }, verdict: .pass)

    static let escaped = ReportCase(
        name: "escaped",
        record: StepRecord.good().with {
            $0.canaries[2].errno = 0
            $0.evidenceGaps = ["events.ndjson: no space left on device"]
            $0.interruptedBy = 15
        }, verdict: .internal)

    static let fault = ReportCase(
        name: "fault",
        record: StepRecord.good().with {
            $0.outcome = .failed(
                LaunchFault(step: "clone", errno: 11, message: "resource temporarily unavailable"), started: false)
            $0.command.argv = [ByteString([0x2f, 0xff, 0x25]) ?? "", "x"]
        }.neverRan(), verdict: .internal)

    static let all = [
        pass, childFailed, violation, refused, unenforceable, degraded, escaped, fault, changed, conflict,
    ]
}
