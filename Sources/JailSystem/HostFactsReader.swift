internal import CJail
internal import Glibc
public import JailModel

/// Reads once what planning needs to know of this host, without starting anything.
///
/// It does not try namespaces or seccomp: the launch itself is that probe, so tier T1 and a listener are assumed here
/// and the planner is asked again with less when a step of the launch is refused (launch-core.md, section 5.2).
public struct HostFactsReader {
    private var facts: [String: PathFact] = [:]

    public init() {}

    /// The facts for one launch.
    ///
    /// - Parameters:
    ///   - workspace: The absolute path of the workspace; its owner decides who the command is when root asks.
    ///   - paths: Absolute paths that the plan will ask about, once it is known who the command will be.
    ///   - environment: The environment of launch-jail, for SUDO_UID, HOME and USER.
    /// - Throws: ENOENT, EACCES and the like for a workspace that cannot be looked at.
    public static func read(
        workspace: String, paths: (TargetUser) -> [String], environment: (String) -> String?
    ) throws(SystemError) -> HostFacts {
        let target = try targetUser(workspace: workspace, environment: environment)
        let cgroup = cgroupAccess()
        let (kernel, arch) = kernelAndMachine()
        return HostFacts(
            kernel: kernel, arch: arch, tier: .t1, landlockABI: landlockABI(), hasSeccompListener: true, cgroup: cgroup,
            hasTaskClock: TaskClock.isAvailable(), uid: geteuid(), gid: getegid(),
            target: target,
            paths: try pathFacts([workspace] + paths(target)))
    }

    /// The Landlock ABI, 0 when the kernel has none or it is switched off.
    ///
    /// landlock(7).
    public static func landlockABI() -> Int { Int(max(0, cj_landlock_abi())) }

    /// The kernel's release and the machine's name.
    ///
    /// uname(2).
    public static func kernelAndMachine() -> (kernel: String, arch: String) {
        var release = [CChar](repeating: 0, count: 65)
        var machine = [CChar](repeating: 0, count: 65)
        // SAFETY: both arrays are exclusively borrowed, and the sizes are theirs.
        unsafe cj_uname(&release, release.count, &machine, machine.count)
        return (text(release), text(machine))
    }

    /// Which cgroup directories may be used here.
    public static func cgroupAccess() -> CgroupAccess {
        // A host without these files has no cgroup that could be used.
        guard let membership = try? Files.readText("/proc/self/cgroup"),
            let mountinfo = try? Files.read("/proc/self/mountinfo", limit: 8 << 20)
        else { return .none }
        return CgroupLocator(
            membership: membership, mounts: MountEntry.parse(mountinfo) { $0.hasPrefix("cgroup") },
            mayWrite: { Files.mayWrite($0) }, read: { try? Files.readText($0) }, ownPID: getpid()
        ).locate()
    }

    /// Who the command will be.
    public static func targetUser(
        workspace: String, environment: (String) -> String?
    ) throws(SystemError) -> TargetUser {
        let owner = try Files.status(workspace, followingLinks: true)
        let uid = geteuid()
        var resolver = TargetUserResolver(
            uid: uid, gid: getegid(), workspaceUID: owner.uid, workspaceGID: owner.gid)
        // Each file may be missing in a minimal image; then nothing is known of it.
        resolver.accounts = Account.parse((try? Files.read("/etc/passwd", limit: 4 << 20)) ?? [])
        if uid == 0 {
            resolver.subordinate = IDRange.parseSubordinate((try? Files.read("/etc/subuid", limit: 4 << 20)) ?? [])
            let map = IDRange.parseMap((try? Files.read("/proc/self/uid_map", limit: 65536)) ?? [])
            if !map.isEmpty { resolver.mapped = map }
            let overflow = (try? Files.read("/proc/sys/kernel/overflowuid", limit: 64)) ?? []
            resolver.overflowUID = KernelText.numbers(overflow).first.flatMap(UInt32.init(exactly:)) ?? 65534
        }
        return resolver.resolve(environment)
    }

    /// Facts for each path, each component above it, and what symbolic links on the way lead to.
    ///
    /// A path that does not exist or may not be looked at is ``PathFact/Kind/absent``, as are its ends below that.
    public static func pathFacts(_ paths: [String]) throws(SystemError) -> [String: PathFact] {
        var reader = HostFactsReader()
        for path in paths { try reader.record(path) }
        return reader.facts
    }

    /// Walks one path from the root as the kernel would, at most 40 links.
    private mutating func record(_ path: String) throws(SystemError) {
        guard path.hasPrefix("/") else {
            throw SystemError("look at", errno: EINVAL, subject: path.forMessage, hint: "give an absolute path")
        }
        var pending: [Substring] = path.split(separator: "/").reversed()
        var here = ""
        var links = 0
        _ = fact("/")
        while let component = pending.popLast() {
            if component == "." { continue }
            if component == ".." {
                here = String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)])
                continue
            }
            let next = here + "/" + component
            switch fact(next).kind {
            case .absent:
                facts[([next] + pending.reversed().map(String.init)).joined(separator: "/")] = .absent
                return
            case .link(let target):
                links += 1
                guard links <= 40 else { return }
                if target.hasPrefix("/") { here = "" }
                pending += target.split(separator: "/").reversed()
            case .directory, .file, .other:
                here = next
            }
        }
    }

    private mutating func fact(_ path: String) -> PathFact {
        if let known = facts[path] { return known }
        let found = Self.look(path)
        facts[path] = found
        return found
    }

    private static func look(_ path: String) -> PathFact {
        // What cannot be looked at cannot be granted either; it counts as absent.
        guard let status = try? Files.status(path) else { return .absent }
        let kind: PathFact.Kind
        switch status.kind {
        case .directory: kind = .directory
        case .file: kind = .file
        case .link:
            guard let target = try? Files.readLink(path) else { return .absent }
            kind = .link(String(decoding: target.bytes, as: UTF8.self))
        case .fifo, .socket, .characterDevice, .blockDevice: kind = .other
        }
        return PathFact(
            kind: kind, device: status.device, inode: status.inode, uid: status.uid, gid: status.gid, mode: status.mode)
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
