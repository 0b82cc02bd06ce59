import Glibc
import JailModel
import JailSystem
import Testing

@Suite("Host facts")
struct HostFactsTests {
    @Test("this host is described")
    func facts() throws {
        let directory = try TemporaryDirectory()
        let facts = try HostFactsReader.read(workspace: directory.path, paths: { _ in ["/etc/passwd", "/nowhere/x"] }) {
            _ in nil
        }
        #expect(facts.kernel.contains("."))
        #expect(["x86_64", "aarch64"].contains(facts.arch))
        #expect(facts.uid == geteuid())
        #expect(facts.gid == getegid())
        #expect(facts.tier == .t1)
        #expect(facts.landlockABI == HostFactsReader.landlockABI())
        #expect(facts.hasTaskClock == TaskClock.isAvailable())
        #expect(facts.paths["/etc/passwd"]?.kind == .file)
        #expect(facts.paths["/nowhere/x"]?.kind == .absent)
        #expect(facts.paths[directory.path]?.kind == .directory)
        #expect(facts.paths["/"]?.kind == .directory)
        #expect(facts.target.outsideUID != 0)
        if geteuid() != 0 {
            #expect(facts.target.insideUID == geteuid())
            #expect(!facts.target.isMapped)
        } else {
            #expect(facts.target.insideUID == 0)
            #expect(facts.target.isMapped)
        }
    }

    @Test("a workspace that is not there is an error with its name")
    func missing() {
        let error = #expect(throws: SystemError.self) {
            _ = try HostFactsReader.read(workspace: "/nowhere", paths: { _ in [] }) { _ in nil }
        }
        #expect(error?.errno == ENOENT)
        #expect(error?.subject == "/nowhere")
    }

    @Test("every component and every link on the way is recorded")
    func links() throws {
        let directory = try TemporaryDirectory()
        try directory.write("real/file", "x")
        try directory.link("one", to: "two")
        try directory.link("two", to: "real")
        try directory.link("gone", to: "real/none")
        try directory.link("loop", to: "loop/x")
        let base = directory.path
        let facts = try HostFactsReader.pathFacts(["\(base)/one/file", "\(base)/gone/deep", "\(base)/loop"])
        #expect(facts["\(base)/one"]?.kind == .link("two"))
        #expect(facts["\(base)/two"]?.kind == .link("real"))
        #expect(facts["\(base)/real"]?.kind == .directory)
        #expect(facts["\(base)/real/file"]?.kind == .file)
        #expect(facts["\(base)/gone"]?.kind == .link("real/none"))
        #expect(facts["\(base)/real/none"]?.kind == .absent)
        #expect(facts["\(base)/loop"]?.kind == .link("loop/x"))
        #expect(facts[base]?.kind == .directory)
        let file = try Files.status("\(base)/real/file")
        #expect(facts["\(base)/real/file"]?.inode == file.inode)
        #expect(facts["\(base)/real/file"]?.device == file.device)
        #expect(facts["\(base)/real/file"]?.mode == file.mode)
    }

    @Test("a path that is asked for itself is recorded when it is absent, with a part above missing too")
    func absent() throws {
        let facts = try HostFactsReader.pathFacts(["/nowhere/a/b"])
        #expect(facts["/nowhere"]?.kind == .absent)
        #expect(facts["/nowhere/a/b"]?.kind == .absent)
    }

    @Test("a relative path is refused")
    func relative() {
        #expect(throws: SystemError.self) { _ = try HostFactsReader.pathFacts(["etc"]) }
    }
}
