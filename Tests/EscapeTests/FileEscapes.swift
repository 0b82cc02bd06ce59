import Glibc
import RunSupport
import Testing

/// F rows: what the policy does not grant does not exist, or cannot be changed.
@Suite("Escapes: files")
struct FileEscapes {
    static let protected: [Attack] = [
        Attack("F1", "write {work}/.git/hooks/pre-commit"),
        Attack("F1", "write {work}/.git/config"),
        Attack("F1", "openat2-write {work}/.git/config"),
        Attack("F1", "unlink {work}/.git/config"),
        Attack("F1", "rename {work}/file.txt {work}/.git/config"),
        Attack("F1", "symlink-write {work}/.git/hooks/pre-commit {work}/alias"),
        Attack("F2", "rename {work}/.git/hooks {work}/old-hooks"),
        Attack("F6", "write-deep {work}/.agent/settings.json"),
        Attack("F7", "write-deep {work}/.github/workflows/ci.yaml"),
        Attack("F7", "mkdir-deep {work}/.github/workflows"),
        Attack("F8", "rename {work}/.git {work}/.git2"),
        Attack("F8", "exchange {work}/.git {work}/src"),
        Attack("F8", "exchange {work}/src {work}/.git"),
        Attack("F9", "symlink-write {outside}/secret.txt {work}/new-way-out"),
        Attack("F9", "write {work}/way-out"),
        Attack("F9", "write {work}/way-out-dir/secret.txt"),
        Attack("F9", "symlink-read {outside}/secret.txt {work}/new-way-out"),
        Attack("F10", "link-write {outside}/secret.txt {work}/second-name"),
        Attack("F10", "link-write {work}/.git/config {work}/second-name"),
        Attack("F10", "link-write {shown}/file {work}/second-name"),
        Attack("F15", "chmod {shown}/file"),
        Attack("F15", "chmod {work}/.git/config"),
        Attack("F15", "chown {shown}/file"),
        Attack("F15", "utime {shown}/file"),
        Attack("F15", "utime {work}/.git/config"),
        Attack("F15", "setxattr {shown}/file"),
        Attack("F15", "stat {outside}/secret.txt"),
        Attack("F16", "truncate {shown}/file"),
        Attack("F16", "truncate {work}/.git/config"),
        Attack("F16", "unlink {shown}/file"),
        Attack("F16", "rmdir {shown}/empty"),
        Attack("F16", "rename {shown}/file {shown}/other"),
        Attack("F19", "write {work}evil/file"),
        Attack("F19", "read {work}evil/file"),
        Attack("F19", "write {work}/../outside/secret.txt"),
        Attack("F19", "read {work}/../outside/secret.txt"),
        Attack("F19", "read {work}/src/../../outside/secret.txt"),
        Attack("F5", "read {home}/.ssh/id_ed25519"),
        Attack("F5", "list {home}/.ssh"),
        Attack("F26", "read {tmpfile}"),
        Attack("F26", "read {shmfile}"),
        Attack("P29", "list {state}/.."),
    ]

    @Test("paths outside the grant and protected paths", arguments: Attack.applicable(protected))
    func protectedPath(_ attack: Attack) throws { try judge(attack) }

    static let unlisted: [Attack] = [
        Attack("B", "write {work}/fixed/file.txt"),
        Attack("B", "create {work}/new.txt"),
        Attack("B", "unlink {work}/file.txt"),
        Attack("B", "mkdir {work}/new"),
        Attack("B", "rename {work}/fixed {work}/src/fixed"),
        Attack("B", "link-write {work}/fixed/file.txt {work}/src/second-name"),
        Attack("B", "symlink-write {work}/fixed/file.txt {work}/src/alias"),
    ]

    @Test("a write list leaves the rest of the workspace as it is", arguments: unlisted)
    func unlistedPath(_ attack: Attack) throws {
        let scene = try Scene()
        defer { scene.cleanUp() }
        try judge(attack, policy: scene.policy(write: "[\"src\"]"))
    }

    static let untrusted: [Attack] = [
        Attack("J", "write {work}/vendor/repo/file.txt"),
        Attack("J", "create {work}/vendor/repo/new"),
        Attack("J", "exec {work}/vendor/repo/tool"),
        Attack("J", "exec-loader /lib64/ld-linux-x86-64.so.2 {work}/vendor/repo/dynamic"),
        Attack("J", "exec-link {work}/vendor/repo/tool {work}/second-name"),
        Attack("J", "map-exec {work}/vendor/repo/dynamic"),
        Attack("J", "protect-exec {work}/vendor/repo/dynamic"),
        Attack("J", "rename {work}/vendor/repo {work}/trusted"),
        Attack("J", "rename {work}/vendor {work}/trusted"),
    ]

    @Test("untrusted trees may be read and nothing else", arguments: untrusted)
    func untrustedTree(_ attack: Attack) throws { try judge(attack) }

    static let kernelFiles: [Attack] = [
        Attack("F11", "parent-read environ"),
        Attack("F11", "parent-read root/etc/passwd"),
        Attack("F11", "parent-link cwd"),
        Attack("F11", "parent-link exe"),
        Attack("F11", "parent-link fd/0"),
        Attack("F11", "proc-mem parent"),
        Attack("F12", "open-write /proc/sys/kernel/core_pattern", who: .rootOnly),
        Attack("F12", "open-write /proc/sys/vm/drop_caches", who: .rootOnly),
        Attack("F12", "open-write /proc/sys/kernel/ns_last_pid", who: .rootOnly, host: .mayLackIt),
        Attack("F12", "open-write /proc/sysrq-trigger", who: .rootOnly, host: .mayLackIt),
        Attack("F12", "open-write /proc/sys/kernel/modprobe", who: .rootOnly, host: .mayLackIt),
        Attack("F12", "open-write /proc/sys/fs/binfmt_misc/register", who: .rootOnly, host: .mayLackIt),
        Attack("F12", "list /sys/kernel"),
        Attack("F12", "list /sys/class/net"),
        Attack("F13", "list /sys/fs/cgroup"),
        Attack("F13", "cgroup-limit", who: .rootOnly),
        Attack("F14", "mknod-char {work}/device", who: .rootOnly, denial: "mknod"),
        Attack("F14", "mknod-block {work}/device", who: .rootOnly, denial: "mknod"),
        Attack("F14", "mknod-high-bits {work}/device", who: .rootOnly, denial: "mknod"),
        Attack("F14", "file-capability {work}/tool", who: .rootOnly),
        Attack("F17", "open-by-handle {work}/file.txt", who: .rootOnly, denial: "open_by_handle_at"),
        Attack("N28", "list /run"),
        Attack("F14", "read /dev/kmsg", who: .rootOnly, host: .mayLackIt),
        Attack("F14", "list /dev/input", host: .mayLackIt),
        Attack("F14", "open-write /dev/net/tun", host: .mayLackIt),
        Attack("F14", "open-write /dev/fuse", host: .mayLackIt),
    ]

    @Test("the kernel's control files and devices", arguments: Attack.applicable(kernelFiles))
    func kernelFile(_ attack: Attack) throws { try judge(attack) }

    static let mounts: [Attack] = [
        Attack.privileged("F17", "mount-tmpfs", denial: "mount"),
        Attack.privileged("F17", "mount-bind", denial: "mount"),
        Attack.privileged("F17", "mount-proc", denial: "mount"),
        Attack.privileged("F17", "remount", denial: "mount"),
        Attack.privileged("F17", "umount", denial: "umount2"),
        Attack.privileged("F17", "chroot", denial: "chroot"),
        Attack.privileged("F17", "pivot-root", denial: "pivot_root"),
        Attack.privileged("F17", "fsopen", denial: "fsopen"),
        Attack.privileged("F17", "fspick", denial: "fspick"),
        Attack.privileged("F17", "open-tree", denial: "open_tree"),
        Attack.privileged("F17", "move-mount", denial: "move_mount"),
        Attack.privileged("F17", "mount-setattr", denial: "mount_setattr"),
    ]

    @Test("mounts cannot be changed", arguments: mounts)
    func mount(_ attack: Attack) throws { try judge(attack) }

    static let space: [Attack] = [
        Attack("F25", "fill /tmp/ljtest-fill 67108864"),
        Attack("F25", "fill /dev/shm/ljtest-fill 268435456"),
        Attack("F25", "sparse {work}/huge 1099511627776"),
        Attack("F25", "fallocate {work}/huge 3221225472"),
    ]

    @Test("space is bounded", arguments: space)
    func spaceIsBounded(_ attack: Attack) throws { try judge(attack) }

    /// F26: System V and POSIX objects of the host have other names in the jail: none.
    @Test("shared objects of the host do not exist inside", arguments: ["shm", "mq"])
    func sharedObject(_ kind: String) throws {
        let stage = try Stage()
        let random = UInt32.random(in: 1...0x7fff_ffff)
        let name = kind == "shm" ? "\(random)" : "/ljtest-\(random)"
        #expect(try Probe.control([kind + "-make", name], on: stage).outcome == .worked)
        defer { _ = try? Probe.control([kind + "-remove", name], on: stage) }
        #expect(try Probe.control([kind, name], on: stage).outcome == .worked)
        let result = try stage.launch(JailRun([Probe.escape, kind, name]))
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }

    /// F5: dotfiles that the command writes to its home are gone with the jail.
    @Test("the caller's dotfiles stay as they are")
    func dotfiles() throws {
        let scene = try Scene()
        defer { scene.cleanUp() }
        let script = "echo evil >> ~/.bashrc; mkdir -p ~/.ssh; echo evil > ~/.ssh/authorized_keys; true"
        let result = try scene.stage.launch(JailRun(["/bin/sh", "-c", script], policy: scene.policy()))
        #expect(result.hasStarted, "\(result.account)")
        #expect(try Files.text(scene.stage.home + "/.bashrc") == "original\n")
        #expect(try Files.list(scene.stage.home + "/.ssh") == ["id_ed25519"])
    }

    /// F11: nothing of the supervisor's environment or command line can be read from inside.
    @Test("the caller's secrets are in no visible process", arguments: ["environ", "cmdline"])
    func secretsOfOthers(_ file: String) throws {
        let stage = try Stage()
        let token = "token-\(UInt64.random(in: 0...UInt64.max))"
        let other = try RunningProcess(ProcessRequest([Probe.busy, "sleep", "38", token]))
        defer { other.send(SIGKILL) }
        let control = try Probe.control(["find-token", file, token], on: stage, environment: ["SECRET": token])
        #expect(control.outcome == .worked, "\(control.result.out)")
        var run = JailRun([Probe.escape, "find-token", file, token])
        run.environment = ["SECRET": token]
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
    }
}
