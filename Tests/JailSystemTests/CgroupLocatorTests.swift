import JailModel
import Testing

@testable import JailSystem

@Suite("Where a cgroup may be made")
struct CgroupLocatorTests {
    private static let old = """
        30 1 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        31 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        32 1 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        33 1 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        """
    private static let oldMembership = "5:cpu,cpuacct:/\n4:memory:/job\n3:pids:/\n0::/\n"
    private static let new = "30 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"

    private func locate(
        _ membership: String, _ mountinfo: String, writable: Set<String> = [], files: [String: String] = [:]
    ) -> CgroupAccess {
        CgroupLocator(
            membership: membership, mounts: MountEntry.parse(Array(mountinfo.utf8)) { $0.hasPrefix("cgroup") },
            mayWrite: { path in
                writable.contains(path)
                    || (path.hasSuffix("/cgroup.procs") && writable.contains(String(path.dropLast(13))))
            },
            read: { files[$0] }, ownPID: 77
        ).locate()
    }

    @Test("v1: the own group of each controller, combined mounts included")
    func v1() {
        let access = locate(
            Self.oldMembership, Self.old,
            writable: ["/sys/fs/cgroup/memory/job", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpu,cpuacct"])
        #expect(
            access
                == .v1([
                    "memory": "/sys/fs/cgroup/memory/job", "pids": "/sys/fs/cgroup/pids",
                    "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
                ]))
    }

    @Test("v1: what may not be written is not offered")
    func v1Partial() {
        #expect(
            locate(Self.oldMembership, Self.old, writable: ["/sys/fs/cgroup/pids"])
                == .v1(["pids": "/sys/fs/cgroup/pids"]))
        #expect(locate(Self.oldMembership, Self.old) == .none)
    }

    @Test("v1 beside a bare v2 tree is preferred, v2 with controllers is preferred over v1")
    func preference() {
        let both: Set = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"]
        #expect(locate(Self.oldMembership, Self.old, writable: both) == .v1(["pids": "/sys/fs/cgroup/pids"]))
        let enabled = ["/sys/fs/cgroup/unified/cgroup.subtree_control": "memory\n"]
        #expect(
            locate(Self.oldMembership, Self.old, writable: both, files: enabled)
                == .v2(directory: "/sys/fs/cgroup/unified", controllers: ["memory"]))
        #expect(
            locate(Self.oldMembership, Self.old, writable: ["/sys/fs/cgroup/unified"])
                == .v2(directory: "/sys/fs/cgroup/unified", controllers: []))
    }

    @Test("v2: a leaf of a delegated group uses its parent, as siblings must")
    func v2Leaf() {
        let access = locate(
            "0::/user/svc/leaf\n", Self.new, writable: ["/sys/fs/cgroup/user/svc", "/sys/fs/cgroup/user/svc/leaf"],
            files: ["/sys/fs/cgroup/user/svc/cgroup.subtree_control": "cpu memory pids\n"])
        #expect(access == .v2(directory: "/sys/fs/cgroup/user/svc", controllers: ["memory", "pids"]))
    }

    @Test("v2: a parent that may not be written is not the place, whoever owns the own group")
    func v2ForeignParent() {
        let access = locate(
            "0::/user/svc\n", Self.new, writable: ["/sys/fs/cgroup/user/svc"],
            files: [
                "/sys/fs/cgroup/user/cgroup.subtree_control": "memory pids",
                "/sys/fs/cgroup/user/svc/cgroup.procs": "12\n77\n",
                "/sys/fs/cgroup/user/svc/cgroup.controllers": "memory pids",
            ])
        #expect(access == .v2(directory: "/sys/fs/cgroup/user/svc", controllers: []))
    }

    @Test("v2: alone in a delegated scope, its controllers can be enabled")
    func v2Scope() {
        let scope = "/sys/fs/cgroup/user/run.scope"
        let files = [
            "\(scope)/cgroup.procs": "77\n", "\(scope)/cgroup.controllers": "cpu memory pids",
            "\(scope)/cgroup.subtree_control": "",
        ]
        #expect(
            locate(
                "0::/user/run.scope\n", Self.new, writable: [scope, "\(scope)/cgroup.subtree_control"], files: files)
                == .v2(directory: scope, controllers: ["memory", "pids"]))
        #expect(
            locate("0::/user/run.scope\n", Self.new, writable: [scope], files: files)
                == .v2(directory: scope, controllers: []))
    }

    @Test("a mount that shows only a part of the tree is translated, one that does not show us is not used")
    func partialMount() {
        let mount = "30 1 0:30 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
        #expect(
            locate("0::/docker/abc\n", mount, writable: ["/sys/fs/cgroup"])
                == .v2(directory: "/sys/fs/cgroup", controllers: []))
        #expect(
            locate("0::/docker/abc/x\n", mount, writable: ["/sys/fs/cgroup/x"])
                == .v2(directory: "/sys/fs/cgroup/x", controllers: []))
        #expect(locate("0::/docker/abcdef\n", mount, writable: ["/sys/fs/cgroup", "/sys/fs/cgroupdef"]) == .none)
        #expect(locate("0::/../other\n", mount, writable: ["/sys/fs/cgroup"]) == .none)
    }

    @Test("no cgroup file system at all")
    func nothing() {
        #expect(locate("", "") == .none)
        #expect(locate("0::/\n", "") == .none)
    }
}
