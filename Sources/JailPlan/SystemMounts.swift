import JailModel
import JailPolicy

/// /dev and /proc of the jail.
enum SystemMounts {
    /// Opens the host's device nodes; a user namespace may bind them but not make them (mknod(2)).
    static func openDevices(into builder: inout StepBuilder, facts: HostFacts) -> [(name: String, slot: Slot)] {
        var out: [(String, Slot)] = []
        for name in DeviceNodes.all where facts.paths["/dev/" + name]?.kind == .other {
            let slot = builder.slot()
            builder.add(.openTree(path: "/dev/" + name, slot: slot, identity: nil, optional: false))
            out.append((name, slot))
        }
        return out
    }

    static func device(into builder: inout StepBuilder, nodes: [(name: String, slot: Slot)], shmSize: UInt64) {
        let dev = AbsolutePath(components: ["dev"])
        // 0755: in a 1777 directory O_CREAT on a bound node of another owner is refused (protected_regular).
        builder.tmpfs(at: dev, options: "mode=755,size=64k,nr_inodes=64", [.noSetuid, .noExec])
        for node in nodes {
            builder.attach(
                node.slot, at: dev.appending(node.name), isDirectory: false, [.readOnly, .noSetuid, .noExec],
                keepSlot: node.name == "null")
        }
        for (name, text) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            builder.makeLink(at: dev.appending(name), text: text)
        }
        builder.makeDirectories(to: dev.appending("pts"))
        builder.add(.devpts(target: "dev/pts", options: "newinstance,ptmxmode=0666,mode=620,max=64"))
        builder.cover(dev.appending("pts"), isOurs: false)
        builder.tmpfs(
            at: dev.appending("shm"), options: "mode=1777,size=\(shmSize),nr_inodes=\(max(4096, shmSize / 4096))",
            [.noSetuid, .noDevices, .noExec])
        builder.add(
            .setAttributes(path: "dev", set: [.readOnly, .noSetuid, .noExec], recursive: false))
    }

    /// A fresh /proc of the jail's own pid namespace, or, where the kernel refuses one, the outer one read-only.
    static func proc(into builder: inout StepBuilder, outer: Slot?) {
        let proc = AbsolutePath(components: ["proc"])
        builder.makeDirectories(to: proc)
        if let outer {
            builder.attach(outer, at: proc, isDirectory: true, [.readOnly, .noSetuid, .noDevices, .noExec])
            return
        }
        builder.add(.proc(target: "proc"))
        builder.cover(proc, isOurs: false)
        // ORDER: while this /proc is still writable; afterwards unshare(CLONE_NEWUSER) is ENOSPC for everyone inside.
        builder.add(.write(path: "proc/sys/user/max_user_namespaces", text: "0"))
        builder.add(
            .setAttributes(path: "proc", set: [.readOnly, .noSetuid, .noDevices, .noExec], recursive: false))
    }
}
