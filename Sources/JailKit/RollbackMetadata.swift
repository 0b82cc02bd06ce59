import JailModel
import JailSystem
import JailWorkspace

/// `artifacts/pr.json`: how to take a published change back, for systems that keep that beside a pull request
/// (guarantees.md, section L).
///
/// Written when the workspace is a git repository and something was published.
enum RollbackMetadata {
    /// Writes the file into a run directory.
    static func write(run: Int32, runID: String, base: String, changes: ChangeSet) throws(SystemError) {
        guard !changes.paths.isEmpty else { return }
        let paths = changes.paths.filter { !$0.isDirectory }.flatMap { [$0.path, $0.from].compactMap { $0 } }
        let json: JSONValue = [
            "affected_paths": .array(Set(paths).sorted().map { .string($0.description) }),
            "base_ref": .string(base),
            "rollback_steps": [
                .string("launch-jail rollback --verify-only \(runID)"), .string("launch-jail rollback \(runID)"),
            ],
            "run_id": .string(runID),
        ]
        if try Files.statusIfPresent("artifacts", at: run) == nil { try Files.makeDirectory("artifacts", at: run) }
        let folder = try Files.open("artifacts", [.read, .directory, .noFollow], at: run)
        let output = try Files.open(
            "pr.json", [.write, .create, .truncate, .noFollow], mode: 0o600, at: folder.rawValue)
        try Files.writeAll(output.rawValue, json.encoded(.indented, asciiOnly: true) + [UInt8(ascii: "\n")])
    }

    /// The commit that HEAD names, read from the repository's own files: git itself would run what its configuration
    /// names.
    ///
    /// gitrepository-layout(5).
    static func head(_ workspace: borrowing WorkspaceTree) -> String? {
        guard let text = line(".git/HEAD", workspace) else { return nil }
        guard text.hasPrefix("ref: ") else { return commit(text) }
        let name = String(text.dropFirst(5))
        guard !name.split(separator: "/").contains("..") else { return nil }
        if let direct = line(".git/" + name, workspace) { return commit(direct) }
        guard let packed = content(".git/packed-refs", workspace) else { return nil }
        for entry in packed.split(separator: "\n") {
            let fields = entry.split(separator: " ")
            if fields.count == 2, fields[1] == name { return commit(String(fields[0])) }
        }
        return nil
    }

    private static func commit(_ text: String) -> String? {
        let isHex = text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
        return isHex && (text.utf8.count == 40 || text.utf8.count == 64) ? text : nil
    }

    private static func line(_ path: String, _ workspace: borrowing WorkspaceTree) -> String? {
        content(path, workspace)?.split(separator: "\n").first.map(String.init)
    }

    private static func content(_ path: String, _ workspace: borrowing WorkspaceTree) -> String? {
        guard let entry = try? workspace.openParent(of: ByteString(path)),
            let file = try? Files.open(entry.name, [.read, .noFollow, .nonBlocking], at: entry.directory.rawValue),
            let bytes = try? Files.readAll(file.rawValue, limit: 16 << 20)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
