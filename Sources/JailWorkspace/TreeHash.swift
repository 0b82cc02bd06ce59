public import JailModel
public import JailSystem

/// One digest over a whole tree, for auditors who want more than the affected paths: its cost grows with the tree.
///
/// Guarantee L. The states of every path in tree order as in ``UndoManifest/treeBefore``; times of directories do not count.
public enum TreeHash {
    /// Hashes everything below the top except `excluded` paths.
    ///
    /// - Throws: ELOOP below 256 levels, EACCES where a directory cannot be read.
    public static func of(
        _ tree: borrowing WorkspaceTree, excluded: [ByteString] = []
    ) throws(SystemError) -> SHA256Value {
        var entries: [UndoEntry] = []
        try collect("", tree.descriptor, Set(excluded), depth: 0, &entries)
        entries.sort { $0.path.precedesInTree($1.path) }
        return UndoManifest.digest(entries, .before)
    }

    private static func collect(
        _ path: ByteString, _ directory: Int32, _ excluded: Set<ByteString>, depth: Int, _ entries: inout [UndoEntry]
    ) throws(SystemError) {
        guard depth < ChangeScanner.depthLimit else {
            throw SystemError("hash", errno: 40, subject: path.description)
        }
        for name in try Files.names(directory) {
            let place = path.appending(name)
            guard !excluded.contains(place), let state = try ObjectReader.state(name, at: directory) else { continue }
            entries.append(UndoEntry(path: place, before: state, after: nil))
            guard state.kind == .directory else { continue }
            let inner = try Files.open(name, [.read, .directory, .noFollow], at: directory)
            try collect(place, inner.rawValue, excluded, depth: depth + 1, &entries)
        }
    }
}
