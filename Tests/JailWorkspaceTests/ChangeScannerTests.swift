import Glibc
import JailDigest
import JailModel
import JailSystem
import JailWorkspace
import Testing

@Suite("Change set of an upper layer")
struct ChangeScannerTests {
    /// One step on a workspace, on a real overlay, and what the change set says of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let before: String
        let step: String
        let expected: [String]
        init(_ name: String, _ before: String, _ step: String, _ expected: [String]) {
            (self.name, self.before, self.step, self.expected) = (name, before, step, expected)
        }
        var testDescription: String { name }
    }

    static let cases = [
        Case("nothing", "echo a > a", "cat a", []),
        Case(
            "new file, directory, link", "", "mkdir d; echo a > d/f; ln -s f d/l",
            ["added d", "added d/f", "symlink d/l"]),
        Case("modified, same size", "echo a > f", "echo b > f", ["modified f"]),
        Case("modified, other size", "echo a > f", "echo bb >> f", ["modified f"]),
        Case("copied up and written back", "echo a > f; touch -d @5 f", "echo a > f; touch -d @5 f", []),
        Case("opened for writing only", "echo a > f", "exec 3<>f", []),
        Case("mode of a file", "echo a > f; chmod 644 f", "chmod 600 f", ["mode f"]),
        Case("time of a file", "echo a > f; touch -d @5 f", "touch -d @6 f", ["mode f"]),
        Case("attribute of a file", "echo a > f", "\(ScanSpace.attribute) f", ["mode f"]),
        Case("mode of a directory", "mkdir d; chmod 755 d; echo a > d/f", "chmod 700 d", ["mode d"]),
        Case("time of a directory", "mkdir d", "touch -d @5 d", []),
        Case("entry of a directory", "mkdir d", "echo a > d/f", ["added d/f"]),
        Case("deleted file", "echo a > f", "rm f", ["deleted f"]),
        Case("made and deleted", "", "echo a > f; mkdir d; rm -r f d", []),
        Case(
            "deleted tree", "mkdir -p d/e; echo a > d/e/f; ln -s x d/l", "rm -r d",
            ["deleted d", "deleted d/e", "deleted d/e/f", "deleted d/l"]),
        Case(
            "directory made anew", "mkdir -p d/e; echo a > d/a; echo b > d/b; echo c > d/e/c",
            "cp -p d/b b; rm -r d; mkdir d; mv b d/b; echo n > d/n",
            ["deleted d/a", "deleted d/e", "deleted d/e/c", "added d/n"]),
        Case(
            "directory made anew with one in it", "mkdir -p d/e; echo a > d/e/f",
            "rm -r d; mkdir -p d/e; echo b > d/e/g",
            ["deleted d/e/f", "added d/e/g"]),
        Case("new directory, renamed, so opaque", "", "mkdir d; echo a > d/f; mv d e", ["added e", "added e/f"]),
        Case("link text", "ln -s a l", "ln -sfn b l", ["symlink l"]),
        Case("link time", "ln -s a l", "touch -h -d @5 l", ["mode l"]),
        Case("link made anew, the same", "ln -s a l; touch -h -d @5 l", "rm l; ln -s a l; touch -h -d @5 l", []),
        Case("file to link", "echo a > f", "ln -sf x f", ["type f"]),
        Case("link to file", "ln -s x f", "rm f; echo a > f", ["type f"]),
        Case(
            "directory to file", "mkdir -p d/e; echo a > d/e/f", "rm -r d; echo b > d",
            ["type d", "deleted d/e", "deleted d/e/f"]),
        Case("directory to link", "mkdir d; echo a > d/f", "rm -r d; ln -s x d", ["type d", "deleted d/f"]),
        Case("file to directory", "echo a > f", "rm f; mkdir f; echo b > f/g", ["type f", "added f/g"]),
        Case("rename", "mkdir d; echo a > f", "mv f d/g", ["renamed d/g < f"]),
        Case("rename over a file", "echo a > f; echo b > g", "mv f g", ["deleted f", "modified g"]),
        Case("rename with a changed mode", "echo a > f", "mv f g; chmod 700 g", ["renamed g < f"]),
        Case(
            "rename of a directory", "mkdir d; echo a > d/a; echo b > d/b", "mv d e",
            ["deleted d", "added e", "renamed e/a < d/a", "renamed e/b < d/b"]),
        Case(
            "rename out of a deleted directory", "mkdir d; echo a > d/f", "mv d/f g; rmdir d",
            ["deleted d", "renamed g < d/f"]),
        Case("rename and another file in its place", "echo a > f", "mv f g; echo b > f", ["modified f", "added g"]),
        Case("exchange", "echo a > a; echo b > b", "mv a c; mv b a; mv c b", ["modified a", "modified b"]),
        Case(
            "new hard links", "", "echo a > b; ln b a; mkdir d; ln b d/c",
            ["added a", "added b = a", "added d", "added d/c = a"]),
        Case("hard link to an unchanged file", "echo a > m", "ln m a; ln m z", ["added a = m", "added z = m"]),
        Case("hard link to a modified file", "echo a > m", "echo b > m; ln m a", ["added a = m", "modified m"]),
        Case("hard link in the place of a file", "echo a > a; echo b > b", "ln -f a b", ["modified b = a"]),
        Case(
            "names with newline and bad UTF-8", "", "touch \"$(printf 'a\\nb')\" \"$(printf '\\377')\"",
            ["added a\\nb", "added \u{fffd}"]),
    ]

    @Test("each class of change, on a real overlay", arguments: cases)
    func classes(_ one: Case) throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run(one.before, in: "lower")
        let before = try snapshot(try space.tree("lower"))
        try space.step(one.step)
        let result = try space.scan()
        #expect(lines(result.changes) == one.expected)
        #expect(result.changes.refused.isEmpty && result.changes.conflicts.isEmpty && result.changes.notes.isEmpty)
        #expect(applied(result.changes, to: before) == timeless(try snapshot(try space.tree("out"))))
        for change in result.changes.paths {
            #expect(change.before == before[change.from ?? change.path])
            let content = [change.before, change.after].compactMap(\.self).filter {
                $0.kind == .file || $0.kind == .link
            }
            #expect(content.allSatisfy { $0.digest != nil })
        }
        #expect(try snapshot(try space.tree("lower")) == before, "the scan wrote into the workspace")
    }

    @Test("what can never be published is refused and no path")
    func refused() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run(
            "echo a > old; chmod 4755 old; echo a > same; chmod 4755 same; mkdir -m 2755 group; mkfifo pipe; mkfifo touched",
            in: "lower")
        try space.step(
            """
            mkfifo fifo; touch -d @5 touched; cat same > /dev/null; chmod 4700 same
            echo b > old; chmod 4755 old; echo c > new; chmod 2755 new
            mkdir group/inherits; mkdir sticky; chmod 1777 sticky; mkdir set; chmod 2755 set; rm pipe
            setcap cap_net_raw+ep old 2> /dev/null || :
            """)
        let changes = try space.scan().changes
        #expect(
            changes.refused.map { "\($0.path) \($0.reason)" } == [
                "fifo fifo", "new setID", "old " + (try hasCapability(space, "old") ? "fileCapability" : "setID"),
                "set setID",
                "touched fifo",
            ])
        #expect(lines(changes) == ["added group/inherits", "deleted pipe", "mode same", "added sticky"])
    }

    private func hasCapability(_ space: borrowing ScanSpace, _ name: String) throws -> Bool {
        let file = try Files.open("\(space.path)/upper/\(name)")
        return try ExtendedAttributes.value(of: "security.capability", file.rawValue) != nil
    }

    @Test("a socket is left out with a note, and what it replaced is gone")
    func socket() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run("echo a > s", in: "lower")
        try space.step("rm s; /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"s\")'")
        let changes = try space.scan().changes
        #expect(lines(changes) == ["deleted s"])
        #expect(changes.notes == ["The socket s is left out."])
    }

    @Test("a layer is read where the step took the right away, and keeps its modes")
    func unreadable() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.step(
            "mkdir -p d/e; echo a > d/e/f; \(ScanSpace.attribute) d/e/f; chmod 0 d/e/f d/e d; echo b > g; chmod 200 g")
        for _ in 0..<2 {
            let changes = try space.scan().changes
            #expect(lines(changes) == ["added d", "added d/e", "added d/e/f", "added g"])
            #expect(changes.paths.map { $0.after?.mode } == [0, 0, 0, 0o200])
            #expect(changes.paths.map { $0.after?.digest } == [nil, nil, .of("a\n".utf8), .of("b\n".utf8)])
            #expect(changes.paths[2].after?.attributes != nil)
        }
    }

    @Test("excluded paths and held places are no part of it, unless the step changed what was held")
    func excluded() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run("mkdir keep; echo a > keep/a; mkdir -p gone/keep; echo a > gone/a", in: "lower")
        try space.step(
            """
            mkdir -p scratch/x .github/workflows .held; echo a > scratch/x/f; echo b > keep/a; rm -r gone
            : > empty; printf text > text; printf other > other; echo x > .held/x; chmod 700 .github
            """)
        let held: [(ByteString, HeldPlace.Content)] = [
            (".github", .emptyDirectory), (".github/workflows", .emptyDirectory), (".held", .emptyDirectory),
            ("empty", .file([])), ("text", .file(Array("text".utf8))), ("other", .file(Array("OTHER".utf8))),
        ]
        let request = ScanRequest(
            excluded: ["scratch", "keep", "gone/keep"], placeholders: held.map { HeldPlace(path: $0.0, content: $0.1) })
        #expect(
            lines(try space.scan(request).changes) == [
                "added .held", "added .held/x", "deleted gone", "deleted gone/a", "added other",
            ])
    }

    @Test("what another process changed meanwhile under a changed path is a conflict, and nothing else is")
    func conflicts() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run(
            """
            mkdir tree calm moved gone; echo a > tree/a; echo a > f; echo a > calm/f; echo a > away; echo a > moved/m; echo a > b
            mkdir into; echo a > gone/f; echo a > other
            """, in: "lower")
        let fence = ChangeFence.take()
        try space.step(
            "rm -r tree; echo b > f; echo n > new; echo b > away; mv moved/m into/m; echo b > calm/f; echo b > gone/f")
        try space.run("echo x > tree/x; echo c > f; echo m > new; rm away; echo x > other; rm -r gone", in: "lower")
        let changes = try space.scan(ScanRequest(fence: fence)).changes
        #expect(changes.conflicts == ["away", "f", "gone", "new", "tree", "tree/x"])
        #expect(try space.scan().changes.conflicts.isEmpty)
    }

    @Test("owners are compared and recorded as those of the workspace")
    func owners() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run("echo a > f; echo a > g", in: "lower")
        try space.step("exec 3<>f; echo b > g; echo n > n")
        let status = try Files.status("\(space.path)/lower/f")
        let request = ScanRequest(
            owners: OwnerMap(from: (status.uid, status.gid), to: (status.uid + 7, status.gid + 8)))
        let changes = try space.scan(request).changes
        #expect(lines(changes) == ["mode f", "modified g", "added n"])
        #expect(changes.paths.allSatisfy { $0.after?.uid == status.uid + 7 && $0.after?.gid == status.gid + 8 })
        #expect(changes.paths.compactMap(\.before).allSatisfy { $0.uid == status.uid })
    }

    @Test("writes are counted from a moment on: new and modified files, not deleted ones, directories or modes")
    func writes() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run("echo a > f; echo a > g; echo a > h", in: "lower")
        try space.step("echo b > f; echo n > n")
        let since = ChangeFence.take()
        try space.step("echo c > m; ln -s x l; mkdir d; chmod 700 g; rm h; echo d >> n")
        #expect(try space.scan().writes == 4)
        #expect(try space.scan(ScanRequest(since: since)).writes == 3)
    }

    @Test("a file that names more bytes than the limit is not read, and the result says so")
    func readLimit() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.step("truncate -s 4T big; echo a > small")
        let result = try space.scan(ScanRequest(readLimit: 1 << 20))
        #expect(!result.isComplete)
        #expect(result.changes.paths.map { $0.after?.digest } == [nil, .of("a\n".utf8)])
        #expect(result.changes.bytesWritten == 1 << 42 + 2)
        #expect(try space.scan(ScanRequest(excluded: ["big"], readLimit: 2)).isComplete)
    }

    @Test("only the marks of the kind of mount are believed; the other kind is the step's own")
    func forged() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run("mkdir d; echo a > d/f", in: "lower")
        try Files.makeDirectory("\(space.path)/upper/d", mode: 0o755)
        let upper = try Files.open("\(space.path)/upper/d", [.read, .directory])
        try ExtendedAttributes.set("user.overlay.opaque", [UInt8(ascii: "y")], upper.rawValue)
        #expect(
            try ChangeScanner.scan(
                upper: try space.tree("upper"), lower: try space.tree("lower"), marks: .trusted, ScanRequest()
            ).changes.isEmpty)
        #expect(lines(try space.scan().changes) == ["deleted d/f"])
        try ExtendedAttributes.set("user.overlay.redirect", Array("x".utf8), upper.rawValue)
        #expect(throws: SystemError.self) { try space.scan() }
    }

    @Test("paths of 5,000 bytes are scanned, and what is more than 256 levels deep is refused")
    func deep() throws {
        let space = try ScanSpace(in: ScanSpace.overlayBase)
        try space.run(
            """
            exec /usr/bin/python3 -c '
            import os
            def nest(name, count):
                home = os.open(".", os.O_RDONLY)
                for _ in range(count):
                    os.mkdir(name)
                    os.chdir(name)
                open("f", "w").close()
                os.fchdir(home)
            nest("n" * 250, 25)
            nest("d", 300)
            '
            """, in: "upper")
        let changes = try space.scan().changes
        #expect(changes.paths.count == 256 + 26)
        #expect(changes.paths.last?.path.bytes.count == 25 * 251 + 1)
        #expect(changes.refused.map(\.reason) == [.tooDeep])
        #expect(changes.refused.first?.path.bytes.count == 257 * 2 - 1)
    }
}
