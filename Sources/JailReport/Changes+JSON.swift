import JailModel

extension StepRecord {
    /// How many files a report lists; the patch and the undo manifest hold all.
    private static let fileLimit = 20_000

    /// `changes` of report.json.
    var changesJSON: JSONValue {
        guard let changes else {
            return [
                "conflicts": [], "files": [], "files_omitted": 0, "layer": "", "mode": .string(workspaceMode.rawValue),
                "notes": [],
                "patch": ["bytes": 0, "sha256": ""], "publication": "", "refused": [], "state": "none",
                "tree_after": "",
                "tree_before": "",
            ]
        }
        let files = changes.set.listed
        var before = ""
        var after = ""
        var publication = ""
        var conflicts = changes.set.conflicts
        switch changes.publication {
        case .notTried: break
        case .published(let old, let new, _, _):
            (before, after) = (old.hex, new.hex)
            publication = "published"
        case .conflict(let paths):
            conflicts = paths
            publication = "conflict"
        case .failed(let why): publication = why
        }
        return [
            "conflicts": .array(conflicts.map { .string(PercentText.name($0)) }),
            "files": .array(files.prefix(Self.fileLimit).map(\.json)),
            "files_omitted": .integer(Int64(max(0, files.count - Self.fileLimit))),
            "layer": .string(changes.layer), "mode": .string(workspaceMode.rawValue),
            "notes": .strings(changes.set.notes),
            "patch": ["bytes": .count(changes.patch.bytes), "sha256": .string(changes.patch.sha256?.hex ?? "")],
            "publication": .string(publication),
            "refused": .array(
                changes.set.refused.map {
                    ["path": .string(PercentText.name($0.path)), "reason": .string($0.reason.rawValue)]
                }),
            "state": .string(changes.state.rawValue), "tree_after": .string(after), "tree_before": .string(before),
        ]
    }
}

extension ChangeSet {
    /// What a reviewer has to see: every file, and the directories that no listed path tells of.
    fileprivate var listed: [ChangedPath] {
        let parents = Set(paths.compactMap(\.path.parent))
        return paths.filter { !$0.isDirectory || $0.kind == .mode || !parents.contains($0.path) }
    }
}

extension ByteString {
    /// The directory that the path lies in; `nil` at the top.
    fileprivate var parent: ByteString? {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return ByteString(bytes[..<slash])
    }
}

extension ChangedPath {
    var json: JSONValue {
        [
            "added": .count(lines?.added ?? 0), "binary": .bool(isBinary), "directory": .bool(isDirectory),
            "formatting": .count(lines?.formatting ?? 0),
            "from": from.map { .string(PercentText.name($0)) } ?? .null,
            "kind": .string(kind.rawValue), "mode_after": mode(after), "mode_before": mode(before),
            "path": .string(PercentText.name(path)),
            "path_bytes": path.string == nil ? .string(Base64.encode(path.bytes)) : .null,
            "removed": .count(lines?.removed ?? 0),
            "sha256_after": .string(after?.digest?.hex ?? ""), "sha256_before": .string(before?.digest?.hex ?? ""),
            "size_after": .count(after?.size ?? 0), "size_before": .count(before?.size ?? 0),
        ]
    }

    private func mode(_ state: ObjectState?) -> JSONValue {
        guard let state else { return nil }
        return .string(String(state.mode, radix: 8))
    }
}

extension PercentText {
    /// A path as text: itself when it is UTF-8, else percent-escaped.
    static func name(_ path: ByteString) -> String { path.string ?? escape(path.bytes) }
}
