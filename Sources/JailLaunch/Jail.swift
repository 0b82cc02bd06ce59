internal import CJail
internal import CJailABI
internal import Glibc
internal import JailModel
internal import JailPlan
internal import JailSystem

/// A jail that exists: its init and its control socket.
///
/// Whoever holds it must wait for it.
struct Jail: ~Copyable {
    let pidfd: OwnedFD
    let pid: Int32
    let control: ControlChannel
    let taskClock: Holder<TaskClock>
}

/// Our ends of the command's pipes.
struct JailPipes: ~Copyable {
    let stdout: OwnedFD
    let stderr: OwnedFD
    let stdin: OwnedFD
}

/// What a launch gives.
struct LaunchedJail: ~Copyable {
    let jail: Jail
    let pipes: JailPipes
}

/// Holds a noncopyable value that may be absent, so that a struct of them can be taken apart.
final class Holder<Value: ~Copyable> {
    var value: Value?
    init(_ value: consuming Value?) { self.value = consume value }
}

/// Makes a jail from a plan: one clone, the id maps, the cgroup, and the word to go.
struct Launcher: ~Copyable {
    let plan: Plan
    /// jail-init, open for execution.
    let initProgram: OwnedFD
    let pidNamespace: UInt64

    /// Clones the jail and lets it set itself up.
    ///
    /// - Throws: ``LaunchFailure``; nothing is left running.
    /// clone(2), user_namespaces(7).
    func launch(cgroup: Holder<Cgroup>) throws(LaunchFailure) -> LaunchedJail {
        let filters = try FilterCompiler.compile(plan.filter)
        let bytes = plan.encoded(
            filters: filters, pidNamespace: pidNamespace, lastCapability: cj_last_capability())
        let memory = try sealed(bytes)
        let pair = try ControlPair()
        let output = try Pipe()
        let errors = try Pipe()
        let input = try Pipe()
        var spawn = cj_spawn()
        spawn.namespaces = plan.namespaces.rawValue
        spawn.init_fd = initProgram.rawValue
        spawn.plan_fd = memory.rawValue
        spawn.control_fd = pair.theirs.rawValue
        spawn.stdio = (input.reader.rawValue, output.writer.rawValue, errors.writer.rawValue)
        let joining: JoiningFiles?
        do throws(SystemError) {
            joining = try cgroup.value?.openForJoining()
        } catch {
            throw LaunchFailure(.cgroup, errno: error.errno)
        }
        let tasks = (joining?.descriptors ?? []) + [-1, -1, -1, -1]
        spawn.cgroup_fds = (tasks[0], tasks[1], tasks[2], tasks[3])
        var child = cj_child()
        // SAFETY: both structs are exclusively borrowed for the call, which keeps no pointer.
        let result = unsafe cj_spawn(&spawn, &child)
        withExtendedLifetime(joining) {}
        guard result == 0 else { throw Self.failure(child) }
        let pidfd = OwnedFD(taking: child.pidfd)
        let control = ControlChannel(socket: pair.ours)
        let clock = Holder<TaskClock>(nil)
        do throws(LaunchFailure) {
            try prepare(child.pid, control, cgroup, clock)
        } catch {
            Self.destroy(pidfd)
            throw error
        }
        return LaunchedJail(
            jail: Jail(pidfd: pidfd, pid: child.pid, control: control, taskClock: clock),
            pipes: JailPipes(stdout: output.reader, stderr: errors.reader, stdin: input.writer))
    }

    /// What only the supervisor can do from outside, while init waits for the word.
    private func prepare(
        _ pid: Int32, _ control: borrowing ControlChannel, _ cgroup: Holder<Cgroup>,
        _ clock: Holder<TaskClock>
    ) throws(LaunchFailure) {
        if let map = plan.idMap { try write(map, pid) }
        if cgroup.value != nil, plan.limits.cgroup?.version == 2 {
            do throws(SystemError) {
                try cgroup.value?.add(pid)
            } catch {
                throw LaunchFailure(.cgroup, errno: error.errno)
            }
        }
        if plan.limits.cgroup?.metersCPU != true {
            // Without it CPU time is a lower bound, and the report says so.
            clock.value = try? TaskClock(following: pid)
        }
        var trees: [Int32] = []
        defer { for tree in trees { close(tree) } }
        if !plan.idmappedTrees.isEmpty {
            let namespace: OwnedFD
            do throws(SystemError) {
                namespace = try Files.open("/proc/\(pid)/ns/user", .read)
            } catch {
                throw LaunchFailure(.mapIDs("ns/user"), errno: error.errno)
            }
            for wanted in plan.idmappedTrees {
                // SAFETY: the string is a null-terminated copy for the call.
                let tree = unsafe cj_idmapped_tree(
                    wanted.path, namespace.rawValue, wanted.identity.device, wanted.identity.inode)
                guard tree >= 0 else { throw LaunchFailure(.mapTree(wanted.path), errno: -tree) }
                trees.append(tree)
            }
        }
        let sent = control.go(trees: trees)
        guard sent == 0 else { throw LaunchFailure(.initDied, errno: -sent) }
    }

    private func write(_ map: IDMap, _ pid: Int32) throws(LaunchFailure) {
        func put(_ file: String, _ text: String) throws(LaunchFailure) {
            do throws(SystemError) {
                try Files.writeValue(text, to: "/proc/\(pid)/\(file)")
            } catch {
                throw LaunchFailure(.mapIDs(file), errno: error.errno)
            }
        }
        // ORDER: an unprivileged writer must give up setgroups before it may map a group. Root keeps it, so that the
        // jail can drop root's own groups.
        if geteuid() != 0 { try put("setgroups", "deny") }
        try put("uid_map", "\(map.insideUID) \(map.outsideUID) 1\n")
        try put("gid_map", "\(map.insideGID) \(map.outsideGID) 1\n")
    }

    private func sealed(_ bytes: [UInt8]) throws(LaunchFailure) -> OwnedFD {
        // SAFETY: the buffer outlives the call, which copies it.
        let fd = unsafe bytes.withUnsafeBytes { unsafe cj_sealed_memfd("plan", $0.baseAddress, $0.count) }
        guard fd >= 0 else { throw LaunchFailure(.prepare("seal the plan"), errno: -fd) }
        return OwnedFD(taking: fd)
    }

    private static func failure(_ child: cj_child) -> LaunchFailure {
        switch cj_spawn_stage(child.stage) {
        case CJ_STAGE_CLONE: LaunchFailure(.clone, errno: child.error)
        case CJ_STAGE_CGROUP: LaunchFailure(.cgroup, errno: child.error)
        case CJ_STAGE_CAPABILITIES: LaunchFailure(.keepCapabilities, errno: child.error)
        case CJ_STAGE_EXEC_INIT: LaunchFailure(.executeInit, errno: child.error)
        default: LaunchFailure(.prepare("arrange descriptors"), errno: child.error)
        }
    }

    /// Kills an init that nobody will wait for any more, and reaps it.
    static func destroy(_ pidfd: borrowing OwnedFD) {
        _ = cj_signal(pidfd.rawValue, SIGKILL)
        var status: Int32 = 0
        // SAFETY: the status is exclusively borrowed for the call.
        _ = unsafe cj_reap(pidfd.rawValue, &status)
    }
}

/// A pipe whose ends close themselves.
struct Pipe: ~Copyable {
    let reader: OwnedFD
    let writer: OwnedFD

    init() throws(LaunchFailure) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the array has the two elements that pipe2 fills.
        do throws(SystemError) {
            try retrying("make a pipe") {
                unsafe ends.withUnsafeMutableBufferPointer { unsafe cj_pipe($0.baseAddress, 0) }
            }
        } catch {
            throw LaunchFailure(.prepare("make a pipe"), errno: error.errno)
        }
        reader = OwnedFD(taking: ends[0])
        writer = OwnedFD(taking: ends[1])
    }
}

/// Both ends of the control socket.
struct ControlPair: ~Copyable {
    let ours: OwnedFD
    let theirs: OwnedFD

    init() throws(LaunchFailure) {
        var pair: [Int32] = [-1, -1]
        // SAFETY: the array has the two elements that the call fills.
        let result = unsafe pair.withUnsafeMutableBufferPointer { unsafe cj_control_pair($0.baseAddress) }
        guard result == 0 else { throw LaunchFailure(.prepare("make the control socket"), errno: -result) }
        ours = OwnedFD(taking: pair[0])
        theirs = OwnedFD(taking: pair[1])
    }
}
