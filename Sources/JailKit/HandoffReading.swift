import JailGates
import JailModel
import JailSystem
import JailWorkspace

/// Reads what the rules on trust hand-off decide on: the few files whose content says whether they start programs.
///
/// Guarantee B, the F rows of the escape list.
struct HandoffReading {
    private static let limit: UInt64 = 1 << 20

    /// What a change set hands over to programs outside the jail.
    static func findings(
        _ set: ChangeSet, old: borrowing WorkspaceTree, new: borrowing WorkspaceTree, workspace: String
    ) -> [TrustHandoff] {
        let config = read(ByteString(".git/config"), in: old) ?? []
        // Descriptors are lent to the closures, since a tree itself cannot be.
        let (before, after) = (old.descriptor, new.descriptor)
        return TrustHandoffRules.findings(
            in: set.paths, hooksPaths: TrustHandoffRules.hooksPaths(config: config, workspace: ByteString(workspace)),
            exists: { path in exists(path, below: before) },
            content: { change in
                (
                    change.before.flatMap { _ in read(change.from ?? change.path, below: before) },
                    change.after.flatMap { _ in read(change.path, below: after) }
                )
            })
    }

    private static func exists(_ path: ByteString, below directory: Int32) -> Bool {
        guard let tree = tree(directory), let entry = try? tree.openParent(of: path) else { return false }
        return ((try? Files.statusIfPresent(entry.name, at: entry.directory.rawValue)) ?? nil) != nil
    }

    private static func read(_ path: ByteString, below directory: Int32) -> [UInt8]? {
        guard let tree = tree(directory) else { return nil }
        return read(path, in: tree)
    }

    private static func tree(_ directory: Int32) -> WorkspaceTree? {
        guard let top = try? Files.open(".", [.read, .directory, .noFollow], at: directory) else { return nil }
        return WorkspaceTree(taking: top)
    }

    private static func read(_ path: ByteString, in tree: borrowing WorkspaceTree) -> [UInt8]? {
        guard let entry = try? tree.openParent(of: path),
            let file = try? Files.open(entry.name, [.read, .noFollow, .nonBlocking], at: entry.directory.rawValue),
            let status = try? Files.status(file.rawValue), status.kind == .file, status.size <= limit,
            let bytes = try? Files.readAll(file.rawValue, limit: Int(limit)), !bytes.contains(0)
        else { return nil }
        return bytes
    }
}
