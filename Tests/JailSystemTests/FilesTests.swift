import Glibc
import JailModel
import JailSystem
import Testing

@Suite("Files")
struct FilesTests {
    @Test("what was written is read back, up to the limit and not beyond it")
    func limits() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a", "12345678")
        #expect(try Files.read("\(directory.path)/a", limit: 8) == Array("12345678".utf8))
        let error = #expect(throws: SystemError.self) { try Files.read("\(directory.path)/a", limit: 7) }
        #expect(error?.errno == EFBIG)
    }

    @Test("an empty file is read as nothing, also with limit 0")
    func empty() throws {
        let directory = try TemporaryDirectory()
        try directory.write("a", "")
        #expect(try Files.read("\(directory.path)/a", limit: 0).isEmpty)
    }

    @Test("every descriptor is close-on-exec")
    func closeOnExec() throws {
        let file = try Files.open("/", [.read, .directory])
        #expect(fcntl(file.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        let confined = try Files.open("usr", [.path], at: file.rawValue, resolve: .beneath)
        #expect(fcntl(confined.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test("an error carries the path, escaped")
    func errorPath() throws {
        let error = #expect(throws: SystemError.self) { _ = try Files.open("/nowhere\n/x") }
        #expect(error == SystemError("open", errno: ENOENT, subject: "/nowhere\\n/x"))
    }

    @Test("a confined lookup does not leave its directory", arguments: ["..", "out", "/etc", "sub/../../x"])
    func beneath(path: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("sub/file", "")
        try directory.link("out", to: "/etc")
        let root = try Files.open(directory.path, [.path, .directory])
        let error = #expect(throws: SystemError.self) {
            _ = try Files.open(path, [.path], at: root.rawValue, resolve: .beneath)
        }
        #expect(error?.errno == EXDEV)
    }

    @Test("links are refused where that is asked")
    func noSymlinks() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "")
        try directory.link("link", to: "file")
        let root = try Files.open(directory.path, [.path, .directory])
        let error = #expect(throws: SystemError.self) {
            _ = try Files.open("link", [.path], at: root.rawValue, resolve: [.beneath, .noSymlinks])
        }
        #expect(error?.errno == ELOOP)
    }

    @Test("status tells kind, size and identity, and does not follow a last link unless asked")
    func status() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", "abc")
        try directory.link("link", to: "file")
        let file = try Files.status("\(directory.path)/file")
        #expect(file.kind == .file)
        #expect(file.size == 3)
        #expect(file.uid == geteuid())
        #expect(file.mode == 0o644)
        #expect(try Files.status("\(directory.path)/link").kind == .link)
        #expect(try Files.status("\(directory.path)/link", followingLinks: true).isSameFile(as: file))
        #expect(try Files.statusIfPresent("\(directory.path)/none") == nil)
        #expect(try Files.statusIfPresent("\(directory.path)/file/below") == nil)
        let open = try Files.open("\(directory.path)/file")
        #expect(try Files.status(open.rawValue) == file)
        #expect(try Files.readLink("\(directory.path)/link") == "file")
        #expect(try Files.status("/dev/null").kind == .characterDevice)
    }

    @Test("names come without . and .., also more than one buffer of them, and again after a rewind")
    func names() throws {
        let directory = try TemporaryDirectory()
        let expected = Set((0..<700).map { ByteString("a-rather-long-name-\($0)") })
        for name in expected { try directory.write(name.description, "") }
        let handle = try Files.open(directory.path, [.read, .directory])
        for _ in 0..<2 {
            let found = try Files.names(handle.rawValue)
            #expect(found.count == 700)
            #expect(Set(found) == expected)
        }
    }

    @Test("a name that is not UTF-8 survives")
    func bytes() throws {
        let directory = try TemporaryDirectory()
        let name = try #require(ByteString([0x61, 0xff, 0x0a]))
        let handle = try Files.open(directory.path, [.read, .directory])
        _ = try Files.open(name, [.write, .create], mode: 0o600, at: handle.rawValue)
        #expect(try Files.names(handle.rawValue) == [name])
        try Files.remove(name, at: handle.rawValue)
        #expect(try Files.names(handle.rawValue).isEmpty)
    }

    @Test("a path with a NUL is fatal and never shortened")
    func nul() async {
        await #expect(processExitsWith: .failure) { _ = try Files.open("/etc\0/x") }
    }

    @Test("the file system is told")
    func filesystem() throws {
        let proc = try Files.open("/proc", [.path, .directory])
        #expect(try Files.filesystem(proc.rawValue).type == FilesystemStatus.proc)
        let directory = try TemporaryDirectory()
        let handle = try Files.open(directory.path, [.read, .directory])
        let status = try Files.filesystem(handle.rawValue)
        #expect(status.size.value > 0)
        #expect(status.used.value <= status.size.value)
    }
}

@Suite("Path resolution")
struct PathResolutionTests {
    private func layout() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("real/file", "x")
        try directory.link("relative", to: "real")
        try directory.link("up", to: "real/../relative/file")
        try directory.link("absolute", to: "/usr/../usr")
        try directory.link("dangling", to: "nothing/here")
        try directory.link("loop", to: "loop")
        return directory
    }

    @Test(
        "links are followed and recorded",
        arguments: [
            ("real/file", "real/file", 0, true), ("relative/file", "real/file", 1, true),
            ("up", "real/file", 2, true), ("dangling", "nothing/here", 1, false),
            ("./real/./../real//file", "real/file", 0, true), ("real/none/deeper", "real/none/deeper", 0, false),
        ] as [(String, String, Int, Bool)])
    func resolves(path: String, expected: String, links: Int, exists: Bool) throws {
        let directory = try layout()
        // The temporary directory itself may lie behind a link.
        let base = try Files.resolve(directory.path)
        let found = try Files.resolve("\(base.path)/\(path)")
        #expect(found.path.description == "\(base.path)/\(expected)")
        #expect(found.links.count == links)
        #expect(found.exists == exists)
    }

    @Test("an absolute link starts again at the root")
    func absolute() throws {
        let directory = try layout()
        let found = try Files.resolve("\(directory.path)/absolute/bin")
        let expected = try Files.resolve("/usr/bin")
        #expect(found.path == expected.path)
    }

    @Test(
        "what cannot be resolved says why",
        arguments: [("loop", ELOOP), ("real/file/x", ENOTDIR), ("real/file/..", ENOTDIR)] as [(String, Int32)])
    func refuses(path: String, code: Int32) throws {
        let directory = try layout()
        let error = #expect(throws: SystemError.self) { _ = try Files.resolve("\(directory.path)/\(path)") }
        #expect(error?.errno == code)
    }

    @Test("a relative path is refused")
    func relative() {
        let error = #expect(throws: SystemError.self) { _ = try Files.resolve("etc") }
        #expect(error?.errno == EINVAL)
    }

    @Test("the root is itself")
    func root() throws {
        #expect(try Files.resolve("/").path == "/")
        #expect(try Files.resolve("/../..").path == "/")
    }
}
