import Glibc
import RunSupport
import Testing

/// One row of an escape table: an attack that works outside the jail and must be refused inside.
struct Attack: Sendable, CustomTestStringConvertible {
    /// Which user can do it without a jail.
    ///
    /// A row that only root can do proves nothing for anybody else.
    enum Who: Sendable { case anybody, rootOnly }

    /// Whether every kernel offers it.
    ///
    /// Where a kernel does not, the inside must still not work.
    enum Host: Sendable { case offersIt, mayLackIt }

    /// The row of the escape list.
    let row: String
    /// The words of the probe.
    ///
    /// `{work}`, `{outside}` … are replaced, see ``Scene``.
    let words: [String]
    var control: [String]?
    var who = Who.anybody
    var host = Host.offersIt
    /// What the report must list among the denials, when the denial is one that can be itemised.
    var denial: String?

    init(
        _ row: String, _ words: String, control: String? = nil, who: Who = .anybody, host: Host = .offersIt,
        denial: String? = nil
    ) {
        self.row = row
        self.words = words.split(separator: " ").map(String.init)
        self.control = control?.split(separator: " ").map(String.init)
        self.who = who
        self.host = host
        self.denial = denial
    }

    /// The same attack whose control run enters namespaces of its own first, where anybody is privileged.
    static func privileged(_ row: String, _ words: String, denial: String? = nil) -> Attack {
        Attack(row, words, control: words + " --own-ns", denial: denial)
    }

    var testDescription: String { row + " " + words.joined(separator: " ") }

    /// The rows that the user who runs the tests can judge.
    static func applicable(_ rows: [Attack]) -> [Attack] {
        rows.filter { $0.who == .anybody || Environment.isRoot }
    }
}

/// The stage with everything that the attacks reach for.
struct Scene {
    let stage: Stage
    /// Shown in the jail, read-only.
    let shown: String
    /// A file in the directory for temporary files, and one in shared memory.
    let temporaryFile: String
    let sharedFile: String

    init() throws {
        stage = try Stage()
        shown = try stage.scratch.directory("shown")
        try stage.scratch.file("shown/file")
        try stage.scratch.directory("shown/empty")
        try stage.scratch.file("outside/secret.txt", "outside secret\n")
        try stage.scratch.file("home/.ssh/id_ed25519", "private key\n", mode: 0o600)
        try stage.scratch.file("home/.bashrc")
        try stage.scratch.file("workevil/file")
        try stage.file("file.txt")
        try stage.file("src/a.c")
        try stage.file(".git/HEAD", "ref: refs/heads/main\n")
        try stage.file(".git/config", "[core]\n")
        try stage.file(".git/hooks/pre-push.sample")
        try stage.file("fixed/file.txt")
        try stage.file("vendor/repo/file.txt")
        try Files.copy(Probe.trueProgram, to: stage.work("vendor/repo/tool"))
        try Files.copy(Probe.trueProgram, to: stage.work("tool"))
        try Files.copy("/usr/bin/true", to: stage.work("dynamic"))
        try Files.copy("/usr/bin/true", to: stage.work("vendor/repo/dynamic"))
        try Files.write(stage.work("script"), "#!/bin/sh\nexit 0\n", mode: 0o755)
        try Files.link(stage.outside + "/secret.txt", at: stage.work("way-out"))
        try Files.link(stage.outside, at: stage.work("way-out-dir"))
        // Scratch cleans these up with the stage: they live beside it.
        temporaryFile = try Scene.uniqueFile("/tmp")
        sharedFile = try Scene.uniqueFile("/dev/shm")
    }

    private static func uniqueFile(_ directory: String) throws -> String {
        let path = "\(directory)/ljtest-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Files.write(path, "outside\n")
        return path
    }

    func cleanUp() {
        unlink(temporaryFile)
        unlink(sharedFile)
    }

    static let writable = "[\"**\"]"

    func policy(write: String = Scene.writable, exec: [String] = ["workspace: allow"]) -> String {
        Policies.direct(
            write: write,
            workspace: [
                "protect: [\".git/hooks\", \".git/config\", \".github/workflows\", \".agent/settings.json\"]",
                "untrusted: [\"vendor/repo\"]",
            ],
            filesystem: ["tmp: 16MiB"], read: [shown], exec: exec)
    }

    func expand(_ words: [String], pid: Int32 = 0) -> [String] {
        let values = [
            "{work}": stage.workspace, "{outside}": stage.outside, "{home}": stage.home, "{shown}": shown,
            "{state}": stage.state, "{tmpfile}": temporaryFile, "{shmfile}": sharedFile, "{pid}": "\(pid)",
            "{probe}": Probe.escape,
        ]
        return words.map { word in
            var out = word
            for (name, value) in values where out.contains(name) {
                out = out.split(separator: name, omittingEmptySubsequences: false).joined(separator: value)
            }
            return out
        }
    }
}

/// A harmless process of the test's user, whose number cannot be one of the jail's own small numbers.
final class Bystander {
    private let process: RunningProcess
    var pid: Int32 { process.pid }

    init() throws {
        while true {
            let process = try RunningProcess(ProcessRequest([Probe.busy, "sleep", "38"]))
            if process.pid > 200 {
                self.process = process
                return
            }
            process.send(SIGKILL)
            _ = process.finish()
        }
    }

    deinit { process.send(SIGKILL) }
}

/// Runs the attack without a jail, which must work, and then inside, which must not.
func judge(_ attack: Attack, policy: String? = nil, options: [String] = [], wrapper: [String] = []) throws {
    let outsideScene = try Scene()
    defer { outsideScene.cleanUp() }
    let bystander = try attack.words.contains("{pid}") ? Bystander() : nil
    let pid = bystander?.pid ?? 0
    let words = outsideScene.expand(attack.control ?? attack.words, pid: pid)
    let control = try Probe.control(words, on: outsideScene.stage, wrapper: wrapper)
    switch attack.host {
    case .offersIt:
        #expect(control.outcome == .worked, "the control run must work: \(control.result.out)\(control.result.err)")
    case .mayLackIt:
        #expect(control.outcome != .lost("\(control.result.end)"))
    }

    // A scene of its own: the control may have changed the first one.
    let scene = try Scene()
    defer { scene.cleanUp() }
    var run = JailRun([Probe.escape] + scene.expand(attack.words, pid: pid), policy: policy ?? scene.policy())
    run.options = options
    run.wrapper = wrapper
    let result = try scene.stage.launch(run)
    let outcome = Probe.outcome(result)
    let isHeld = outcome == .refused || (attack.host == .mayLackIt && outcome == .broken)
    #expect(isHeld, "\(outcome)\n\(result.account)")
    if let denial = attack.denial { expectDenial(denial, in: result) }
}

/// The report lists a denial with this word in its subject or rule.
func expectDenial(_ name: String, in result: JailResult) {
    let denials = result.report?["denials"].items ?? []
    let isListed = denials.contains { denial in
        [denial["subject"].text, denial["rule"].text].contains { $0?.contains(name) == true }
    }
    #expect(isListed, "the report does not list the denial of \(name): \(denials)")
}
