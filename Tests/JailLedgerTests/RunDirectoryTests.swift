import Glibc
import JailLedger
import JailModel
import JailSystem
import Testing

private func cause(_ body: () throws -> Void) -> LedgerError.Cause? {
    do {
        try body()
        return nil
    } catch {
        return (error as? LedgerError)?.cause
    }
}

private func create(_ path: String) throws { _ = try RunDirectory(creating: path) }

@Suite("run directory")
struct RunDirectoryTests {
    let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    @Test("it and its missing parents are made with mode 0700")
    func creates() throws {
        let path = temporary("a/b/run")
        let run = try RunDirectory(creating: path + "//")
        #expect(run.path == path)
        for part in ["a", "a/b", "a/b/run"] { #expect(mode(temporary(part)) == 0o700) }
        #expect(try run.resolvedPath().description.hasSuffix("/a/b/run"))
    }

    @Test("files are made with mode 0600, in their folders, and never twice")
    func files() throws {
        let run = try RunDirectory(creating: temporary("run"))
        let files: [RunFile] = [
            .validationReport, .gateLog(.budgets), .gateLog(.pinnedRefs), .issue(1, .networkAllowlist), .report,
        ]
        for file in files {
            try run.write(Array("x".utf8), to: file)
            #expect(mode(run.path + "/" + file.path) == 0o600)
            #expect(contents(run.path + "/" + file.path) == Array("x".utf8))
        }
        #expect(RunFile.issue(1, .networkAllowlist).path == "issues/0001_gate_n_network_allowlist.issue.json")
        for file in files where file != .report {
            #expect(
                cause { try run.write([], to: file) } == .system(operation: "open", errno: EEXIST))
        }
        #expect(!TemporaryDirectory.names(run.path).contains("report.json.new"))
    }

    @Test("a link that waits in a file's place is not followed", arguments: ["report.json.new", "stdout.log", "gates"])
    func plantedLink(name: String) throws {
        let run = try RunDirectory(creating: temporary("run"))
        let victim = temporary("victim")
        #expect(symlink(victim, run.path + "/" + name) == 0)
        #expect(throws: LedgerError.self) {
            switch name {
            case "stdout.log": _ = try run.create(.stdout)
            case "gates": try run.write([1], to: .gateLog(.budgets))
            default: try run.write([1], to: .report)
            }
        }
        #expect(mode(victim) == nil)
    }

    @Test("what is no directory is refused and left alone")
    func otherKinds() throws {
        let path = temporary("run")
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(cause { try create(path) } == .occupied(by: "a file"))
        unlink(path)
        mkfifo(path, 0o600)
        #expect(cause { try create(path) } == .occupied(by: "a FIFO"))
        unlink(path)
        mkdir(temporary("real"), 0o700)
        #expect(symlink(temporary("real"), path) == 0)
        #expect(cause { try create(path) } == .occupied(by: "a symbolic link"))
        #expect(cause { try create(path + "/") } == .occupied(by: "a symbolic link"))
        #expect(TemporaryDirectory.names(temporary("real")).isEmpty)
    }

    @Test(
        "a directory that holds evidence is refused, and the evidence stays",
        arguments: ["report.json", "events.ndjson", "lock"])
    func evidence(name: String) throws {
        let path = temporary("run")
        mkdir(path, 0o700)
        let file = open(path + "/" + name, O_CREAT | O_WRONLY, 0o600)
        #expect(write(file, "old", 3) == 3)
        close(file)
        #expect(cause { try create(path) } == .evidencePresent(name))
        #expect(contents(path + "/" + name) == Array("old".utf8))
        #expect(TemporaryDirectory.names(path) == [name])
    }

    @Test("a second launch-jail in the same directory is refused")
    func second() throws {
        let first = try RunDirectory(creating: temporary("run"))
        #expect(cause { try create(temporary("run")) } == .evidencePresent("lock"))
        #expect(first.descriptor >= 0)
    }

    @Test("an empty directory is closed to others; one with files in it, or a shared one, is refused")
    func existing() throws {
        let path = temporary("empty")
        mkdir(path, 0o755)
        try create(path)
        #expect(mode(path) == 0o700)

        let used = temporary("used")
        mkdir(used, 0o755)
        close(open(used + "/notes", O_CREAT | O_WRONLY, 0o600))
        #expect(cause { try create(used) } == .tooOpen(mode: 0o755))
        #expect(mode(used) == 0o755)

        let shared = temporary("shared")
        mkdir(shared, 0o755)
        chmod(shared, 0o1777)
        #expect(cause { try create(shared) } == .tooOpen(mode: 0o1777))
        #expect(mode(shared) == 0o1777)
    }

    @Test("a directory of another user is refused")
    func foreign() throws {
        // An ordinary user meets root's directory; root makes a directory for somebody else.
        if geteuid() == 0 {
            mkdir(temporary("run"), 0o700)
            #expect(chown(temporary("run"), 65534, 65534) == 0)
            #expect(cause { try create(temporary("run")) } == .foreignOwner(65534))
        } else {
            #expect(cause { try create("/usr") } == .foreignOwner(0))
        }
    }

    @Test("names that are none", arguments: ["", "/", ".", "..", "a/..", "./"])
    func names(path: String) {
        #expect(throws: LedgerError.self) { try create(path) }
    }

    @Test("a NUL in the path is an error, not a shorter path")
    func nul() { #expect(cause { try create(temporary("a\u{0}b")) } == .unusablePath("a path holds no NUL byte")) }

    @Test("a path through a file names the cause and what to do")
    func throughFile() throws {
        close(open(temporary("file"), O_CREAT | O_WRONLY, 0o600))
        do {
            try create(temporary("file/run"))
            Issue.record("no error")
        } catch let error as LedgerError {
            #expect(error.verdict == .invalid)
            #expect(error.description.contains("not a directory"))
            #expect(error.description.contains("--run-dir"))
        }
    }

    @Test("what is discarded is gone; a directory that was there before stays")
    func discards() throws {
        let run = try RunDirectory(creating: temporary("run"))
        _ = try run.create(.stdout)
        run.discard()
        #expect(mode(temporary("run")) == nil)
        mkdir(temporary("mine"), 0o700)
        try RunDirectory(creating: temporary("mine")).discard()
        #expect(TemporaryDirectory.names(temporary("mine")).isEmpty)
        #expect(mode(temporary("mine")) == 0o700)
    }
}

@Suite("event log")
struct EventLogTests {
    @Test("events are in the file as they happen, and verify against the count and head")
    func writes() throws {
        let temporary = try TemporaryDirectory()
        let run = try RunDirectory(creating: temporary("run"))
        let id = RunID.fresh()
        let log = try EventLog(in: run, runID: id) { WallTime(seconds: 1_767_225_600) }
        for index in 0..<100 {
            try log.append(Event(.denial, ["n": .integer(Int64(index))]))
            let bytes = try #require(contents(run.path + "/events.ndjson"))
            #expect(bytes.count { $0 == UInt8(ascii: "\n") } == index + 1)
        }
        let bytes = try #require(contents(run.path + "/events.ndjson"))
        #expect(ChainVerifier.verify(bytes, expected: (log.count, log.head)).isIntact)
        #expect(log.count == 100)
        #expect(mode(run.path + "/events.ndjson") == 0o600)
    }

    @Test("an existing log is never opened again")
    func exclusive() throws {
        let temporary = try TemporaryDirectory()
        let run = try RunDirectory(creating: temporary("run"))
        let log = try EventLog(in: run, runID: .fresh())
        try log.append(Event(.runCreated))
        #expect(throws: LedgerError.self) { _ = try EventLog(in: run, runID: .fresh()) }
        #expect(log.count == 1)
    }

    @Test("a full disk is told at once, with what to do, and never swallowed later")
    func fullDisk() throws {
        let device = OwnedFD(taking: open("/dev/full", O_WRONLY | O_CLOEXEC))
        let log = EventLog(writingTo: device, path: "RUN/events.ndjson", runID: .fresh()) { WallTime(seconds: 0) }
        for _ in 0..<2 {
            do {
                try log.append(Event(.runCreated))
                Issue.record("no error")
            } catch {
                #expect(error.cause == .system(operation: "write", errno: ENOSPC))
                #expect(error.verdict == .internal)
                #expect(error.hint.contains("free some space"))
            }
        }
        #expect(log.count == 0)
    }

    @Test("an event that could not be kept is told, and nothing is written after it")
    func sticky() throws {
        let temporary = try TemporaryDirectory()
        let run = try RunDirectory(creating: temporary("run"))
        let log = try EventLog(in: run, runID: .fresh())
        try log.append(Event(.runCreated))
        let head = log.head
        #expect(throws: LedgerError(.reservedKey("chain"), path: "events.ndjson")) {
            try log.append(Event(.error, ["chain": 1]))
        }
        #expect(throws: LedgerError.self) { try log.append(Event(.runCompleted)) }
        #expect(log.failure != nil)
        #expect(log.count == 1 && log.head == head)
        let bytes = try #require(contents(run.path + "/events.ndjson"))
        #expect(ChainVerifier.verify(bytes, expected: (1, head)).isIntact)
    }
}
