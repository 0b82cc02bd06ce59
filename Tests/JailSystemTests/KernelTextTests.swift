import Testing

@testable import JailSystem

@Suite("The kernel's text")
struct KernelTextTests {
    @Test(
        "numbers stand between white space",
        arguments: [
            ("1 22 333\n", [1, 22, 333]), ("", []), ("  7", [7]), ("a1 2b 3", [3]), ("18446744073709551616", [.max]),
            ("max\n", []),
        ] as [(String, [UInt64])])
    func numbers(text: String, expected: [UInt64]) {
        #expect(KernelText.numbers(text.utf8) == expected)
    }

    @Test(
        "a key names a whole word at the start of a line",
        arguments: [
            ("RssShmem", "VmRSS:\t 10 kB\nRssShmem:\t 4096 kB\n", 4096), ("max", "max 12\n", 12),
            ("oom_kill", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", 3), ("oom_kill", "oom_kill_disable 0\n", nil),
            ("Seccomp", "Seccomp_filters:\t1\nSeccomp:\t2\n", 2), ("x", "", nil),
        ] as [(String, String, UInt64?)])
    func values(key: String, text: String, expected: UInt64?) {
        #expect(KernelText.value(of: key, in: Array(text.utf8)) == expected)
    }

    @Test("mountinfo escapes are undone")
    func unescapes() {
        #expect(KernelText.unescapeMountPath("/a\\040b\\134c\\9".utf8) == Array("/a b\\c\\9".utf8))
    }

    @Test("mountinfo lines with any number of optional fields are read, others are left out")
    func mounts() {
        let text = """
            36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
            24 1 0:22 / /proc rw - proc proc rw
            nonsense
            25 1 0:23 / /a\\040b ro - tmpfs tmpfs ro
            """
        let mounts = MountEntry.parse(Array(text.utf8))
        #expect(mounts.map(\.mountPoint) == ["/mnt2", "/proc", "/a b"])
        #expect(mounts[0].root == "/mnt1")
        #expect(mounts[0].filesystem == "ext3")
        #expect(mounts[0].superOptions == ["rw", "errors=continue"])
    }

    @Test("what hides parts of /proc is found, and an own file system below it is not mistaken for it")
    func masks() {
        let text = """
            1 0 0:1 / /proc rw - proc proc rw
            2 1 0:2 / /proc/kcore rw - tmpfs tmpfs rw
            3 1 0:1 /sys /proc/sys ro - proc proc rw
            4 1 0:3 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw
            5 0 0:4 / /process rw - tmpfs tmpfs rw
            """
        #expect(MaskedPaths.below("/proc", in: MountEntry.parse(Array(text.utf8))) == ["/proc/kcore", "/proc/sys"])
    }

    @Test("accounts and id ranges are read, other lines are left out")
    func accounts() {
        let accounts = Account.parse(
            Array("root:x:0:0:root:/root:/bin/sh\n\n+::::\nada:x:1000:100::/home/ada:\nbad:x:-1:0::/:\n".utf8))
        #expect(accounts.map(\.name) == ["root", "ada"])
        #expect(accounts[1] == Account(name: "ada", uid: 1000, gid: 100, home: "/home/ada"))
        #expect(
            IDRange.parseSubordinate(Array("ada:100000:65536\nx\n".utf8)) == [IDRange(first: 100_000, count: 65536)])
        #expect(IDRange.parseMap(Array("         0          0 4294967295\n".utf8)) == [IDRange(first: 0, count: .max)])
        #expect(IDRange(first: 10, count: 5).contains(14))
        #expect(!IDRange(first: 10, count: 5).contains(15))
        #expect(!IDRange(first: 10, count: 5).contains(9))
    }
}
