/// Builds the rules of the `agent` profile (docs/decisions/004-seccomp-profile.md).
struct SyscallProfile {
    private(set) var rules: [SyscallFilter.SyscallRule] = []
    let hasListener: Bool

    static let EPERM: Int32 = 1
    static let EACCES: Int32 = 13
    static let ENOSYS: Int32 = 38
    static let EAFNOSUPPORT: Int32 = 97
    static let EPROTONOSUPPORT: Int32 = 93
    static let ENOTTY: Int32 = 25

    init(hasListener: Bool) {
        self.hasListener = hasListener
        addNamespaces()
        addKernelSurface()
        addProcessesAndTerminals()
        addPersonality()
    }

    /// A denial worth a line in the report; a plain error where nobody listens.
    private func notify(_ error: Int32) -> SyscallFilter.Action { hasListener ? .notify(error) : .errno(error) }

    private mutating func deny(
        _ names: String..., group: SyscallFilter.Group, _ action: SyscallFilter.Action,
        when conditions: [SyscallFilter.Condition] = []
    ) {
        for name in names {
            rules.append(.init(name: name, number: nil, action: action, conditions: conditions, group: group))
        }
    }

    private mutating func deny(
        number: Int32, _ name: String, group: SyscallFilter.Group, _ action: SyscallFilter.Action
    ) {
        rules.append(.init(name: name, number: number, action: action, conditions: [], group: group))
    }

    private mutating func addNamespaces() {
        let quietPerm = notify(Self.EPERM)
        deny("unshare", "setns", group: .namespaces, quietPerm)
        // clone3's flags are behind a pointer that a filter cannot read; glibc falls back to clone on ENOSYS.
        deny("clone3", group: .namespaces, .errno(Self.ENOSYS))
        for flag: UInt64 in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
        {
            deny(
                "clone", group: .namespaces, quietPerm,
                when: [.init(argument: 0, comparison: .masked(mask: flag, value: flag))])
        }
        deny(
            "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree",
            "move_mount", "mount_setattr", group: .mounts, quietPerm)
        deny(number: 467, "open_tree_attr", group: .mounts, quietPerm)
        addPrivilegeBits()
        // Both show mounts of the host where there is no mount namespace; nothing needs them.
        deny(number: 457, "statmount", group: .mounts, .errno(Self.EPERM))
        deny(number: 458, "listmount", group: .mounts, .errno(Self.EPERM))
    }

    /// Files that run as their owner: in a root-owned workspace the owner is root, on the host and after the run.
    private mutating func addPrivilegeBits() {
        let create: UInt64 = 0o100
        for bit: UInt64 in [0o4000, 0o2000] {
            func has(_ argument: Int) -> SyscallFilter.Condition {
                .init(argument: argument, comparison: .masked(mask: bit, value: bit))
            }
            func creates(_ argument: Int) -> SyscallFilter.Condition {
                .init(argument: argument, comparison: .masked(mask: create, value: create))
            }
            deny("fchmod", group: .privilegeBits, notify(Self.EPERM), when: [has(1)])
            deny("fchmodat", group: .privilegeBits, notify(Self.EPERM), when: [has(2)])
            rules.append(
                .init(
                    name: "fchmodat2", number: 452, action: notify(Self.EPERM), conditions: [has(2)],
                    group: .privilegeBits))
            deny("openat", group: .privilegeBits, notify(Self.EPERM), when: [creates(2), has(3)])
            deny("mknodat", group: .privilegeBits, notify(Self.EPERM), when: [has(2)])
            // O_TMPFILE makes a file as well.
            deny(
                "openat", group: .privilegeBits, notify(Self.EPERM),
                when: [.init(argument: 2, comparison: .masked(mask: 0o20000000, value: 0o20000000)), has(3)])
            #if arch(x86_64)
                deny("chmod", "creat", group: .privilegeBits, notify(Self.EPERM), when: [has(1)])
                deny("open", group: .privilegeBits, notify(Self.EPERM), when: [creates(1), has(2)])
                deny("mknod", group: .privilegeBits, notify(Self.EPERM), when: [has(1)])
                deny(
                    "open", group: .privilegeBits, notify(Self.EPERM),
                    when: [.init(argument: 1, comparison: .masked(mask: 0o20000000, value: 0o20000000)), has(2)])
            #endif
        }
        // Its mode is behind a pointer; programs that use it fall back to openat.
        deny("openat2", group: .privilegeBits, .errno(Self.ENOSYS))
    }

    private mutating func addKernelSurface() {
        deny(
            "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon",
            "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "sethostname", "setdomainname", "settimeofday",
            "clock_settime", "clock_adjtime", "adjtimex", "vhangup", group: .kernel, notify(Self.EPERM))
        #if arch(x86_64)
            deny("iopl", "ioperm", "modify_ldt", group: .kernel, notify(Self.EPERM))
            deny(
                "uselib", "ustat", "sysfs", "_sysctl", "create_module", "get_kernel_syms", "query_module",
                "afs_syscall", "tuxcall", "security", "putpmsg", "getpmsg", "vserver", "epoll_ctl_old",
                "epoll_wait_old", group: .obsolete, .errno(Self.ENOSYS))
        #endif
        deny("lookup_dcookie", "nfsservctl", "remap_file_pages", group: .obsolete, .errno(Self.ENOSYS))
        deny("bpf", "userfaultfd", group: .programs, notify(Self.EPERM))
        // libuv and others probe at start and fall back; io_uring would carry out calls that no filter sees.
        deny("io_uring_setup", "io_uring_enter", "io_uring_register", group: .asyncIO, .errno(Self.ENOSYS))
        deny("perf_event_open", group: .perf, .errno(Self.EPERM))
        deny("add_key", "request_key", "keyctl", group: .keyrings, notify(Self.EPERM))
        deny("open_by_handle_at", group: .handles, notify(Self.EPERM))
        deny("fanotify_init", "fanotify_mark", group: .observation, .errno(Self.EPERM))
        deny(
            "mbind", "set_mempolicy", "migrate_pages", "move_pages", "set_mempolicy_home_node", group: .memoryPolicy,
            .errno(Self.EPERM))
        deny("vmsplice", group: .splice, .errno(Self.EPERM))
        // Memory that the supervisor cannot read would hide a path or an address from the record.
        deny(number: 447, "memfd_secret", group: .memfd, .errno(Self.ENOSYS))
        deny(number: 460, "lsm_set_self_attr", group: .kernel, .errno(Self.EPERM))
    }

    private mutating func addProcessesAndTerminals() {
        deny(
            "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_getfd",
            "kcmp", group: .tracing, notify(Self.EPERM))
        // Limits of another process, init's among them; a process's own (pid 0) and reading stay.
        deny(
            "prlimit64", group: .tracing, notify(Self.EPERM),
            when: [.init(argument: 0, comparison: .notEqual(0)), .init(argument: 2, comparison: .notEqual(0))])
        // TIOCSTI, TIOCLINUX, TIOCCONS.
        for request: UInt32 in [0x5412, 0x541c, 0x541d] {
            deny(
                "ioctl", group: .terminals, notify(Self.EPERM),
                when: [.init(argument: 1, comparison: .equals(request))])
        }
        // Character and block devices; FIFOs stay, mkfifo(3) uses mknod.
        for type: UInt64 in [0o020000, 0o060000] {
            #if arch(x86_64)
                deny(
                    "mknod", group: .devices, notify(Self.EPERM),
                    when: [.init(argument: 1, comparison: .masked(mask: 0o170000, value: type))])
            #endif
            deny(
                "mknodat", group: .devices, notify(Self.EPERM),
                when: [.init(argument: 2, comparison: .masked(mask: 0o170000, value: type))])
        }
    }

    /// Allows 0, PER_LINUX32, UNAME26 and the query 0xffffffff.
    ///
    /// A rule may compare one argument once, so each other bit is refused by itself; bit 31 set tells the query from
    /// them.
    private mutating func addPersonality() {
        let refused: [UInt64] = [
            0x1, 0x2, 0x4, 0x10, 0x20, 0x40, 0x80, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000, 0x80_0000,
            0x100_0000, 0x200_0000, 0x400_0000, 0x800_0000,
        ]
        for bit in refused {
            deny(
                "personality", group: .personality, notify(Self.EPERM),
                when: [.init(argument: 0, comparison: .masked(mask: 0x8000_0000 | bit, value: bit))])
        }
        // With bit 31 set only the query passes: any lower bit that is clear makes it a real value.
        for bit in (0..<31).map({ UInt64(1) << $0 }) {
            deny(
                "personality", group: .personality, notify(Self.EPERM),
                when: [.init(argument: 0, comparison: .masked(mask: 0x8000_0000 | bit, value: 0x8000_0000))])
        }
    }

    /// Sockets in a network namespace of one's own: AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK for routes only.
    mutating func addSocketsForNetworkNamespace() {
        for family: UInt32 in [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15] {
            deny(
                "socket", group: .sockets, .errno(Self.EAFNOSUPPORT),
                when: [.init(argument: 0, comparison: .equals(family))])
        }
        // AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH, AF_XDP and whatever comes.
        deny(
            "socket", group: .sockets, notify(Self.EAFNOSUPPORT),
            when: [.init(argument: 0, comparison: .greater(16))])
        deny(
            "socket", group: .sockets, .errno(Self.EPROTONOSUPPORT),
            when: [
                .init(argument: 0, comparison: .equals(16)), .init(argument: 2, comparison: .notEqual(0)),
            ])
        // TCP and UDP by their own numbers; SCTP, UDP-Lite, DCCP and MPTCP (262) are none of them.
        for family: UInt32 in [2, 10] {
            deny(
                "socket", group: .sockets, .errno(Self.EPROTONOSUPPORT),
                when: [
                    .init(argument: 0, comparison: .equals(family)), .init(argument: 2, comparison: .greater(58)),
                ])
        }
        deny(
            "socketpair", group: .sockets, .errno(Self.EAFNOSUPPORT),
            when: [.init(argument: 0, comparison: .greater(1))])
    }

    /// Without a network namespace and with `network.mode: none`: no socket at all but a connected AF_UNIX pair.
    mutating func refuseAllSockets() {
        deny(
            "socket", group: .sockets, .errno(Self.EACCES), when: [.init(argument: 0, comparison: .equals(1))])
        deny("socket", group: .sockets, .errno(Self.EACCES), when: [.init(argument: 0, comparison: .equals(0))])
        // Everything but local sockets, which programs try for name services and then do without.
        deny(
            "socket", group: .sockets, notify(Self.EACCES), when: [.init(argument: 0, comparison: .greater(1))])
        deny(
            "socketpair", group: .sockets, .errno(Self.EAFNOSUPPORT),
            when: [.init(argument: 0, comparison: .greater(1))])
    }

    /// Without a pid namespace the user's other processes are within reach of what takes a process number.
    mutating func sparePeers() {
        for name in ["setpriority", "ioprio_set"] {
            deny(
                name, group: .tracing, .errno(Self.EPERM), when: [.init(argument: 1, comparison: .notEqual(0))])
        }
        for name in ["sched_setscheduler", "sched_setparam", "sched_setattr"] {
            deny(
                name, group: .tracing, .errno(Self.EPERM), when: [.init(argument: 0, comparison: .notEqual(0))])
        }
    }

    /// Records where the command wanted to go; the empty network namespace is what refuses it.
    mutating func logEgress() {
        guard hasListener else { return }
        deny("connect", group: .egressLog, .notify(0))
        deny("sendto", group: .egressLog, .notify(0), when: [.init(argument: 5, comparison: .greater(0))])
    }

    mutating func logExecs() {
        guard hasListener else { return }
        deny("execve", "execveat", group: .execLedger, .notify(0))
    }

    /// A memfd is the one place to execute written bytes from that no mount option reaches.
    mutating func sealMemfds() {
        if hasListener {
            deny("memfd_create", group: .memfd, .notify(Self.EACCES))
        } else {
            // Without a listener nobody can give a file on a noexec mount instead.
            deny("memfd_create", group: .memfd, .errno(Self.EACCES))
        }
    }

    var filter: SyscallFilter { SyscallFilter(rules: rules, hasListener: hasListener) }
}
