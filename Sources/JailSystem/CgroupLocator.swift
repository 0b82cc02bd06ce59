internal import JailModel

/// Finds where a child cgroup may be made: pure but for the questions that it asks through closures.
///
/// cgroups(7).
struct CgroupLocator {
    /// /proc/self/cgroup.
    let membership: String
    let mounts: [MountEntry]
    /// Whether this process may write there.
    let mayWrite: (String) -> Bool
    /// A control file's text, `nil` when it is not there.
    let read: (String) -> String?
    /// This process's number as the cgroup files show it.
    let ownPID: Int32

    /// The controllers that budgets use, by their v1 names and what v2 calls them.
    private static let v1Controllers = ["memory", "pids", "cpuacct"]
    private static let v2Controllers: Set<String> = ["memory", "pids"]

    /// What may be used: v2 where it brings controllers, else v1, else v2 without controllers (CPU time and kill).
    func locate() -> CgroupAccess {
        let unified = locateV2()
        if case .v2(_, let controllers) = unified, !controllers.isEmpty { return unified }
        let old = locateV1()
        if case .v1 = old { return old }
        return unified
    }

    private func locateV1() -> CgroupAccess {
        var directories: [String: String] = [:]
        for controller in Self.v1Controllers {
            guard let path = ownPath(where: { $0.split(separator: ",").contains { $0 == controller } }),
                let mount = mounts.first(where: { $0.filesystem == "cgroup" && $0.superOptions.contains(controller) }),
                let directory = Self.directory(of: path, in: mount),
                mayWrite(directory), mayWrite(directory + "/cgroup.procs")
            else { continue }
            directories[controller] = directory
        }
        return directories.isEmpty ? .none : .v1(directories)
    }

    private func locateV2() -> CgroupAccess {
        guard let path = ownPath(where: { $0.isEmpty }),
            let mount = mounts.first(where: { $0.filesystem == "cgroup2" }),
            let own = Self.directory(of: path, in: mount)
        else { return .none }
        // The kernel wants write access to cgroup.procs of the common ancestor of where a process is and where it
        // goes (workspace.md 8.4): the parent for a sibling, the own group for a child.
        var best: CgroupAccess = .none
        if own != mount.mountPoint, let parent = Self.parent(of: own), isUsable(parent) {
            let enabled = words("\(parent)/cgroup.subtree_control").intersection(Self.v2Controllers)
            if !enabled.isEmpty { return .v2(directory: parent, controllers: enabled) }
        }
        if isUsable(own) {
            best = .v2(directory: own, controllers: controllersBelow(own))
        }
        return best
    }

    /// What a child of the own group can have: what is enabled, or, when launch-jail is alone in a delegated group,
    /// what it can enable after moving itself into a leaf.
    private func controllersBelow(_ own: String) -> Set<String> {
        let enabled = words("\(own)/cgroup.subtree_control").intersection(Self.v2Controllers)
        let available = words("\(own)/cgroup.controllers").intersection(Self.v2Controllers)
        // ORDER: the list of processes last; in the root group it names every process of the machine.
        guard !available.isSubset(of: enabled), mayWrite("\(own)/cgroup.subtree_control"),
            words("\(own)/cgroup.procs") == ["\(ownPID)"]
        else { return enabled }
        return available
    }

    private func isUsable(_ directory: String) -> Bool {
        mayWrite(directory) && mayWrite(directory + "/cgroup.procs")
    }

    private func words(_ file: String) -> Set<String> {
        let text = (read(file) ?? "").utf8
        return Set(
            text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }.map {
                String(decoding: $0, as: UTF8.self)
            })
    }

    /// The path of this process in the hierarchy whose controller list matches.
    private func ownPath(where matches: (Substring) -> Bool) -> String? {
        for line in membership.utf8.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            if fields.count == 3, matches(Substring(fields[1])) { return String(Substring(fields[2])) }
        }
        return nil
    }

    /// Where a path of the hierarchy is seen through a mount; `nil` when the mount does not show it.
    private static func directory(of path: String, in mount: MountEntry) -> String? {
        guard path.hasPrefix("/"), !path.contains("/../"), !path.hasSuffix("/..") else { return nil }
        if mount.root == "/" { return path == "/" ? mount.mountPoint : mount.mountPoint + path }
        if path == mount.root { return mount.mountPoint }
        guard path.hasPrefix(mount.root + "/") else { return nil }
        return mount.mountPoint + path.dropFirst(mount.root.count)
    }

    private static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
        return String(path[..<slash])
    }
}
