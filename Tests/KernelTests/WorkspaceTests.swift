import Glibc
import RunSupport
import Testing

/// What the command sees and may change.
@Suite("Workspace and file system")
struct WorkspaceTests {
    private func shell(_ script: String, policy: String, on stage: Stage, name: String = "run") throws -> JailResult {
        var run = JailRun(["/bin/sh", "-c", script], policy: policy)
        run.runName = name
        return try stage.launch(run)
    }

    @Test("direct: writes arrive, with the caller's ownership")
    func direct() throws {
        let stage = try Stage()
        try stage.file("old.txt")
        let script = "echo changed > old.txt; mkdir -p new/deep; echo made > new/deep/file; mv old.txt moved.txt; id -u"
        let result = try shell(script, policy: Policies.direct(), on: stage)
        #expect(result.code == 0, "\(result.account)")
        #expect(try Files.text(stage.work("moved.txt")) == "changed\n")
        #expect(try Files.text(stage.work("new/deep/file")) == "made\n")
        #expect(result.process.out == "\(getuid())\n")
        for name in ["moved.txt", "new", "new/deep/file"] {
            let owner = try Files.owner(stage.work(name))
            #expect(owner.uid == getuid() && owner.gid == getgid(), "\(name): \(owner)")
        }
    }

    @Test("started as root the command is not the host's root, and has no capability")
    func notHostRoot() throws {
        let stage = try Stage()
        let result = try shell("cat /proc/self/status", policy: Policies.direct(), on: stage)
        #expect(result.code == 0, "\(result.account)")
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(result.process.out.contains("\(set):\t0000000000000000"), "\(result.process.out)")
        }
        #expect(result.process.out.contains("NoNewPrivs:\t1"))
        #expect(result.process.out.contains("Seccomp:\t2"))
    }

    @Test("readonly: the workspace can be read and not changed")
    func readonly() throws {
        let stage = try Stage()
        try stage.file("file")
        let script = "cat file; echo x > file || echo refused; touch new || echo refused; echo t > /tmp/t && cat /tmp/t"
        let result = try shell(script, policy: Policies.direct(mode: "readonly"), on: stage)
        #expect(result.process.out == "original\nrefused\nrefused\nt\n", "\(result.account)")
        #expect(try Files.list(stage.workspace) == ["file"])
    }

    @Test("a write list grants the subtree and the file it names, and what is not there yet")
    func writeList() throws {
        let stage = try Stage()
        try stage.file("src/a.c")
        try stage.file("docs/b.md")
        try stage.file("README")
        let policy = Policies.direct(write: "[\"src\", \"README\", \"out/\"]")
        let script = """
            echo 1 >> src/a.c && echo 1 > src/new.c && echo 1 >> README || echo failed
            echo 1 >> docs/b.md || echo refused-docs
            echo 1 > other.txt || echo refused-root
            echo 1 > out/file && echo made-out
            """
        let result = try shell(script, policy: policy, on: stage)
        #expect(result.process.out == "refused-docs\nrefused-root\nmade-out\n", "\(result.account)")
        #expect(try Files.text(stage.work("src/a.c")) == "original\n1\n")
        #expect(try Files.text(stage.work("docs/b.md")) == "original\n")
        #expect(!Files.exists(stage.work("other.txt")))
    }

    @Test("protected paths stay, those that do not exist yet too, and nothing is left in their place")
    func protected() throws {
        let stage = try Stage()
        try stage.file("a/kept.txt")
        let policy = Policies.direct(workspace: ["protect: [\"a/kept.txt\", \"b/c/absent\", \"absent.yaml\"]"])
        let script = """
            echo evil > a/kept.txt || echo 1
            mkdir -p b/c/absent && echo evil > b/c/absent/file || echo 2
            echo evil > absent.yaml || echo 3
            mv a a2 || echo 4
            rm -rf a/kept.txt || echo 5
            echo fine > a/other.txt && echo 6
            """
        let result = try shell(script, policy: policy, on: stage)
        #expect(result.process.out == "1\n2\n3\n4\n5\n6\n", "\(result.account)")
        #expect(try Files.text(stage.work("a/kept.txt")) == "original\n")
        #expect(try Files.text(stage.work("a/other.txt")) == "fine\n")
        #expect(!Files.exists(stage.work("absent.yaml")), "a place holder was left behind")
        #expect(!Files.exists(stage.work("b/c/absent/file")))
        #expect(!Files.exists(stage.work("b/c/absent")), "a place holder was left behind")
    }

    @Test("direct: scratch paths are refused, not ignored", arguments: ["direct", "readonly"])
    func scratch(_ mode: String) throws {
        let stage = try Stage()
        try stage.file(".build/kept", "host\n")
        let policy = Policies.direct(mode: mode, workspace: ["scratch: [\".build\"]"])
        let result = try shell("echo x > .build/made", policy: policy, on: stage)
        #expect(result.code == 6, "\(result.account)")
        #expect(try Files.list(stage.work(".build")) == ["kept"])
    }

    @Test("untrusted trees can be read, and neither changed nor executed from")
    func untrusted() throws {
        let stage = try Stage()
        try stage.file("vendor/repo/tool", "#!/bin/sh\necho ran\n", mode: 0o755)
        let policy = Policies.direct(workspace: ["untrusted: [\"vendor/repo\"]"])
        let script =
            "head -1 vendor/repo/tool; vendor/repo/tool || echo refused; echo x > vendor/repo/new || echo refused"
        let result = try shell(script, policy: policy, on: stage)
        #expect(result.process.out == "#!/bin/sh\nrefused\nrefused\n", "\(result.account)")
        #expect(result.gate("gate_r_untrusted_code_policy")["enforcement"].text == "kernel")
    }

    @Test("exec.workspace: allow runs files of the workspace, deny does not")
    func execWorkspace() throws {
        let stage = try Stage()
        try stage.file("tool", "#!/bin/sh\necho ran\n", mode: 0o755)
        let allowed = try shell("./tool", policy: Policies.direct(), on: stage)
        #expect(allowed.process.out == "ran\n", "\(allowed.account)")
        let denied = try shell(
            "./tool || echo refused", policy: Policies.direct(exec: ["workspace: deny"]), on: stage,
            name: "run2")
        #expect(denied.process.out == "refused\n", "\(denied.account)")
    }

    @Test("an exec list lets exactly its programs run")
    func execList() throws {
        let stage = try Stage()
        let allow = "allow: [\"/bin/sh\", \"/usr/bin/dash\", \"/usr/bin/head\", \"/usr/lib/**\", \"/lib64/**\"]"
        let policy = Policies.direct(exec: ["workspace: deny", allow])
        let result = try shell("echo a | head -1; tail -1 /etc/hostname || echo refused", policy: policy, on: stage)
        #expect(result.process.out == "a\nrefused\n", "\(result.account)")
    }

    @Test("only what the policy grants exists")
    func visible() throws {
        let stage = try Stage()
        let result = try shell(
            "ls -A /; ls -A /home /root /sys /run /var 2>&1 | head; ls /dev", policy: Policies.direct(), on: stage)
        let lines = Set(result.process.out.split(separator: "\n").map(String.init))
        for hidden in ["boot", "sys", "run", "srv", "mnt", "media", "opt"] {
            #expect(!lines.contains(hidden), "/\(hidden) exists: \(result.process.out)")
        }
        for shown in ["usr", "bin", "etc", "proc", "dev", "tmp"] {
            #expect(lines.contains(shown), "/\(shown) is missing: \(result.process.out)")
        }
        for device in ["null", "zero", "full", "random", "urandom", "ptmx", "pts", "shm", "fd"] {
            #expect(lines.contains(device), "/dev/\(device) is missing: \(result.process.out)")
        }
        #expect(!lines.contains("kmsg") && !lines.contains("mem") && !lines.contains("vda"))
    }

    @Test("hidden files below a granted tree cannot be read")
    func hide() throws {
        let stage = try Stage()
        let shown = try stage.scratch.directory("shown")
        try stage.scratch.file("shown/public", "public\n")
        try stage.scratch.file("shown/private", "private\n")
        try stage.scratch.file("shown/keys/id", "private\n")
        let policy = Policies.direct(filesystem: ["hide: [\"\(shown)/private\", \"\(shown)/keys\"]"], read: [shown])
        let script = "cat \(shown)/public; cat \(shown)/private; cat \(shown)/keys/id; ls \(shown)/keys"
        let result = try shell(script, policy: policy, on: stage)
        #expect(result.process.out == "public\n", "\(result.account)")
    }

    @Test("the default hides /etc/shadow")
    func hidesShadow() throws {
        let stage = try Stage()
        let result = try shell("cat /etc/shadow; wc -l < /etc/passwd", policy: Policies.direct(), on: stage)
        #expect(!result.process.out.contains(":"), "\(result.process.out)")
    }

    @Test("filesystem.write writes through and is noexec")
    func writeOutside() throws {
        let stage = try Stage()
        let cache = try stage.scratch.directory("cache")
        let policy = Policies.direct(filesystem: ["write: [\"\(cache)\"]"])
        let script =
            "printf '#!/bin/sh\\necho ran\\n' > \(cache)/tool && chmod +x \(cache)/tool; \(cache)/tool || echo refused"
        let result = try shell(script, policy: policy, on: stage)
        #expect(result.process.out == "refused\n", "\(result.account)")
        #expect(Files.exists(cache + "/tool"))
    }

    @Test("submounts of a granted tree are read-only too")
    func submounts() throws {
        let stage = try Stage()
        // Every host has one below /dev or /proc; here the point is a write to any mount but the granted ones.
        let script = "awk '{print $2, $4}' /proc/mounts"
        let result = try shell(script, policy: Policies.direct(), on: stage)
        for line in result.process.out.split(separator: "\n") {
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count == 2 else { continue }
            let options = Set(parts[1].split(separator: ",").map(String.init))
            if parts[0] == stage.workspace || parts[0].hasPrefix(stage.workspace + "/") { continue }
            #expect(options.contains("nosuid"), "\(line)")
            let isWritable = options.contains("rw")
            if isWritable { #expect(options.contains("noexec") || parts[0] == "/dev/pts", "\(line)") }
            if ["/usr", "/bin", "/etc", "/lib"].contains(where: { parts[0].hasPrefix($0) }) {
                #expect(!isWritable, "\(line)")
            }
        }
    }

    @Test("--cwd inside the workspace is where the command starts")
    func workingDirectory() throws {
        let stage = try Stage()
        try stage.scratch.directory("work/a/b")
        for path in [stage.work("a/b"), "a/b", "a/./b/"] {
            var run = JailRun(["/bin/pwd"])
            run.options = ["--cwd", path]
            run.runName = "run" + "\(path.utf8.count)"
            let result = try stage.launch(run)
            #expect(result.process.out == stage.work("a/b") + "\n", "\(path): \(result.account)")
            #expect(result.report?["command"]["cwd"].text == stage.work("a/b"))
        }
    }

    @Test("started below the workspace, the command starts there too")
    func startedBelow() throws {
        let stage = try Stage()
        try stage.scratch.directory("work/sub")
        var run = JailRun(["/bin/pwd"])
        run.directory = stage.work("sub")
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(result.process.out.hasPrefix(stage.workspace), "\(result.account)")
    }

    @Test("the environment is the list's: pass, set and --env")
    func environment() throws {
        let stage = try Stage()
        let policy = Policies.direct(more: ["env:", "  pass: [LANG, KEPT]", "  set: {FIXED: \"a b\"}"])
        var run = JailRun(["/usr/bin/env"], policy: policy)
        run.environment = ["KEPT": "yes", "DROPPED": "no", "FROM_CALLER": "caller"]
        run.options = ["--env", "GIVEN=1=2", "--env", "FROM_CALLER"]
        let result = try stage.launch(run)
        let lines = Set(result.process.out.split(separator: "\n").map(String.init))
        #expect(
            lines.isSuperset(of: ["KEPT=yes", "FIXED=a b", "GIVEN=1=2", "FROM_CALLER=caller"]), "\(result.account)")
        #expect(!result.process.out.contains("DROPPED"))
        let names = Set(lines.compactMap { $0.split(separator: "=").first.map(String.init) })
        #expect(names.isSuperset(of: ["PATH", "HOME"]), "\(names)")
        #expect(!names.contains("XDG_STATE_HOME"), "\(names)")
    }

    @Test("network: none has a loopback of its own, and no other interface")
    func loopback() throws {
        let stage = try Stage()
        let script = """
            import socket
            s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname())
            c.sendall(b"x"); print(s.accept()[0].recv(1)); print([n for _, n in socket.if_nameindex()])
            """
        let result = try stage.launch(JailRun(["/usr/bin/python3", "-c", script]))
        #expect(result.process.out == "b'x'\n['lo']\n", "\(result.account)")
        #expect(result.gate("gate_n_network_allowlist")["status"].text == "pass")
        #expect(result.gate("gate_n_network_allowlist")["enforcement"].text == "kernel")
    }

    @Test("network: host reaches the host and is reported as not enforced")
    func hostNetwork() throws {
        let stage = try Stage()
        let listener = try Listener(.tcp4("127.0.0.1"))
        let policy = Policies.direct(more: ["network: {mode: host}", "require: []"])
        let result = try stage.launch(JailRun([Probe.escape, "tcp", "127.0.0.1", "\(listener.port)"], policy: policy))
        #expect(result.childCode == 0, "\(result.account)")
        #expect(listener.contacts == 1)
        #expect(result.gate("gate_n_network_allowlist")["enforcement"].text == "none", "\(result.account)")
    }
}
