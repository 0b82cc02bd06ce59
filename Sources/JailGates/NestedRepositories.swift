public import JailModel

extension TrustHandoffRules {
    /// Directories that the step made repositories of, without a `.git` (row F4): git takes any directory for a bare
    /// repository that holds `HEAD` and, itself or by `commondir`, `objects` and `refs`, and then trusts its `config`.
    ///
    /// A new `.git` is found by its path alone and is told here too, as long as any part of it is new.
    ///
    /// - Parameter exists: Whether something stands at a path that the step did not change.
    /// - Returns: Sorted by path; the empty path is the workspace itself.
    public static func nestedRepositories(
        in changes: [ChangedPath], exists: (ByteString) -> Bool
    ) -> [TrustHandoff] {
        var directories: [ByteString: Set<Part>] = [:]
        var found: [ByteString: String] = [:]
        for change in changes where change.after != nil && change.kind != .mode {
            let pieces = change.path.bytes.split(separator: UInt8(ascii: "/"))
            let names = pieces.map { FoldedName($0) }
            if let git = names.indices.first(where: { names[$0].mayBe(".git") }) {
                // `HEAD` stands in every repository and is new in a new one only.
                let isNewHead = git + 2 == names.count && names[git + 1].mayBe("head") && change.before == nil
                if git > 0, isNewHead { found[joined(pieces[...git])] = GitPathRules.nested }
                continue
            }
            for index in names.indices {
                guard let part = Part.allCases.first(where: { names[index].mayBe($0.name) }) else { continue }
                if part.isFile && index + 1 < names.count { continue }
                directories[joined(pieces[..<index]), default: []].insert(part)
            }
        }
        for (directory, changed) in directories where isRepository(directory, changed, exists) {
            found[directory] = "is a bare repository that was not there"
        }
        return found.sorted { $0.key < $1.key }.map { path, reason in
            TrustHandoff(path: path, handoff: .nestedGit, reason: reason)
        }
    }

    /// What makes a directory a repository.
    private enum Part: String, CaseIterable {
        case head = "HEAD"
        case objects, refs, commondir

        var name: StaticString {
            switch self {
            case .head: "head"
            case .objects: "objects"
            case .refs: "refs"
            case .commondir: "commondir"
            }
        }
        var isFile: Bool { self == .head || self == .commondir }
    }

    private static func isRepository(
        _ directory: ByteString, _ changed: Set<Part>, _ exists: (ByteString) -> Bool
    ) -> Bool {
        func isThere(_ part: Part) -> Bool {
            let slash = directory.bytes.isEmpty ? [] : [UInt8(ascii: "/")]
            return changed.contains(part)
                || (ByteString(directory.bytes + slash + Array(part.rawValue.utf8)).map(exists) ?? false)
        }
        guard isThere(.head) else { return false }
        return isThere(.commondir) || (isThere(.objects) && isThere(.refs))
    }

    private static func joined(_ pieces: ArraySlice<ArraySlice<UInt8>>) -> ByteString {
        ByteString(pieces.joined(separator: [UInt8(ascii: "/")])) ?? ""
    }
}
