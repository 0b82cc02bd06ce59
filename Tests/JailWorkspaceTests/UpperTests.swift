import Glibc
import JailDigest
import JailModel
import JailSystem
import JailWorkspace
import Testing

@Suite("Layers on disk")
struct UpperTests {
    @Test("a layer that was kept is continued by a next step and scanned as one")
    func archive() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run(
            "mkdir -p d/e gone again; echo a > d/f; echo b > gone/g; echo c > again/c; echo m > m", in: "lower")
        try space.step(
            """
            rm -r gone d/f again; mkdir again; echo n > again/n; ln again/n d/n; ln m m2; ln -s x l
            echo r > r; chmod 444 r; chmod 700 d; echo s > hole; truncate -s 64M hole; mkfifo fifo; echo u > u; chmod 4755 u
            """)
        try Files.makeDirectory("\(space.path)/kept", mode: 0o755)
        let kept = try Files.open("\(space.path)/kept", [.read, .directory])
        let upper = try space.tree("upper")
        let left = try UpperArchive.save(upper, to: kept.rawValue, marks: .user)
        #expect(left.map { "\($0.path) \($0.reason)" } == ["fifo fifo", "u setID"])
        #expect(try Files.status("\(space.path)/kept/hole").allocated < 1 << 20)
        let first = try space.scan().changes
        let directory = try Files.open(space.path, [.read, .directory])
        for part in ["upper", "work"] { try TreeRemover.remove(ByteString(part), at: directory.rawValue) }
        try ScanSpace.shell("cd '\(space.path)' && mv kept upper && mkdir work")
        let second = try space.scan().changes
        #expect(lines(second) == lines(first) + ["added u"])
        try space.step("test ! -e gone && test ! -e again/c && test again/n -ef d/n && echo more >> again/n && rm l r")
        #expect(
            lines(try space.scan().changes) == [
                "deleted again/c", "added again/n", "mode d", "deleted d/f", "added d/n = again/n", "deleted gone",
                "deleted gone/g", "added hole", "added m2 = m", "added u",
            ])
    }

    @Test("the meter of a directory counts objects and sizes; the one of a tmpfs what the kernel counts")
    func meter() throws {
        let space = try ScanSpace()
        let upper = try space.tree("upper")
        let meter = try UpperMeter(upper: upper.descriptor, isMemory: false)
        #expect(try text(meter) == "0 0")
        try space.run("mkdir -p a/b; printf 12345 > a/b/c; ln -s x a/l; truncate -s 100 d", in: "upper")
        #expect(try text(meter) == "5 105")
        let bounded = try UpperMeter(upper: upper.descriptor, isMemory: false, limit: 2)
        #expect(try bounded.sample().inodes == 2)
        // The kernel counts the whole file system, which others use too: only that it grows can be told.
        let memory = try ScanSpace(in: "/dev/shm")
        let inMemory = try memory.tree("upper")
        let kernel = try UpperMeter(upper: inMemory.descriptor, isMemory: true)
        try memory.run("for i in $(seq 200); do echo a > f$i; done; head -c 50000000 /dev/zero > z", in: "upper")
        let sample = try kernel.sample()
        #expect(sample.inodes >= 150 && sample.bytes >= 40_000_000)
    }
}

private func text(_ meter: UpperMeter) throws -> String {
    let sample = try meter.sample()
    return "\(sample.inodes) \(sample.bytes)"
}

@Suite("Removing trees")
struct TreeRemoverTests {
    @Test("5,000 nested directories go, with entries at every 100th level and names of the remover's own kind")
    func deep() throws {
        let space = try ScanSpace()
        try space.run(
            """
            exec /usr/bin/python3 -c '
            import os
            for index in range(5000):
                os.mkdir("d")
                os.chdir("d")
                if index % 100 == 0:
                    open("f", "w").close()
                    os.mkdir(".deep-1")
            '
            mkdir .deep-1 .deep-2
            """, in: "out")
        try remove("out", space)
    }

    @Test("closed directories, links, FIFOs and whiteouts go, and what a link points to stays")
    func closed() throws {
        let space = try ScanSpace()
        try space.run("echo a > stays", in: "lower")
        try space.run(
            "mkdir -p a/b/c; echo a > a/b/f; chmod 0 a/b/f a/b/c a/b a; ln -s ../lower l; mkfifo p; ln -s x d; chmod 100 .",
            in: "out")
        let upper = try space.tree("upper")
        try Files.makeWhiteout("w", at: upper.descriptor)
        try remove("out", space)
        try remove("upper", space)
        #expect(try Files.status("\(space.path)/lower/stays").kind == .file)
        let directory = try Files.open(space.path, [.read, .directory])
        try Files.makeLink("lower", named: "link", at: directory.rawValue)
        try remove("link", space)
        #expect(try Files.status("\(space.path)/lower/stays").kind == .file)
        try TreeRemover.remove("absent", at: directory.rawValue)
    }

    @Test("what is mounted in a tree is not entered, keeps its mode, and is told")
    func mounted() throws {
        let space = try ScanSpace()
        // The mount stands in the mount namespace of a child, and is reached through that child's root.
        try space.run(
            """
            mkdir -p out/inner; mkfifo ready hold
            (unshare -Urm sh -c 'mount -t tmpfs -o mode=0555 t out/inner && mkdir out/inner/d && echo $$ > pid &&
                echo mounted > ready && exec timeout 60 cat hold' || timeout 5 sh -c 'echo failed > ready') &
            read -r state < ready
            test "$state" = mounted
            """, in: ".")
        let pid = try Files.readText("\(space.path)/pid").filter(\.isNumber)
        let seen = "/proc/\(pid)/root\(space.path)"
        let directory = try Files.open(seen, [.read, .directory])
        let error = #expect(throws: SystemError.self) { try TreeRemover.remove("out", at: directory.rawValue) }
        #expect(error?.errno == EBUSY)
        #expect(try Files.status("\(seen)/out/inner").mode == 0o555)
        #expect(try Files.status("\(seen)/out/inner/d").kind == .directory)
        _ = try Files.open("\(space.path)/hold", .write)
    }

    private func remove(_ name: ByteString, _ space: borrowing ScanSpace) throws {
        let directory = try Files.open(space.path, [.read, .directory])
        try TreeRemover.remove(name, at: directory.rawValue)
        #expect(try Files.statusIfPresent(name, at: directory.rawValue) == nil)
    }
}
