import Glibc
import RunSupport
import Testing

/// P rows: other processes, privileges, namespaces, and calls that a command has no use for.
@Suite("Escapes: processes and system calls")
struct ProcessEscapes {
    static let others: [Attack] = [
        Attack("P4", "ptrace parent", denial: "ptrace"),
        Attack("P4", "ptrace {pid}", denial: "ptrace"),
        Attack("P4", "ptrace-child", denial: "ptrace"),
        Attack("P4", "ptrace-traceme", denial: "ptrace"),
        Attack("P4", "vm-read parent", denial: "process_vm_readv"),
        Attack("P4", "vm-read {pid}"),
        Attack("P4", "vm-write parent", denial: "process_vm_writev"),
        Attack("P4", "proc-mem {pid}"),
        Attack("P4", "pidfd-getfd parent", denial: "pidfd_getfd"),
        Attack("P4", "kcmp parent", denial: "kcmp"),
        Attack("P5", "undumpable-ptrace", denial: "ptrace"),
        Attack("P6", "kill {pid}"),
        Attack("P6", "tgkill {pid}"),
        Attack("P6", "kill-group {pid}"),
        Attack("P6", "pidfd-signal {pid}"),
        Attack("P6", "setown {pid}"),
        Attack("P6", "affinity {pid}"),
        Attack("P6", "priority {pid}"),
        Attack("P6", "prlimit {pid}"),
    ]

    @Test("processes outside cannot be read, steered or signalled", arguments: others)
    func otherProcess(_ attack: Attack) throws { try judge(attack) }

    /// P6: what the command sends to pid 1 does not end the jail.
    @Test("the jail's init survives its command's signals")
    func initSurvives() throws {
        let stage = try Stage()
        let result = try stage.launch(JailRun([Probe.escape, "kill-init"]))
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }

    static let privileges: [Attack] = [
        Attack("P10", "userns", denial: "unshare"),
        Attack("P10", "unshare-all", denial: "unshare"),
        Attack("P10", "clone-userns", denial: "clone"),
        Attack("P10", "nested-mount", denial: "unshare"),
        Attack("P10", "setns-parent user", denial: nil),
        Attack("P10", "setns-parent net", who: .rootOnly),
        Attack("P10", "setns-parent mnt", who: .rootOnly),
        Attack.privileged("P10", "setns", denial: "setns"),
        Attack("P11", "clone3-userns"),
        Attack("P13", "clone-userns-high-bits", denial: "clone"),
        Attack("P14", "seccomp-listener"),
        Attack("P16", "keyctl", denial: "keyctl"),
        Attack("P16", "keyctl-to-parent", denial: "keyctl"),
        Attack("P16", "add-key", denial: "add_key"),
        Attack("P16", "request-key", denial: "request_key"),
        Attack("P20", "gain-privileges"),
        Attack("P26", "unshare-time", denial: "unshare"),
        Attack("P31", "core-dump"),
        Attack("P34", "capabilities"),
    ]

    @Test("no privileges, and no way to new ones", arguments: Attack.applicable(privileges))
    func privilege(_ attack: Attack) throws { try judge(attack) }

    static let calls: [Attack] =
        [
            Attack("P12", "int80"),
            Attack("P12", "int80-socket"),
            Attack("P12", "x32", host: .mayLackIt),
            Attack("P13", "personality-high-bits", denial: "personality"),
            Attack("P19", "personality", denial: "personality"),
            Attack("P19", "bpf", who: .rootOnly, denial: "bpf"),
            Attack("P19", "userfaultfd", denial: "userfaultfd"),
            Attack("P19", "perf"),
            Attack("P19", "vmsplice"),
            Attack("P19", "unknown-syscall 480", host: .mayLackIt),
        ]
        + harmless.map { Attack("P19", "syscall \($0)") }
        + rootOnly.map { Attack("P19", "syscall \($0)", who: .rootOnly) }
        + rare.map { Attack("P19", "syscall \($0)", host: .mayLackIt) }

    /// Calls that anybody can make without a jail, here with arguments that cannot do harm.
    private static let harmless = [
        "quotactl", "settimeofday", "clock_settime", "mbind", "set_mempolicy", "move_pages", "modify_ldt", "setns",
        "process_madvise", "pidfd_getfd", "kcmp", "keyctl",
    ]
    private static let rootOnly = [
        "reboot", "swapon", "swapoff", "acct", "syslog", "sethostname", "setdomainname", "fanotify_init",
        "open_by_handle_at", "migrate_pages", "fsconfig", "fsmount",
    ]
    /// Not in every kernel.
    private static let rare = ["init_module", "finit_module", "delete_module", "kexec_load", "iopl", "ioperm"]

    @Test("system calls that no command needs", arguments: Attack.applicable(calls))
    func systemCall(_ attack: Attack) throws { try judge(attack) }

    static let execution: [Attack] = [
        Attack("P17", "exec-memfd /usr/bin/true"),
        Attack("P17", "exec-memfd-at /usr/bin/true"),
        Attack("P18", "exec {work}/tool"),
        Attack("P18", "exec {work}/dynamic"),
        Attack("P18", "exec {work}/script"),
        Attack("P18", "exec-loader /lib64/ld-linux-x86-64.so.2 {work}/dynamic"),
        Attack("P18", "map-exec {work}/dynamic"),
        Attack("P18", "protect-exec {work}/dynamic"),
        Attack("P18", "exec-copy /usr/bin/true {work}/copied"),
        Attack("P18", "exec-copy /usr/bin/true /tmp/ljtest-copied"),
        Attack("P18", "exec-copy /usr/bin/true /dev/shm/ljtest-copied"),
        Attack("P18", "exec-copy-loader /lib64/ld-linux-x86-64.so.2 /usr/bin/true {work}/copied"),
        Attack("P18", "exec-copy-loader /lib64/ld-linux-x86-64.so.2 /usr/bin/true /tmp/ljtest-copied2"),
        Attack("P18", "exec-link {work}/tool {work}/second-name"),
        Attack("P18", "exec /proc/self/root/{work}/tool"),
    ]

    @Test("with exec.workspace: deny nothing that can be written can be run", arguments: execution)
    func writableCode(_ attack: Attack) throws {
        let scene = try Scene()
        defer { scene.cleanUp() }
        try judge(attack, policy: scene.policy(exec: ["workspace: deny"]))
    }

    static let listed: [Attack] = [
        Attack("P18", "exec /usr/bin/id"),
        Attack("P18", "exec /proc/self/root/usr/bin/id"),
        Attack("P18", "exec-link {work}/tool {work}/second-name"),
        Attack("P18", "exec-copy /usr/bin/true {work}/copied"),
        Attack("P18", "symlink-exec /usr/bin/id {work}/alias"),
    ]

    @Test("with an exec list nothing else runs", arguments: listed)
    func unlistedProgram(_ attack: Attack) throws {
        let scene = try Scene()
        defer { scene.cleanUp() }
        let allowed = [Probe.escape, "/usr/bin/true", "/lib64/ld-linux-x86-64.so.2"].map { "\"\($0)\"" }
        let policy = scene.policy(
            exec: ["workspace: deny", "allow: [\(allowed.joined(separator: ", "))]"])
        try judge(attack, policy: policy)
        // The list is not simply "nothing".
        let run = JailRun([Probe.escape, "exec", "/usr/bin/true"], policy: policy)
        let result = try scene.stage.launch(run)
        #expect(Probe.outcome(result) == .worked, "\(result.account)")
    }

    /// P20: a set-user-id program runs as the caller.
    ///
    /// The program is prepared by root, see scripts/test.sh.
    @Test("set-user-id bits do not count")
    func setUserID() throws {
        let stage = try Stage()
        guard let program = Environment.value("LAUNCH_JAIL_SUID_PROBE"), !program.isEmpty else {
            // Without root nobody can make one; a program of the system takes its place.
            #expect(!Environment.isRoot, "LAUNCH_JAIL_SUID_PROBE is not set")
            return try systemSetUserID()
        }
        let control = try Probe.control(["exec-set-user-id", program], on: stage, wrapper: Self.asUser)
        #expect(control.outcome == .worked, "\(control.result.out)")
        let directory = program.split(separator: "/").dropLast().joined(separator: "/")
        let policy = Policies.direct(read: ["/" + directory])
        let result = try stage.launch(JailRun([Probe.escape, "exec-set-user-id", program], policy: policy))
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }

    private static let asUser =
        Environment.isRoot ? ["/usr/bin/setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"] : []

    /// P20 again, with a set-user-id program that every system has: the loader tells only where the bit does not count
    /// what the kernel told it (ld.so(8), secure-execution mode).
    @Test("set-user-id bits of the system's programs do not count")
    func systemSetUserID() throws {
        let stage = try Stage()
        let found = ["/usr/bin/su", "/bin/su", "/usr/bin/mount", "/bin/mount"].first { path in
            var info = stat()
            return stat(path, &info) == 0 && info.st_mode & S_ISUID != 0 && info.st_uid == 0
        }
        guard let program = found else { throw MissingHere("no set-user-id program of root") }
        let words = ["/usr/bin/env", "LD_SHOW_AUXV=1", program, "--version"]
        let control = try execute(ProcessRequest(Self.asUser + words, environment: ["PATH": "/usr/bin:/bin"]))
        #expect(control.code == 0 && !control.out.contains("AT_SECURE"), "\(control.out)")
        let result = try stage.launch(JailRun(words))
        #expect(result.code == 0, "\(result.account)")
        let lines = result.process.out.split(separator: "\n").filter { $0.hasPrefix("AT_SECURE:") }
        #expect(lines.map { $0.last } == ["0"], "\(result.account)")
    }

    /// P22: what would make an allowed program run other code does not arrive.
    @Test("no variable outside the list arrives")
    func environment() throws {
        let stage = try Stage()
        let names = [
            "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "NODE_OPTIONS", "PYTHONPATH", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT",
            "RUBYOPT", "BASH_ENV", "ENV", "PAGER", "EDITOR", "GCONV_PATH", "LD_LIBRARY_PATH", "LD_BIND_NOW",
            "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "DISPLAY",
            "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "http_proxy", "PROMPT_COMMAND",
        ]
        let values = Dictionary(uniqueKeysWithValues: names.map { ($0, "/nowhere") })
        #expect(try Probe.control(["env-has"] + names, on: stage, environment: values).outcome == .worked)
        var run = JailRun([Probe.escape, "env-has"] + names)
        run.environment = values
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }

    /// P23: words that look like options belong to the command.
    @Test("the command's words are never options of launch-jail")
    func argumentInjection() throws {
        let stage = try Stage()
        let words = ["--policy", "none", "--write", "/", "--", "-x", "--help", "--allow-host=example.com"]
        let result = try stage.launch(JailRun(["/bin/echo"] + words))
        #expect(result.code == 0, "\(result.account)")
        #expect(result.process.out == words.joined(separator: " ") + "\n")
        #expect(result.report?["command"]["argv"].items.compactMap(\.text) == ["/bin/echo"] + words)
    }
}
