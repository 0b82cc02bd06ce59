import Glibc
import JailDigest
import JailModel
import JailSystem
import JailWorkspace
import Testing

@Suite("Private copy")
struct PrivateCopyTests {
    private func scan(
        _ space: borrowing ScanSpace, _ baseline: CopyBaseline, _ request: ScanRequest = ScanRequest()
    ) throws -> ChangeSet {
        try ChangeScanner.scan(
            copy: try space.tree("out"), original: try space.tree("lower"), baseline: baseline, request
        ).changes
    }

    private func copy(_ space: borrowing ScanSpace, excluded: [ByteString] = []) throws -> PrivateCopy.Result {
        let target = try space.tree("out")
        return try PrivateCopy.make(of: try space.tree("lower"), in: target.descriptor, excluded: excluded)
    }

    @Test("links, holes, times, attributes and modes are kept; what is no file is left out with a note")
    func kept() throws {
        let space = try ScanSpace()
        try space.run(
            """
            mkdir -p d/e x/y; echo a > d/f; ln d/f d/e/g; ln -s ../nowhere l; touch -h -d @5 l; chmod 500 d/e; touch -d @7 d/e
            echo start > hole; truncate -s 64M hole; \(ScanSpace.attribute) d/f; mkfifo pipe; echo a > x/y/z; touch -d @9 d
            """, in: "lower")
        let result = try copy(space, excluded: ["x/y"])
        // The time of `x` stays, though less is in it.
        #expect(
            try snapshot(try space.tree("out")) == (try snapshot(try space.tree("lower"), except: ["x/y", "pipe"])))
        #expect(result.notes == ["pipe is no file, directory or link; the step does not see it."])
        #expect(
            try Files.status("\(space.path)/out/d/f").isSameFile(as: try Files.status("\(space.path)/out/d/e/g")))
        #expect(try Files.status("\(space.path)/out/hole").allocated < 1 << 20)
        #expect(try scan(space, result.baseline, ScanRequest(excluded: ["x/y"])) == ChangeSet())
    }

    @Test("a change right after the copy is seen, also when its size and time are forged")
    func forged() throws {
        let space = try ScanSpace()
        try space.run("for i in $(seq 50); do echo a > f$i; done", in: "lower")
        let result = try copy(space)
        for index in 1...50 {
            let file = try Files.open("\(space.path)/out/f\(index)", [.readWrite])
            let time = try Files.status(file.rawValue).modified
            try Files.writeAll(file.rawValue, Array("b".utf8))
            try Files.setModified(file.rawValue, time)
        }
        let changes = try scan(space, result.baseline)
        #expect(changes.paths.count == 50)
        #expect(changes.paths.allSatisfy { $0.kind == .modified && $0.after?.digest == .of("b\n".utf8) })
    }

    @Test("names of one file stay one file in the change set")
    func links() throws {
        let space = try ScanSpace()
        try space.run("echo a > a; ln a b; echo c > c; ln c d", in: "lower")
        let result = try copy(space)
        try space.run("echo b > b; ln c e; rm d", in: "out")
        #expect(
            lines(try scan(space, result.baseline)) == ["modified a", "modified b = a", "deleted d", "added e = c"])
    }

    @Test("what is refused in a layer is refused in a copy, with every device node")
    func refused() throws {
        let space = try ScanSpace()
        try space.run("mkfifo old", in: "lower")
        let result = try copy(space)
        try space.run("mkfifo f; echo a > s; chmod 4755 s", in: "out")
        let out = try space.tree("out")
        try Files.makeWhiteout("w", at: out.descriptor)
        let changes = try scan(space, result.baseline)
        #expect(changes.paths.isEmpty)
        #expect(changes.refused.map(\.reason) == [.fifo, .setID, .device])
    }

    @Test("what another process changed meanwhile under a changed path is a conflict")
    func conflicts() throws {
        let space = try ScanSpace()
        try space.run("mkdir d calm; echo a > d/f; echo a > f; echo a > g; echo a > away", in: "lower")
        let fence = ChangeFence.take()
        let result = try copy(space)
        try space.run("rm -r d; echo b > f; echo n > n; echo b > away; echo b > calm/f", in: "out")
        try space.run("echo x > d/x; echo c > f; echo x > g; echo m > n; rm away", in: "lower")
        #expect(
            try scan(space, result.baseline, ScanRequest(fence: fence)).conflicts == ["away", "d", "d/x", "f", "n"])
    }

    @Test("a baseline is saved and read back, and a damaged one is refused")
    func baseline() throws {
        let space = try ScanSpace()
        try space.run(
            "mkdir -p d/e; echo a > \"$(printf 'd/new\\nline')\"; touch \"$(printf 'd/e/\\377')\"", in: "lower")
        let result = try copy(space)
        #expect(result.baseline.count == 4)
        let directory = try Files.open(space.path, [.read, .directory])
        try result.baseline.save("baseline", at: directory.rawValue)
        #expect(try CopyBaseline.load("baseline", at: directory.rawValue) == result.baseline)
        let bytes = try Files.read("\(space.path)/baseline", limit: 1 << 20)
        for (index, damaged) in [
            Array(bytes.dropLast()), Array(bytes.prefix(10)), [], bytes + [0],
            bytes.enumerated().map { $0.offset == 40 ? $0.element ^ 1 : $0.element },
        ].enumerated() {
            let file = try Files.open("\(space.path)/damaged\(index)", [.write, .create], mode: 0o600)
            try Files.writeAll(file.rawValue, damaged)
            let error = #expect(throws: SystemError.self) {
                try CopyBaseline.load(ByteString("damaged\(index)"), at: directory.rawValue)
            }
            #expect(error?.errno == EBADMSG)
        }
    }
}
