import Glibc
import RunSupport
import Testing

/// Attacks that a review found to work once.
///
/// Each is tried outside the jail first, where it must work.
@Suite("Attacks that a review found")
struct ReviewEscapes {
    private func outside(_ script: String, in directory: String) throws -> ProcessResult {
        let request = ProcessRequest(
            ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin", "HOME": directory], directory: directory)
        return try execute(request)
    }

    private func inside(
        _ script: String, on stage: Stage, policy: String? = nil, name: String = "run"
    ) throws -> JailResult {
        var run = JailRun(["/bin/sh", "-c", script], policy: policy ?? Policies.direct())
        run.runName = name
        return try stage.launch(run)
    }

    private func mode(_ path: String) -> mode_t {
        var info = stat()
        return lstat(path, &info) == 0 ? info.st_mode : 0
    }

    @Test("a program that runs as its owner cannot be left behind", arguments: ["4755", "2755", "6755"])
    func setIDBits(bits: String) throws {
        let stage = try Stage()
        try stage.file("control", mode: 0o755)
        try stage.file("attack", mode: 0o755)
        #expect(try outside("chmod \(bits) control", in: stage.workspace).code == 0)
        #expect(mode(stage.work("control")) & 0o6000 != 0)
        let result = try inside("chmod \(bits) attack", on: stage)
        #expect(result.childCode == 1, "\(result.account)")
        #expect(mode(stage.work("attack")) & 0o6000 == 0)
    }

    @Test("nor be made with the bits from the start")
    func setIDAtCreation() throws {
        let stage = try Stage()
        let script = "/usr/bin/python3 -c 'import os,sys; os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o4755)'"
        #expect(try outside(script + " control", in: stage.workspace).code == 0)
        #expect(mode(stage.work("control")) & 0o4000 != 0)
        let result = try inside(script + " attack", on: stage)
        #expect(result.childCode == 1, "\(result.account)")
        #expect(!Files.exists(stage.work("attack")))
    }

    @Test("commondir does not give git another configuration")
    func commondir() throws {
        let stage = try Stage()
        #expect(try outside("git init -q . && git init -q ../control", in: stage.workspace).code == 0)
        let script = "echo ../evil > .git/commondir"
        #expect(try outside("cd ../control && " + script, in: stage.workspace).code == 0)
        var run = JailRun(["/bin/sh", "-c", script], policy: nil)
        run.options = ["--policy", "default"]
        let result = try stage.launch(run)
        #expect(result.childCode != 0, "\(result.account)")
        #expect(!Files.exists(stage.work(".git/commondir")))
    }

    @Test("a git worktree is a workspace, and its .git file stays what it is")
    func worktree() throws {
        let stage = try Stage()
        try stage.file(".git", "gitdir: /nowhere\n")
        var run = JailRun(["/bin/sh", "-c", "echo gitdir: /evil > .git; mv .git x; true"], policy: nil)
        run.options = ["--policy", "default"]
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(try Files.text(stage.work(".git")) == "gitdir: /nowhere\n")
    }

    @Test("what filesystem.hide names in the workspace cannot be read or moved away")
    func hiddenInWorkspace() throws {
        let stage = try Stage()
        try stage.file("secret.env", "key\n")
        try stage.file("locked/inner", "key\n")
        let script = "cat secret.env; cat locked/inner; mv secret.env a && cat a; mv locked b && cat b/inner; true"
        #expect(try outside("cat secret.env locked/inner", in: stage.workspace).out == "key\nkey\n")
        let policy = Policies.direct(
            filesystem: ["hide: [\"\(stage.work("secret.env"))\", \"\(stage.work("locked"))\"]"])
        let result = try inside(script, on: stage, policy: policy)
        #expect(result.hasStarted, "\(result.account)")
        #expect(result.process.out.isEmpty, "\(result.account)")
    }

    @Test("the command cannot hang the report by what it leaves in its own place")
    func replacedExecutable() throws {
        let stage = try Stage()
        try stage.file("tool", "#!/bin/sh\nrm tool; mkfifo tool\n", mode: 0o755)
        let digest = try outside("sha256sum tool | cut -c1-64", in: stage.workspace).out
        var run = JailRun(["./tool"], policy: Policies.direct())
        run.limit = 20
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(result.report?["command"]["sha256"].text.map { $0 + "\n" } == digest)
    }

    @Test("a slow reader gets every byte")
    func slowReader() throws {
        let stage = try Stage()
        let jail = "'\(Environment.launchJail)' run --run-dir '\(stage.state)/slow' -- head -c 3000000 /dev/zero"
        let request = ProcessRequest(
            ["/bin/sh", "-c", "( \(jail) 2>/dev/null ) | ( sleep 3; wc -c )"],
            environment: ["PATH": "/usr/bin:/bin", "HOME": stage.outside, "XDG_STATE_HOME": stage.state],
            directory: stage.workspace)
        #expect(try execute(request).out == "3000000\n")
    }

    @Test("the dynamic loader starts nothing that exec.allow leaves out")
    func loader() throws {
        let stage = try Stage()
        let loader = "/lib64/ld-linux-x86-64.so.2"
        #expect(try outside("\(loader) /usr/bin/id -u", in: stage.workspace).code == 0)
        let policy = Policies.direct(exec: ["workspace: deny", "allow: [/usr/bin/dash]"])
        let result = try inside("\(loader) /usr/bin/id -u", on: stage, policy: policy)
        #expect(result.hasStarted, "\(result.account)")
        #expect(result.process.out.isEmpty, "\(result.account)")
    }

    @Test("memory of memfd_create cannot be mapped executable where the workspace may not execute")
    func memfdMapping() throws {
        let stage = try Stage()
        let script = """
            /usr/bin/python3 -c 'import mmap,os
            fd = os.memfd_create("x", 1)
            os.write(fd, b"x" * 4096)
            mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
            print("mapped")'
            """
        #expect(try outside(script, in: stage.workspace).out == "mapped\n")
        let result = try inside(script, on: stage, policy: Policies.direct(exec: ["workspace: deny"]))
        #expect(result.childCode == 1, "\(result.account)")
        #expect(!result.process.out.contains("mapped"))
    }

    @Test("limits of the jail's init are out of reach")
    func limitsOfInit() throws {
        let stage = try Stage()
        let script = "/usr/bin/python3 -c 'import resource,sys; resource.prlimit(int(sys.argv[1]), 7, (64, 64))'"
        #expect(try outside(script + " $$", in: stage.workspace).code == 0)
        #expect(try inside(script + " 1", on: stage).childCode == 1)
    }

    @Test("without a pid namespace a grandchild daemon neither holds up the run nor survives it")
    func daemonWithoutNamespaces() throws {
        let stage = try Stage()
        let lock = stage.work("lock")
        let script = "( setsid flock lock -c 'sleep 50' & ) ; while flock -n lock true; do :; done; echo ready"
        var run = JailRun(["/bin/sh", "-c", script], policy: Policies.direct(more: ["require: []"]))
        run.wrapper = [Probe.degrade, "no-userns", "--"]
        run.limit = 30
        guard getuid() != 0 else {
            // Root cannot be jailed without namespaces in a workspace of its own: nothing starts (exit 6).
            #expect(try stage.launch(run).code == 6)
            return
        }
        let result = try stage.launch(run)
        #expect(result.process.out == "ready\n", "\(result.account)")
        #expect(result.process.seconds < 20)
        #expect(Lock.becomesFree(lock, within: 3))
    }
}
