import JailModel
import JailPlan
import JailPolicy
import Testing

@testable import JailLaunch

@Suite("the compiled filter does what its rules say")
struct FilterTests {
    private func filters(_ policy: String) throws -> [CompiledFilter] {
        let facts = HostFacts(
            kernel: "6.18", arch: "x86_64", tier: .t1, landlockABI: 7, hasSeccompListener: true, cgroup: .none,
            hasTaskClock: true, uid: 1000, gid: 1000,
            target: TargetUser(
                insideUID: 1000, insideGID: 1000, outsideUID: 1000, outsideGID: 1000, name: "dev", home: "/home/dev"),
            paths: [
                "/work/project": PathFact(kind: .directory, device: 1, inode: 2),
                "/dev/null": PathFact(kind: .other, device: 1, inode: 3),
            ])
        let workspace = try #require(AbsolutePath("/work/project"))
        var request = StepRequest(
            workspace: workspace, cwd: workspace, argv: ["true"],
            executable: try #require(AbsolutePath("/usr/bin/true")), hostEnvironment: [:],
            runDirectory: try #require(AbsolutePath("/state/r")), wantsTerminal: false, pidNamespace: 1)
        request.layer = .memory(bytes: 1 << 30, inodes: 1312)
        let plan = try PlanCompiler.compile(
            policy: Policy.parse(bytes: Array(policy.utf8), name: "test.yaml"), facts: facts, request: request)
        return try FilterCompiler.compile(plan.filter)
    }

    private static let kill: UInt32 = 0x8000_0000
    private static let notify: UInt32 = 0x7fc0_0000
    private static let allow: UInt32 = 0x7fff_0000
    private static func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }

    /// Runs the stacked filters as the kernel does: the strictest answer wins.
    private func answer(
        _ filters: [CompiledFilter], _ call: SystemCallSample
    ) throws -> UInt32 {
        var worst = Self.allow
        for filter in filters {
            let result = try #require(ClassicBPF(filter.instructions).run(call))
            if ClassicBPF.strictness(result) > ClassicBPF.strictness(worst) { worst = result }
        }
        return worst
    }

    #if arch(x86_64)
        static let cases: [(String, SystemCallSample, UInt32)] = [
            ("read", SystemCallSample(0), allow),
            ("mount", SystemCallSample(165), notify),
            ("unshare", SystemCallSample(272), notify),
            ("clone with CLONE_NEWUSER", SystemCallSample(56, 0x1000_0011), notify),
            ("clone of a thread", SystemCallSample(56, 0x003d_0f00), allow),
            ("clone3", SystemCallSample(435), errno(38)),
            ("io_uring_setup", SystemCallSample(425), errno(38)),
            ("TIOCSTI", SystemCallSample(16, 0, 0x5412), notify),
            ("TIOCSTI with high bits set", SystemCallSample(16, 0, 0xdead_0000_5412), notify),
            ("TCGETS", SystemCallSample(16, 0, 0x5401), allow),
            ("socket AF_UNIX", SystemCallSample(41, 1, 1), allow),
            ("socket AF_INET", SystemCallSample(41, 2, 1), allow),
            ("socket AF_VSOCK", SystemCallSample(41, 40, 1), notify),
            ("socket AF_PACKET", SystemCallSample(41, 17, 3), notify),
            ("socket AF_AX25 with high bits set", SystemCallSample(41, 0x1_0000_0003, 1), errno(97)),
            ("socket MPTCP", SystemCallSample(41, 2, 1, 262), errno(93)),
            ("socket SCTP", SystemCallSample(41, 10, 1, 132), errno(93)),
            ("netlink route", SystemCallSample(41, 16, 3, 0), allow),
            ("netlink audit", SystemCallSample(41, 16, 3, 9), errno(93)),
            ("mknod of a block device", SystemCallSample(133, 0, 0o060644), notify),
            ("mknod of a FIFO", SystemCallSample(133, 0, 0o010644), allow),
            ("personality query", SystemCallSample(135, 0xffff_ffff), allow),
            ("personality ADDR_NO_RANDOMIZE", SystemCallSample(135, 0x40000), notify),
            ("personality READ_IMPLIES_EXEC beside bit 31", SystemCallSample(135, 0x8040_0000), notify),
            ("chmod of a setuid bit", SystemCallSample(90, 0, 0o4755), notify),
            ("chmod", SystemCallSample(90, 0, 0o755), allow),
            ("openat that makes a setuid file", SystemCallSample(257, 0, 0, 0o101, 0o4755), notify),
            ("openat with a stray mode", SystemCallSample(257, 0, 0, 0, 0o4755), allow),
            ("openat2", SystemCallSample(437), errno(38)),
            ("prlimit64 of another process", SystemCallSample(302, 1, 7, 4096), notify),
            ("prlimit64 of one's own", SystemCallSample(302, 0, 7, 4096), allow),
            ("memfd_secret", SystemCallSample(447), errno(38)),
            ("keyctl", SystemCallSample(250), notify),
            ("ptrace", SystemCallSample(101), notify),
            ("a call of the future", SystemCallSample(470), errno(38)),
            ("a far call", SystemCallSample(9999), errno(38)),
            ("x32 getpid", SystemCallSample(0x4000_0000 | 39), kill),
            ("i386 ABI", SystemCallSample(20, architecture: 0x4000_0003), kill),
        ]

        @Test("answers", arguments: cases)
        func answers(name: String, call: SystemCallSample, expected: UInt32) throws {
            let filters = try filters("version: 1\n")
            #expect(try answer(filters, call) == expected, "\(name)")
        }

        @Test("written bytes are not executable through a memfd where the workspace may not execute")
        func sealsMemfds() throws {
            let denied = try filters("version: 1\nexec: {workspace: deny}\n")
            #expect(try answer(denied, SystemCallSample(319)) == Self.notify)
            #expect(try answer(denied, SystemCallSample(447)) == Self.errno(38))
            let allowed = try filters("version: 1\nexec: {workspace: allow}\n")
            #expect(try answer(allowed, SystemCallSample(319)) == Self.allow)
        }
    #endif
}

/// One system call as a filter sees it.
struct SystemCallSample: Sendable {
    let number: UInt32
    let architecture: UInt32
    let arguments: [UInt64]

    init(_ number: UInt32, _ arguments: UInt64..., architecture: UInt32 = 0xc000_003e) {
        self.number = number
        self.architecture = architecture
        self.arguments = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
    }

    /// A word of struct seccomp_data (seccomp(2)).
    func word(at offset: Int) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture
        default:
            guard offset >= 16, (offset - 16) / 8 < 6 else { return 0 }
            let argument = arguments[(offset - 16) / 8]
            return offset % 8 == 0 ? UInt32(truncatingIfNeeded: argument) : UInt32(truncatingIfNeeded: argument >> 32)
        }
    }
}

/// A small interpreter for the classic BPF that seccomp accepts: an oracle that is not libseccomp.
struct ClassicBPF {
    private let program: [(code: UInt16, jt: UInt8, jf: UInt8, k: UInt32)]

    init(_ bytes: [UInt8]) {
        var steps: [(code: UInt16, jt: UInt8, jf: UInt8, k: UInt32)] = []
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let code = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            let k = bytes[(at + 4)..<(at + 8)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            steps.append((code, bytes[at + 2], bytes[at + 3], k))
        }
        program = steps
    }

    /// How strict an answer is: kill, then error, then notification, then allow.
    static func strictness(_ result: UInt32) -> Int {
        switch result & 0xffff_0000 {
        case 0x8000_0000: 4
        case 0x0005_0000: 3
        case 0x7fc0_0000: 2
        default: 0
        }
    }

    func run(_ call: SystemCallSample) -> UInt32? {
        var accumulator: UInt32 = 0
        var at = 0
        while program.indices.contains(at) {
            let step = program[at]
            at += 1
            switch step.code {
            case 0x20: accumulator = call.word(at: Int(step.k))
            case 0x54: accumulator &= step.k
            case 0x05: at += Int(step.k)
            case 0x15: at += Int(accumulator == step.k ? step.jt : step.jf)
            case 0x25: at += Int(accumulator > step.k ? step.jt : step.jf)
            case 0x35: at += Int(accumulator >= step.k ? step.jt : step.jf)
            case 0x45: at += Int(accumulator & step.k != 0 ? step.jt : step.jf)
            case 0x06: return step.k
            default: return nil
            }
        }
        return nil
    }
}
