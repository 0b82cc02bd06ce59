import Glibc
import JailModel
import Testing

@testable import JailSystem

@Suite("The doctor's judgement")
struct DoctorReportTests {
    /// A host where everything works, changed by a test.
    private func host(
        uid: UInt32 = 1000, _ change: (inout HostSettings) -> Void = { _ in }, failing: [ProbeResult] = []
    )
        -> DoctorReport
    {
        var settings = HostSettings()
        settings.kernel = "6.18.0"
        settings.arch = "x86_64"
        settings.uid = uid
        settings.executable = "/usr/local/bin/launch-jail"
        settings.seccompMode = 0
        settings.cgroup = .v2(directory: "/sys/fs/cgroup/x", controllers: ["memory", "pids"])
        change(&settings)
        let works = ProbeName.allCases.map { ProbeResult($0, value: $0 == .landlockABI ? 7 : 0) }
        return DoctorReport(DoctorFindings(settings: settings, results: works + failing))
    }

    private func claim(_ report: DoctorReport, _ guarantee: Guarantee) throws -> EnforcementClaim {
        guard case .enforced(let claim) = report.guarantees[guarantee] else {
            throw SystemError("judge \(guarantee.rawValue)", errno: ENOENT)
        }
        return claim
    }

    private static let namespaces: [ProbeName] = [
        .userNamespace, .allNamespaces, .tmpfs, .mountAPI, .pivotRoot, .procMount, .overlay, .tmpfsXattr,
        .networkNamespace, .userNamespaceLimit,
    ]

    private static func refused(_ names: [ProbeName], _ code: Int32, _ step: String) -> [ProbeResult] {
        names.map { ProbeResult($0, errno: code, step: step) }
    }

    @Test("bare host: tier T1, everything by the kernel, nothing open, nothing to do")
    func bareHost() throws {
        let report = host()
        #expect(report.tier == .t1)
        for guarantee in [Guarantee.hermeticPaths, .networkEgress, .budgets, .untrustedExec] {
            let claim = try claim(report, guarantee)
            #expect(claim.level == .kernel, "\(guarantee)")
            #expect(claim.gaps.isEmpty, "\(guarantee)")
        }
        #expect(try claim(report, .hermeticPaths).mechanisms.contains("landlock:7"))
        #expect(report.remedies.isEmpty)
        #expect(report.text.contains("Tier T1"))
        #expect(report.text.contains("Nothing to improve."))
    }

    @Test("guarantees of later versions are never claimed")
    func later() {
        let report = host()
        for guarantee in Guarantee.allCases
        where ![.hermeticPaths, .networkEgress, .budgets, .changeBudget, .untrustedExec, .rollback].contains(guarantee)
        {
            guard case .later = report.guarantees[guarantee] else {
                Issue.record("\(guarantee) is claimed")
                continue
            }
            #expect(report.json["guarantees"]?[guarantee.rawValue]?["enforcement"] == "none")
        }
    }

    @Test("Ubuntu 24.04 runner: T3 and the AppArmor profile, the switch, or sudo")
    func ubuntu() throws {
        let report = host(
            { $0.appArmorRestrictsUserNamespaces = 1 },
            failing: Self.refused(Self.namespaces, EPERM, "write /proc/self/uid_map"))
        #expect(report.tier == .t3)
        let remedy = try #require(report.remedies.first)
        #expect(remedy.symptom.contains("write /proc/self/uid_map fails with EPERM"))
        #expect(remedy.steps.contains { $0.contains("/usr/local/bin/launch-jail flags=(unconfined)") })
        #expect(remedy.steps.contains { $0.contains("kernel.apparmor_restrict_unprivileged_userns=0") })
        #expect(remedy.gain == "tier T1")
        #expect(try claim(report, .hermeticPaths).level == .kernel)
        #expect(try !claim(report, .hermeticPaths).gaps.isEmpty)
        #expect(try !claim(report, .untrustedExec).gaps.isEmpty)
        #expect(try claim(report, .networkEgress).mechanisms == ["seccomp:no-sockets"])
    }

    @Test("Docker default: T3 and the security options")
    func docker() throws {
        let report = host(
            uid: 0,
            {
                $0.seccompMode = 2
                $0.cgroup = .none
                $0.maskedProc = ["/proc/kcore", "/proc/sys"]
            },
            failing: Self.refused(Self.namespaces + [.rootNamespaces], EPERM, "unshare(CLONE_NEWUSER)")
                + [
                    ProbeResult(.clone3, errno: ENOSYS, step: "clone3(CLONE_PIDFD)"),
                    ProbeResult(.cgroup, errno: EACCES),
                ])
        #expect(report.tier == .t3)
        let remedy = try #require(report.remedies.first)
        #expect(remedy.symptom.contains("seccomp filter"))
        #expect(remedy.steps.contains { $0.contains("--security-opt seccomp=unconfined") })
        let budgets = try claim(report, .budgets)
        #expect(budgets.level == .supervisor)
        #expect(budgets.mechanisms.contains("perf:task-clock"))
        #expect(report.remedies.contains { $0.steps.contains { $0.contains("Delegate=yes") } })
    }

    @Test("Kubernetes with masked /proc: T2, the masks are named, the open end is said")
    func kubernetes() throws {
        let report = host(
            uid: 0, { $0.maskedProc = ["/proc/kcore", "/proc/keys", "/proc/sys", "/proc/timer_list"] },
            failing: [
                ProbeResult(.procMount, errno: EPERM, step: "mount(proc)"),
                ProbeResult(.userNamespaceLimit, errno: EROFS, step: "write user.max_user_namespaces"),
            ])
        #expect(report.tier == .t2)
        let remedy = try #require(report.remedies.first)
        #expect(remedy.symptom.contains("/proc/kcore"))
        #expect(remedy.steps.contains { $0.contains("hostUsers false") })
        let paths = try claim(report, .hermeticPaths)
        #expect(paths.level == .kernel)
        #expect(paths.gaps.contains { $0.contains("command lines") })
    }

    @Test("gVisor-like, no namespaces and no Landlock: T4, files are not held and nothing pretends so")
    func noLandlock() throws {
        let report = host(
            { $0.cgroup = .none },
            failing: Self.refused(Self.namespaces, EPERM, "unshare(CLONE_NEWUSER)") + [
                ProbeResult(.landlockABI, errno: ENOSYS, step: "landlock_create_ruleset(VERSION)"),
                ProbeResult(.landlockRestrict, errno: ENOSYS, step: "landlock_create_ruleset"),
                ProbeResult(.taskClock, errno: EACCES, step: "perf_event_open"),
                ProbeResult(.cgroup, errno: EACCES),
            ])
        #expect(report.tier == .t4)
        #expect(try claim(report, .hermeticPaths).level == .none)
        #expect(try claim(report, .untrustedExec).level == .none)
        #expect(try claim(report, .networkEgress).level == .kernel)
        #expect(try claim(report, .budgets).gaps.contains { $0.contains("perf") })
        #expect(report.remedies.contains { $0.gain == "tier T3" })
        #expect(report.remedies.contains { $0.steps.contains { $0.contains("perf_event_paranoid=2") } })
    }

    @Test("Landlock that is switched off is another remedy than Landlock that is absent")
    func landlockOff() throws {
        let report = host(failing: [
            ProbeResult(.landlockABI, errno: EOPNOTSUPP, step: "landlock_create_ruleset(VERSION)"),
            ProbeResult(.landlockRestrict, errno: EOPNOTSUPP, step: "landlock_create_ruleset"),
        ])
        #expect(report.tier == .t1)
        #expect(try claim(report, .hermeticPaths).gaps == ["Landlock is absent: mounts are the only wall"])
        #expect(report.remedies.first?.steps.first?.contains("lsm=") == true)
    }

    @Test("an ABI that does not restrict counts as none")
    func landlockWithoutEffect() {
        let report = host(failing: [ProbeResult(.landlockRestrict, errno: EPROTO, step: "x")])
        #expect(report.findings.landlockABI == 0)
    }

    @Test("without a seccomp filter nothing runs and nothing is claimed")
    func noSeccomp() throws {
        let report = host(failing: [ProbeResult(.seccompFilter, errno: EINVAL, step: "seccomp")])
        #expect(report.tier == nil)
        for guarantee in [Guarantee.hermeticPaths, .networkEgress, .budgets, .untrustedExec] {
            #expect(try claim(report, guarantee).level == .none)
        }
        #expect(report.json["tier"] == .null)
        #expect(report.text.contains("refuses to run"))
    }

    @Test(
        "other causes have their own remedies",
        arguments: [
            (ENOSPC, "max_user_namespaces"), (ENOSYS, "Linux 5.12"), (EINVAL, "security module"),
        ] as [(Int32, String)])
    func otherCauses(code: Int32, word: String) throws {
        let report = host(failing: Self.refused(Self.namespaces, code, "unshare(CLONE_NEWUSER)"))
        let remedy = try #require(report.remedies.first)
        #expect(([remedy.cause] + remedy.steps).contains { $0.contains(word) })
    }

    @Test("a listener that is taken is told")
    func listener() throws {
        let report = host(failing: [ProbeResult(.seccompListener, errno: EBUSY, step: "seccomp(NEW_LISTENER)")])
        #expect(report.tier == .t1)
        #expect(report.remedies.first?.cause.contains("listener of its own") == true)
    }

    @Test("equal findings give equal bytes, and every probe is in them")
    func stable() {
        let first = host().json.encoded(.indented)
        #expect(first == host().json.encoded(.indented))
        let text = String(decoding: first, as: UTF8.self)
        for name in ProbeName.allCases { #expect(text.contains("\"\(name.rawValue)\"")) }
    }

    @Test("a step or a path cannot steer the terminal")
    func escapes() {
        let report = host(
            { $0.maskedProc = ["/proc/\u{1b}[2J"] },
            failing: [
                ProbeResult(.procMount, errno: EPERM, step: "mount\u{1b}[31m")
            ])
        #expect(!report.text.utf8.contains(0x1b))
    }
}

@Suite("The doctor on this host", .serialized)
struct DoctorTests {
    @Test("every probe gives an answer with its failed call, and the answers agree with what is known otherwise")
    func examines() throws {
        let directory = try TemporaryDirectory()
        let findings = try Doctor.examine(workspace: directory.path)
        #expect(findings.results.count == ProbeName.allCases.count)
        for result in findings.results.values where !result.isOK {
            #expect(!result.step.isEmpty, "\(result.name)")
            #expect(result.errno != ETIMEDOUT, "\(result.name) hung")
            #expect(result.errno != EPROTO, "\(result.name) had no effect: \(result.step)")
        }
        #expect(findings.works(.taskClock) == TaskClock.isAvailable())
        if findings.works(.landlockABI) {
            #expect(findings.results[.landlockABI]?.value == Int64(HostFactsReader.landlockABI()))
        }
        if findings.settings.cgroup == .none { #expect(!findings.works(.cgroup)) }
        if geteuid() != 0 {
            #expect(!findings.works(.rootNamespaces))
            #expect(!findings.works(.idmappedMount))
        }
        #expect(findings.tier != nil)
    }

    @Test("nothing outlives the examination: mounts, settings, processes")
    func leavesNothing() throws {
        func state() -> [String] {
            ["/proc/self/mountinfo", "/proc/sys/vm/memfd_noexec", "/proc/sys/user/max_user_namespaces"].map {
                (try? Files.readText($0)) ?? ""
            }
        }
        let before = state()
        let namespace = try Files.readLink("/proc/self/ns/user")
        for name in ProbeName.allCases { _ = try Doctor.probe(name, workspace: "/") }
        #expect(state() == before)
        #expect(try Files.readLink("/proc/self/ns/user") == namespace)
        var status: Int32 = 0
        // A child of a probe would be left as a zombie or be running in our process group's children.
        var meter = try ProcessTreeMeter(descendantsOf: getpid())
        for pid in try meter.processes() {
            let name = (try? Files.readText("/proc/\(pid)/comm", limit: 64)) ?? ""
            let parent = waitpid(pid, &status, WNOHANG | WNOWAIT)
            #expect(!(name.hasPrefix("probe") && parent >= 0))
        }
    }

    @Test("the report of this host can be read")
    func reads() throws {
        let report = DoctorReport(try Doctor.examine(workspace: "/"))
        #expect(report.text.contains("What was tried"))
        #expect(report.json["probes"] != nil)
    }
}
