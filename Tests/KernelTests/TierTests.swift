import Glibc
import RunSupport
import Testing

/// Poorer hosts: what cannot be enforced is said, and what is required and cannot be enforced is not started.
@Suite("Degraded hosts")
struct TierTests {
    struct Host: Sendable, CustomTestStringConvertible {
        let modes: String
        let tier: String
        /// The guarantees that the kernel cannot enforce there, whole.
        let lost: [String]
        var testDescription: String { modes }
    }

    /// Root's files cannot be lent to a jail without a user namespace, so from root the workspace is another user's,
    /// with launch-jail as root and as that user.
    static let hosts: [Host] = {
        guard Environment.isRoot else {
            return [
                Host(modes: "masked-proc", tier: "T2", lost: []),
                Host(modes: "no-userns", tier: "T3", lost: ["untrusted_exec"]),
                Host(modes: "uidmap-denied", tier: "T3", lost: ["untrusted_exec"]),
                Host(modes: "no-userns,no-landlock", tier: "T4", lost: ["hermetic_paths", "untrusted_exec"]),
            ]
        }
        return [
            Host(modes: "masked-proc", tier: "T2", lost: []),
            Host(modes: "no-userns,no-caps", tier: "T3", lost: ["untrusted_exec"]),
            Host(modes: "no-userns,no-caps,uid=12345", tier: "T3", lost: ["untrusted_exec"]),
            Host(modes: "uidmap-denied,uid=12345", tier: "T3", lost: ["untrusted_exec"]),
            Host(modes: "no-userns,no-landlock,no-caps", tier: "T4", lost: ["hermetic_paths", "untrusted_exec"]),
        ]
    }()

    /// A stage that belongs to the user whom the degraded host gives the command to.
    private func stage(for host: Host) throws -> Stage {
        let stage = try Stage()
        if Environment.isRoot, host.tier != "T2", host.tier != "T1" {
            for path in [stage.scratch.path, stage.workspace, stage.state, stage.home] { chown(path, 12345, 12345) }
        }
        return stage
    }

    private func run(_ host: Host, require: String, command: [String]) throws -> (Stage, JailResult) {
        let stage = try stage(for: host)
        var run = JailRun(command, policy: Policies.direct(more: ["require: \(require)"]))
        run.wrapper = [Probe.degrade, host.modes, "--"]
        return (stage, try stage.launch(run))
    }

    @Test(
        "what is required and cannot be enforced: exit 6, and nothing starts",
        arguments: hosts.filter { !$0.lost.isEmpty })
    func requirementUnmet(_ host: Host) throws {
        for guarantee in host.lost {
            let (stage, result) = try run(
                host, require: "[\(guarantee)]", command: ["/bin/sh", "-c", "echo x > started"])
            #expect(result.code == 6, "\(guarantee): \(result.account)")
            #expect(result.process.err.contains(guarantee), "\(result.account)")
            #expect(!Files.exists(stage.work("started")))
        }
    }

    @Test("with no requirement it runs, and says what is not enforced", arguments: hosts)
    func honest(_ host: Host) throws {
        let (stage, result) = try run(host, require: "[]", command: ["/bin/sh", "-c", "echo x > started; echo out"])
        #expect(result.hasStarted, "\(result.account)")
        #expect(result.report?["host"]["tier"].text == host.tier, "\(result.account)")
        #expect(result.process.out.contains("out"))
        #expect(Files.exists(stage.work("started")))
        for guarantee in host.lost where host.tier == "T4" {
            #expect(result.report?["enforcement"][guarantee].text != "kernel", "\(guarantee): \(result.account)")
        }
    }

    @Test("a masked /proc loses nothing that is required", arguments: hosts.filter { $0.tier == "T2" })
    func maskedProc(_ host: Host) throws {
        let (_, result) = try run(
            host, require: "[hermetic_paths, network_egress, untrusted_exec]", command: ["/bin/true"])
        #expect(result.code == 0, "\(result.account)")
    }

    @Test("root's own workspace is refused where ids cannot be mapped: never host uid 0")
    func rootsWorkspace() throws {
        guard Environment.isRoot else { return }
        let stage = try Stage()
        var run = JailRun(["/bin/sh", "-c", "echo x > started"], policy: Policies.direct(more: ["require: []"]))
        run.wrapper = [Probe.degrade, "no-userns,no-caps", "--"]
        let result = try stage.launch(run)
        #expect(result.code == 6, "\(result.account)")
        #expect(!Files.exists(stage.work("started")))
    }

    /// The loader opens the program itself, so Landlock's EXECUTE does not see it: only noexec mounts stop that.
    @Test("what a tier cannot stop it does not claim", arguments: hosts)
    func honestExecution(_ host: Host) throws {
        let stage = try stage(for: host)
        try Files.makeDirectory(stage.work("vendor/repo"))
        try Files.copy("/usr/bin/true", to: stage.work("vendor/repo/dynamic"))
        var run = JailRun(
            [Probe.escape, "exec-loader", "/lib64/ld-linux-x86-64.so.2", stage.work("vendor/repo/dynamic")],
            policy: Policies.direct(workspace: ["untrusted: [\"vendor/repo\"]"], more: ["require: []"]))
        run.wrapper = [Probe.degrade, host.modes, "--"]
        let result = try stage.launch(run)
        #expect(result.hasStarted, "\(result.account)")
        let gate = result.gate("gate_r_untrusted_code_policy")
        if Probe.outcome(result) == .worked {
            #expect(gate["enforcement"].text != "kernel" || gate["status"].text != "pass", "\(gate)")
        }
    }

    @Test("without Landlock the mounts still hold")
    func noLandlock() throws {
        let (_, result) = try run(
            Host(modes: "no-landlock", tier: "T1", lost: []), require: "[hermetic_paths]", command: ["/bin/true"])
        #expect(result.code == 0 || result.code == 6, "\(result.account)")
        if result.code == 0 { #expect(result.report?["host"]["landlock_abi"].int == 0) }
    }

    @Test("with notifications owned by an outer runtime denials are refused and not itemised, and the report says so")
    func listenerBusy() throws {
        let (_, result) = try run(
            Host(modes: "listener-busy", tier: "T1", lost: []), require: "[hermetic_paths]",
            command: [Probe.escape, "userns"])
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        #expect(result.report != nil)
    }

    @Test("no seccomp at all is never silent")
    func noSeccomp() throws {
        let (_, result) = try run(
            Host(modes: "no-seccomp", tier: "T1", lost: []), require: "[hermetic_paths, untrusted_exec]",
            command: ["/bin/true"])
        #expect(result.code == 6 || result.code == 5, "\(result.account)")
    }

    /// T3 and T4: without a pid namespace the supervisor itself must find and kill what is left.
    @Test("no survivor without a pid namespace", arguments: hosts.filter { $0.tier == "T3" || $0.tier == "T4" })
    func noSurvivors(_ host: Host) throws {
        let stage = try stage(for: host)
        let lock = stage.work("lock")
        var run = JailRun([Probe.escape, "daemon", lock], policy: Policies.direct(more: ["require: []"]))
        run.wrapper = [Probe.degrade, host.modes, "--"]
        let result = try stage.launch(run)
        #expect(result.hasStarted, "\(result.account)")
        #expect(Files.exists(lock), "\(result.account)")
        #expect(Lock.isFree(lock), "the daemon outlived its run")
    }

    /// What must hold without namespaces: Landlock and seccomp.
    @Test(
        "attacks that Landlock and seccomp stop alone",
        arguments: hosts.filter { $0.tier == "T3" },
        ["write {outside}/new", "read {outside}/secret", "ptrace parent", "tcp", "userns", "keyctl"])
    func wallsThatStand(_ host: Host, _ attack: String) throws {
        let stage = try stage(for: host)
        try stage.scratch.file("outside/secret")
        chmod(stage.outside, 0o777)
        let listener = try Listener(.tcp4("127.0.0.1"))
        var words = attack.split(separator: " ").map {
            $0.split(separator: "{outside}", omittingEmptySubsequences: false).joined(separator: stage.outside)
        }
        if words == ["tcp"] { words += ["127.0.0.1", "\(listener.port)"] }
        var run = JailRun([Probe.escape] + words, policy: Policies.direct(more: ["require: []"]))
        run.wrapper = [Probe.degrade, host.modes, "--"]
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        #expect(listener.contacts == 0)
    }

    @Test("doctor tells the tier and a remedy", arguments: hosts)
    func doctor(_ host: Host) throws {
        let stage = try Stage()
        let result = try execute(
            ProcessRequest(
                [Probe.degrade, host.modes, "--", Environment.launchJail, "doctor", "--json"],
                environment: ["PATH": "/usr/bin:/bin", "HOME": stage.home], directory: "/"))
        let json = try JSON(parsing: result.stdout)
        #expect(json["tier"].text == host.tier, "\(result.out) \(result.err)")
        if host.tier != "T1" { #expect(result.out.contains("remed"), "\(result.out)") }
    }

    @Test("doctor on the host as it is")
    func doctorHere() throws {
        let stage = try Stage()
        let json = try JSON(parsing: try stage.tool(["doctor", "--json"]).stdout)
        #expect(json["tier"].text == "T1", "\(json)")
        let text = try stage.tool(["doctor"])
        #expect(text.out.contains("T1"), "\(text.out) \(text.err)")
    }
}
