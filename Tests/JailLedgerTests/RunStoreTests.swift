import Glibc
import JailLedger
import JailModel
import JailSystem
import Testing

@Suite("run store")
struct RunStoreTests {
    let temporary: TemporaryDirectory
    let store: RunStore

    init() throws {
        temporary = try TemporaryDirectory()
        store = RunStore(root: temporary("runs"))
    }

    /// A run that ended long ago, with or without a report.
    private func add(_ name: String, report: Bool = true) throws {
        let run = try RunDirectory(creating: store.root + "/" + name)
        if report { try run.write(Array("{}".utf8), to: .report) }
    }

    private func cause(_ reference: String) -> LedgerError.Cause? {
        do {
            _ = try store.resolve(reference)
            return nil
        } catch {
            return error.cause
        }
    }

    @Test("the root follows the environment; a relative value does not count")
    func standard() throws {
        #expect(try RunStore.standard(["XDG_STATE_HOME": "/s", "HOME": "/h"]).root == "/s/launch-jail/runs")
        #expect(try RunStore.standard(["HOME": "/h"]).root == "/h/.local/state/launch-jail/runs")
        #expect(
            try RunStore.standard(["XDG_STATE_HOME": "s", "HOME": "/h"]).root == "/h/.local/state/launch-jail/runs")
        for environment in [[:], ["HOME": ""], ["HOME": "h"], ["XDG_STATE_HOME": ""]] {
            #expect(throws: LedgerError(.noStateDirectory, path: "")) { _ = try RunStore.standard(environment) }
        }
    }

    @Test("no directory, no runs")
    func absent() throws {
        #expect(try store.runs().isEmpty)
        #expect(cause("latest") == .notFound)
    }

    @Test("newest first, by the id's time, with their states")
    func list() throws {
        try add("20260101T000000Z-00000001")
        try add("20260301T000000Z-00000000", report: false)
        try add("20260201T000000Z-ffffffff")
        let running = try RunDirectory(creating: store.root + "/20251231T235959Z-00000009")
        let runs = try store.runs()
        #expect(
            runs.map(\.name) == [
                "20260301T000000Z-00000000", "20260201T000000Z-ffffffff", "20260101T000000Z-00000001",
                "20251231T235959Z-00000009",
            ])
        #expect(runs.map(\.state) == [.interrupted, .finished, .finished, .running])
        #expect(running.descriptor >= 0)
    }

    @Test("a run is running only as long as its launch-jail lives")
    func liveness() throws {
        func state() throws -> RunState? { try store.runs().first?.state }
        let run = try RunDirectory(creating: store.root + "/20260101T000000Z-00000001")
        #expect(try state() == .running)
        // Asking must not disturb the lock.
        #expect(try state() == .running)
        _ = consume run
        #expect(try state() == .interrupted)
    }

    @Test("links, files and other directories are no runs, and `latest` is not a name on disk")
    func ignores() throws {
        try add("20260101T000000Z-00000001")
        mkdir(store.root + "/20270101T000000Z-00000001", 0o700)
        close(open(store.root + "/20280101T000000Z-00000001", O_CREAT | O_WRONLY, 0o600))
        #expect(symlink(store.root + "/20260101T000000Z-00000001", store.root + "/20290101T000000Z-00000001") == 0)
        #expect(symlink("/etc", store.root + "/latest") == 0)
        #expect(try store.runs().map(\.name) == ["20260101T000000Z-00000001"])
        #expect(try store.resolve("latest").name == "20260101T000000Z-00000001")
    }

    @Test("an id, a unique prefix, a path")
    func resolves() throws {
        try add("20260101T000000Z-00000001")
        try add("20260101T000000Z-00000002")
        try add("20260102T000000Z-00000003")
        try add("20260102")
        #expect(try store.resolve("20260101T000000Z-00000002").name == "20260101T000000Z-00000002")
        #expect(try store.resolve("20260102T").name == "20260102T000000Z-00000003")
        #expect(try store.resolve("20260102").name == "20260102")
        #expect(try store.resolve(store.root + "/20260102/").name == "20260102")
        #expect(
            cause("20260101") == .ambiguous(["20260101T000000Z-00000002", "20260101T000000Z-00000001"]))
        for absent in ["2027", "", "a\u{0}b", "/nonexistent", "x/y"] { #expect(cause(absent) == .notFound) }
        #expect(cause("/usr") == .notARun)
    }

    @Test("a run elsewhere is found by its path and dated by its lock")
    func elsewhere() throws {
        let before = WallTime(seconds: WallTime.now().seconds - 2)
        _ = try RunDirectory(creating: temporary("mine"))
        let run = try store.resolve(temporary("mine"))
        #expect(run.state == .interrupted)
        #expect(run.created >= before)
    }

    @Test("a file is read back; a FIFO or link in its place does not hang or lead away")
    func reads() throws {
        try add("20260101T000000Z-00000001")
        let run = try store.resolve("latest")
        #expect(try store.read(.report, of: run) == Array("{}".utf8))
        #expect(throws: LedgerError.self) { _ = try store.read(.report, of: run, limit: 1) }
        #expect(throws: LedgerError.self) { _ = try store.read(.events, of: run) }
        mkfifo(run.path + "/events.ndjson", 0o600)
        #expect(throws: LedgerError.self) { _ = try store.read(.events, of: run) }
        #expect(symlink("/etc/passwd", run.path + "/stdout.log") == 0)
        #expect(throws: LedgerError.self) { _ = try store.read(.stdout, of: run) }
    }
}

@Suite("ledger errors")
struct LedgerErrorTests {
    static let causes: [LedgerError.Cause] = [
        .occupied(by: "a file"), .evidencePresent("report.json"), .foreignOwner(0), .tooOpen(mode: 0o755),
        .unusablePath("x"), .noStateDirectory, .notFound, .notARun, .ambiguous(["a", "b"]),
        .system(operation: "write", errno: ENOSPC), .system(operation: "write", errno: EDQUOT),
        .system(operation: "create the directory", errno: EROFS), .system(operation: "open", errno: EACCES),
        .system(operation: "open", errno: EMFILE), .system(operation: "write", errno: EIO),
    ]

    @Test("each has a cause and a hint, in one line that cannot steer a terminal", arguments: causes)
    func text(cause: LedgerError.Cause) {
        let error = LedgerError(cause, path: "/a\n\u{1b}[2J/run")
        #expect(!error.message.isEmpty && !error.hint.isEmpty)
        #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test("what the user named is exit 2, what stops the evidence is exit 5")
    func verdicts() {
        #expect(LedgerError(.evidencePresent("x"), path: "").verdict == .invalid)
        #expect(LedgerError(.system(operation: "open", errno: EROFS), path: "").verdict == .invalid)
        #expect(LedgerError(.system(operation: "write", errno: ENOSPC), path: "").verdict == .internal)
        #expect(LedgerError(.system(operation: "write", errno: EIO), path: "").verdict == .internal)
        #expect(LedgerError(.reservedKey("chain"), path: "").verdict == .internal)
    }
}
