import JailLaunch
import JailModel
import JailPlan
import JailPolicy
import JailSystem
import JailWorkspace

/// What `commit`, `discard` and `rollback` have to know about a run's changes later: `changes.json` of its directory.
///
/// Written by a rename, so that it is whole after a kill.
struct ChangeFile: Sendable, Hashable {
    static let name = "changes.json"
    private static let schema = "launch-jail/changes/v1"

    enum Content: String, Sendable, Hashable, CaseIterable { case memory, disk, copy }

    /// A moment in the life of the changes.
    struct Entry: Sendable, Hashable {
        var state: ChangeState
        /// Nanoseconds since 1970.
        var time: Int64
        var isForced: Bool
    }

    var runID: String
    var workspace: String
    var content: Content
    var fence: Int64
    var owners: OwnerMap
    var heldPlaces: [JailPlan.HeldPlace]
    /// Paths that are no part of the change set.
    var excluded: [String]
    var state: ChangeState
    /// Why they may never be published, a phrase each; empty when a person may decide.
    var obstacles: [String]
    /// The verdict of the run; `nil` while it is going on.
    var verdict: Verdict?
    var history: [Entry]
    /// What the policy lets change, for what was not judged before.
    var rules = ChangeRules.nothing
    /// The inode of the workspace's directory, so that another one in its place is noticed; 0 when it is not known.
    var workspaceInode: UInt64 = 0

    var placeholders: [JailWorkspace.HeldPlace] {
        heldPlaces.map { place in
            switch place.kind {
            case .directory: JailWorkspace.HeldPlace(path: ByteString(place.text), content: .emptyDirectory)
            case .file(let text):
                JailWorkspace.HeldPlace(path: ByteString(place.text), content: .file(Array(text.utf8)))
            }
        }
    }

    mutating func move(to state: ChangeState, isForced: Bool = false) {
        self.state = state
        history.append(Entry(state: state, time: Files.fileTime, isForced: isForced))
    }
}

// MARK: the file

extension ChangeFile {
    /// Writes the file in a run directory.
    func save(in directory: Int32) throws(SystemError) {
        let temporary = Self.name + ".new"
        try? Files.remove(temporary, at: directory)
        let output = try Files.open(
            temporary, [.write, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        try Files.writeAll(output.rawValue, json.encoded(.indented, asciiOnly: true) + [UInt8(ascii: "\n")])
        try Files.sync(output.rawValue, subject: Self.name)
        try Files.rename(temporary, at: directory, to: Self.name, at: directory, .replace)
        try Files.sync(directory)
    }

    /// Reads the file; `nil` when the run has none.
    static func load(from directory: Int32) throws(SystemError) -> ChangeFile? {
        guard let status = try Files.statusIfPresent(name, at: directory) else { return nil }
        guard status.kind == .file, status.uid == Files.userID else {
            throw SystemError("read", errno: 22, subject: name, hint: "it is not a file of ours")
        }
        let file = try Files.open(name, [.read, .noFollow, .nonBlocking], at: directory)
        let bytes = try Files.readAll(file.rawValue, limit: 16 << 20, subject: name)
        guard let value = try? JSONValue(parsing: bytes), let read = ChangeFile(value) else {
            throw SystemError("read", errno: 22, subject: name, hint: "it is not what launch-jail writes")
        }
        return read
    }

    private var json: JSONValue {
        [
            "content": .string(content.rawValue),
            "excluded": .array(excluded.map { .string($0) }),
            "fence": .integer(fence),
            "held": .array(
                heldPlaces.map { place in
                    switch place.kind {
                    case .directory: ["path": .string(place.text), "text": nil]
                    case .file(let text): ["path": .string(place.text), "text": .string(text)]
                    }
                }),
            "history": .array(
                history.map {
                    ["forced": .bool($0.isForced), "state": .string($0.state.rawValue), "time_ns": .integer($0.time)]
                }),
            "obstacles": .array(obstacles.map { .string($0) }),
            "owners": Self.json(owners),
            "rules": [
                "protect": .array(rules.protect.map { .string($0.text) }),
                "untrusted": .array(rules.untrusted.map { .string($0.text) }),
                "write": .array(rules.write.map { .string($0.text) }),
            ],
            "run_id": .string(runID), "schema": .string(Self.schema), "state": .string(state.rawValue),
            "verdict": verdict.map { .string($0.rawValue) } ?? .null,
            "workspace": .string(workspace), "workspace_inode": .string(String(workspaceInode)),
        ]
    }

    private static func json(_ owners: OwnerMap) -> JSONValue {
        guard let from = owners.from, let to = owners.to else { return nil }
        return [
            "from_gid": .integer(Int64(from.gid)), "from_uid": .integer(Int64(from.uid)),
            "to_gid": .integer(Int64(to.gid)), "to_uid": .integer(Int64(to.uid)),
        ]
    }

    private init?(_ json: JSONValue) {
        guard json["schema"] == .string(Self.schema), case .string(let runID)? = json["run_id"],
            case .string(let workspace)? = json["workspace"], case .string(let content)? = json["content"],
            let content = Content(rawValue: content), case .integer(let fence)? = json["fence"],
            case .string(let state)? = json["state"], let state = ChangeState(rawValue: state),
            case .array(let held)? = json["held"], case .array(let excluded)? = json["excluded"],
            case .array(let obstacles)? = json["obstacles"], case .array(let history)? = json["history"]
        else { return nil }
        guard let rules = json["rules"].flatMap(Self.rules),
            let inode = json["workspace_inode"]?.text.flatMap({ UInt64($0) })
        else { return nil }
        self.rules = rules
        workspaceInode = inode
        self.runID = runID
        self.workspace = workspace
        self.content = content
        self.fence = fence
        self.state = state
        switch json["owners"] {
        case .null?: owners = .identity
        case let value?:
            guard let map = Self.owners(value) else { return nil }
            owners = map
        case nil: return nil
        }
        heldPlaces = held.compactMap(Self.place)
        self.excluded = excluded.compactMap(\.text)
        self.obstacles = obstacles.compactMap(\.text)
        switch json["verdict"] {
        case .null?: verdict = nil
        case .string(let word)?:
            guard let known = Verdict(rawValue: word) else { return nil }
            verdict = known
        default: return nil
        }
        self.history = history.compactMap(Self.entry)
        // An entry that cannot be read is never dropped: a lost obstacle would let the changes be published.
        guard heldPlaces.count == held.count, self.excluded.count == excluded.count,
            self.obstacles.count == obstacles.count, self.history.count == history.count
        else { return nil }
    }

    private static func rules(_ json: JSONValue) -> ChangeRules? {
        func texts(_ name: String) -> [String]? {
            guard case .array(let list)? = json[name] else { return nil }
            let found = list.compactMap(\.text)
            return found.count == list.count ? found : nil
        }
        guard let write = texts("write"), let protect = texts("protect"), let untrusted = texts("untrusted") else {
            return nil
        }
        return ChangeRules(keptWrite: write, protect: protect, untrusted: untrusted)
    }

    private static func place(_ json: JSONValue) -> JailPlan.HeldPlace? {
        guard let path = json["path"]?.text else { return nil }
        let components = path.split(separator: "/").map(String.init)
        switch json["text"] {
        case .null?: return JailPlan.HeldPlace(path: components, kind: .directory)
        case .string(let text)?: return JailPlan.HeldPlace(path: components, kind: .file(text))
        default: return nil
        }
    }

    private static func entry(_ json: JSONValue) -> Entry? {
        guard let state = json["state"]?.text.flatMap({ ChangeState(rawValue: $0) }),
            case .integer(let time)? = json["time_ns"], case .bool(let isForced)? = json["forced"]
        else { return nil }
        return Entry(state: state, time: time, isForced: isForced)
    }

    private static func owners(_ json: JSONValue) -> OwnerMap? {
        func id(_ name: String) -> UInt32? {
            guard case .integer(let value)? = json[name] else { return nil }
            return UInt32(exactly: value)
        }
        guard let fromUID = id("from_uid"), let fromGID = id("from_gid"), let toUID = id("to_uid"),
            let toGID = id("to_gid")
        else { return nil }
        return OwnerMap(from: (fromUID, fromGID), to: (toUID, toGID))
    }
}

extension JSONValue {
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
}
