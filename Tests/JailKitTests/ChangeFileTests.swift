import JailModel
import JailPlan
import JailSystem
import JailWorkspace
import Testing

@testable import JailKit

@Suite("changes.json")
struct ChangeFileTests {
    static func file(_ change: (inout ChangeFile) -> Void = { _ in }) -> ChangeFile {
        var file = ChangeFile(
            runID: "20260101T000000Z-0badcafe", workspace: "/work/pro\u{ff}ject \"x\"", content: .disk,
            fence: 1_767_225_600_000_000_001, owners: OwnerMap(from: (100_000, 100_001), to: (0, 4_294_967_294)),
            heldPlaces: [
                JailPlan.HeldPlace(path: [".github"], kind: .directory),
                JailPlan.HeldPlace(path: [".github", "workflows"], kind: .directory),
                JailPlan.HeldPlace(path: [".git", "commondir"], kind: .file(".")),
                JailPlan.HeldPlace(path: [".git", "config"], kind: .file("")),
            ],
            excluded: ["out/run", "tmp"], state: .pending, obstacles: ["a.c is outside workspace.write"],
            verdict: .childFailed,
            history: [
                ChangeFile.Entry(state: .pending, time: 1_767_225_600_000_000_002, isForced: false),
                ChangeFile.Entry(state: .committed, time: .max, isForced: true),
            ])
        change(&file)
        return file
    }

    static let files: [ChangeFile] =
        [
            file(), file { $0.owners = .identity }, file { $0.verdict = nil },
            file {
                $0.heldPlaces = []
                $0.excluded = []
                $0.obstacles = []
                $0.history = []
            },
        ] + ChangeState.allCases.map { state in file { $0.state = state } }
        + ChangeFile.Content.allCases.map { content in file { $0.content = content } }
        + Verdict.allCases.map { verdict in file { $0.verdict = verdict } }

    @Test("what was saved is what is loaded, and nothing else is left", arguments: files)
    func roundTrip(file: ChangeFile) throws {
        let scratch = try Scratch()
        let directory = try Files.open(scratch.path, [.read, .directory])
        try file.save(in: directory.rawValue)
        try file.save(in: directory.rawValue)
        #expect(try ChangeFile.load(from: directory.rawValue) == file)
        #expect(scratch.names == [ChangeFile.name])
        #expect(try Files.status(ChangeFile.name, at: directory.rawValue).mode & 0o7777 == 0o600)
    }

    @Test("a save over what a killed one left")
    func afterKill() throws {
        let scratch = try Scratch()
        try scratch.write("half", to: ChangeFile.name + ".new")
        let directory = try Files.open(scratch.path, [.read, .directory])
        try Self.file().save(in: directory.rawValue)
        #expect(try ChangeFile.load(from: directory.rawValue) == Self.file())
        #expect(scratch.names == [ChangeFile.name])
    }

    @Test("a run without changes has no file")
    func absent() throws {
        let scratch = try Scratch()
        let directory = try Files.open(scratch.path, [.read, .directory])
        #expect(try ChangeFile.load(from: directory.rawValue) == nil)
    }

    @Test("a link or a directory in its place is refused")
    func notAFile() throws {
        let scratch = try Scratch()
        let directory = try Files.open(scratch.path, [.read, .directory])
        try Self.file().save(in: directory.rawValue)
        try Files.rename(ChangeFile.name, at: directory.rawValue, to: "real", at: directory.rawValue, .replace)
        try Files.makeLink("real", named: ChangeFile.name, at: directory.rawValue)
        #expect(throws: SystemError.self) { try ChangeFile.load(from: directory.rawValue) }
    }

    @Test("each move is remembered")
    func move() {
        var file = Self.file { $0.history = [] }
        file.move(to: .committed, isForced: true)
        file.move(to: .rolledBack)
        #expect(file.state == .rolledBack)
        #expect(file.history.map(\.state) == [.committed, .rolledBack])
        #expect(file.history.map(\.isForced) == [true, false])
        #expect(file.history.allSatisfy { $0.time > 0 })
    }

    @Test("held places are told to the scanner with their content")
    func placeholders() {
        let found = Self.file().placeholders
        #expect(found.map(\.path) == [".github", ".github/workflows", ".git/commondir", ".git/config"])
        #expect(found.map(\.content) == [.emptyDirectory, .emptyDirectory, .file([0x2e]), .file([])])
    }
}

@Suite("a damaged changes.json is refused whole")
struct DamagedChangeFileTests {
    /// A key, and a value that it cannot have.
    static let damages: [(String, JSONValue?)] = [
        ("schema", "launch-jail/changes/v2"), ("run_id", 1), ("workspace", nil), ("content", "tape"), ("fence", "0"),
        ("state", "lost"), ("verdict", "good"), ("verdict", 1), ("verdict", nil), ("owners", nil), ("owners", []),
        ("owners", ["from_uid": 1, "from_gid": 1, "to_uid": 0]),
        ("owners", ["from_uid": -1, "from_gid": 1, "to_uid": 0, "to_gid": 0]),
        ("owners", ["from_uid": 4_294_967_296, "from_gid": 1, "to_uid": 0, "to_gid": 0]),
        ("held", nil), ("held", [["path": 1, "text": .null]]), ("held", [["path": "a", "text": 1]]),
        ("held", [["path": "a"]]), ("excluded", [1]), ("excluded", "tmp"), ("obstacles", ["a", 1]), ("obstacles", nil),
        ("history", [["forced": false, "state": "gone", "time_ns": 1]]),
        ("history", [["forced": 0, "state": "pending", "time_ns": 1]]), ("history", .null),
    ]

    private func load(_ text: String) throws -> ChangeFile? {
        let scratch = try Scratch()
        try scratch.write(text, to: ChangeFile.name)
        let directory = try Files.open(scratch.path, [.read, .directory])
        return try ChangeFile.load(from: directory.rawValue)
    }

    private func saved() throws -> String {
        let scratch = try Scratch()
        let directory = try Files.open(scratch.path, [.read, .directory])
        try ChangeFileTests.file().save(in: directory.rawValue)
        return try scratch.read(ChangeFile.name)
    }

    @Test("a value of another form, or a missing key", arguments: damages)
    func damaged(key: String, value: JSONValue?) throws {
        guard case .object(var members) = try JSONValue(parsing: Array(saved().utf8)) else {
            Issue.record("changes.json is no object")
            return
        }
        #expect(members[key] != nil)
        members[key] = value
        let text = String(decoding: JSONValue.object(members).encoded(.indented), as: UTF8.self)
        #expect(throws: SystemError.self) { try load(text) }
    }

    @Test("text that was cut anywhere")
    func cut() throws {
        let text = try saved()
        // The last two bytes are the closing brace and the line end, which nobody misses.
        for count in stride(from: 0, through: text.utf8.count - 2, by: 7) {
            let part = String(decoding: Array(text.utf8).prefix(count), as: UTF8.self)
            #expect(throws: SystemError.self) { try load(part) }
        }
        #expect(try load(text) == ChangeFileTests.file())
    }

    @Test("text that is something else", arguments: ["", "null", "[]", "{}", "\u{0}", "{\"schema\": true}"])
    func garbage(text: String) throws { #expect(throws: SystemError.self) { try load(text) } }
}
