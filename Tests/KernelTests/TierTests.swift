import Glibc
import RunSupport
import Testing

/// Poorer hosts: what cannot be enforced is said, and what is required and cannot be enforced is not started.
@Suite("Degraded hosts")
struct TierTests {
    struct Host: Sendable, CustomTestStringConvertible {
        let modes: String
        let tier: String
        /// The guarantees that the kernel cannot enforce there.
        let lost: [String]
        var testDescription: String { modes }
    }

    static let hosts: [Host] = {
        var all = [
            Host(modes: "masked-proc", tier: "T2", lost: []),
            Host(modes: "no-userns", tier: "T3", lost: ["network_egress"]),
            Host(modes: "uidmap-denied", tier: "T3", lost: ["network_egress"]),
            Host(
                modes: "no-userns,no-landlock", tier: "T4",
                lost: ["network_egress", "hermetic_paths", "untrusted_exec"]),
        ]
        if Environment.isRoot {
            // As root a mount namespace needs no user namespace; the engine's root has no capability for it either.
            all = all.map { Host(modes: $0.modes + ",no-caps", tier: $0.tier, lost: $0.lost) }
            all[0] = Host(modes: "masked-proc", tier: "T2", lost: [])
            all += [
                Host(modes: "no-userns,no-caps,uid=12345", tier: "T3", lost: ["network_egress"])
            ]
        }
        return all
    }()

    private func run(_ host: Host, require: String, command: [String]) throws -> (Stage, JailResult) {
        let stage = try Stage()
        // The degraded user may be another one than the test's.
        if host.modes.contains("uid=") {
            for path in [stage.workspace, stage.state, stage.home] { chmod(path, 0o777) }
        }
        var run = JailRun(
            command, policy: Policies.direct(more: ["require: \(require)", "network: {mode: none}"]))
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
        for guarantee in host.lost {
            #expect(result.report?["enforcement"][guarantee].text != "kernel", "\(guarantee): \(result.account)")
        }
    }

    @Test("a masked /proc loses nothing that is required", arguments: hosts.filter { $0.tier == "T2" })
    func maskedProc(_ host: Host) throws {
        let (_, result) = try run(
            host, require: "[hermetic_paths, network_egress, untrusted_exec]", command: ["/bin/true"])
        #expect(result.code == 0, "\(result.account)")
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
        let stage = try Stage()
        if host.modes.contains("uid=") {
            for path in [stage.workspace, stage.state, stage.home] { chmod(path, 0o777) }
        }
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
        ["write {outside}/new", "read {outside}/secret", "ptrace parent", "tcp", "userns", "capabilities", "keyctl"])
    func wallsThatStand(_ host: Host, _ attack: String) throws {
        let stage = try Stage()
        try stage.scratch.file("outside/secret")
        chmod(stage.outside, 0o777)
        if host.modes.contains("uid=") {
            for path in [stage.workspace, stage.state, stage.home] { chmod(path, 0o777) }
        }
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
