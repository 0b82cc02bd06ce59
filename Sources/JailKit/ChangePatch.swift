import JailDiff
import JailDigest
import JailModel
import JailSystem
import JailWorkspace

/// Counts the lines of each change and writes the changes as one patch, both from one reading of the two trees.
///
/// Guarantees G and L.
struct ChangePatch {
    private let output: Int32?
    private var digest = SHA256Stream()
    private var written: UInt64 = 0
    private var buffer: [UInt8] = []
    private let limits = PatchLimits()

    /// - Parameter output: Where the patch goes, lent; `nil` only counts.
    init(output: Int32?) { self.output = output }

    /// Fills the line counts of a change set and writes its patch.
    mutating func run(
        _ set: inout ChangeSet, old: borrowing WorkspaceTree, new: borrowing WorkspaceTree
    ) throws(SystemError) -> StreamRecord {
        // ORDER: removals first, for whoever applies the patch where a file takes the place of a directory.
        for isRemoval in [true, false] {
            for index in set.paths.indices
            where !set.paths[index].isDirectory && (set.paths[index].after == nil) == isRemoval {
                try add(&set.paths[index], old: old, new: new)
            }
        }
        try flush()
        return StreamRecord(bytes: written, stored: written, sha256: digest.finish())
    }

    private mutating func add(
        _ change: inout ChangedPath, old: borrowing WorkspaceTree, new: borrowing WorkspaceTree
    ) throws(SystemError) {
        let before = try side(change.before, change.from ?? change.path, in: old, isPrivate: false)
        let after = try side(change.after, change.path, in: new, isPrivate: true)
        var diff: FileDiff?
        if let left = before.map(\.content) ?? .some(.bytes([])), let right = after.map(\.content) ?? .some(.bytes([])),
            case .bytes(let leftBytes) = left, case .bytes(let rightBytes) = right
        {
            let found = LineDiff.compare(
                old: leftBytes, new: rightBytes,
                isIndentationSensitive: IndentationSensitivity.of(path: change.path))
            diff = found
            change.lines = found.lines
            change.isBinary = found.isBinary
        } else {
            // Too large to be compared: text without line counts, which no budget of lines admits.
            let wasBinary = try isBinary(change.before, change.from ?? change.path, in: old)
            let nowBinary = try isBinary(change.after, change.path, in: new)
            change.isBinary = wasBinary || nowBinary
            if change.before?.digest == change.after?.digest, change.after?.digest != nil {
                change.lines = LineCounts()
            }
        }
        // git applies no patch to its own directory; those changes are counted and listed.
        guard output != nil, before != nil || after != nil, !Self.isGitOwn(change.path) else { return }
        PatchText.append(
            FilePatch(path: change.path, from: change.from, old: before, new: after), diff: diff, limits: limits,
            to: &buffer)
        if buffer.count > 1 << 20 { try flush() }
    }

    /// Whether a file is no text, by what it begins with.
    private func isBinary(
        _ state: ObjectState?, _ path: ByteString, in tree: borrowing WorkspaceTree
    ) throws(SystemError) -> Bool {
        guard state?.kind == .file else { return false }
        guard let entry = try? tree.openParent(of: path) else { return true }
        // What cannot be read is not shown to be text.
        guard let file = try? Files.open(entry.name, [.read, .noFollow, .nonBlocking], at: entry.directory.rawValue)
        else { return true }
        var head = [UInt8](repeating: 0, count: 8000)
        let count = try Files.read(file.rawValue, into: &head)
        return LineDiff.isBinary(Array(head[..<count]))
    }

    private mutating func flush() throws(SystemError) {
        guard let output, !buffer.isEmpty else { return }
        digest.update(buffer)
        written += UInt64(buffer.count)
        try Files.writeAll(output, buffer, subject: "changes.patch")
        buffer.removeAll(keepingCapacity: true)
    }

    private static func isGitOwn(_ path: ByteString) -> Bool {
        path.bytes.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(".git".utf8) }
    }

    private func side(
        _ state: ObjectState?, _ path: ByteString, in tree: borrowing WorkspaceTree, isPrivate: Bool
    ) throws(SystemError) -> PatchSide? {
        guard let state, let mode = PatchMode(state) else { return nil }
        guard limits.needsContent(size: state.size) else {
            return PatchSide(mode: mode, content: .omitted(digest: state.digest))
        }
        guard let entry = try? tree.openParent(of: path) else {
            // Below a directory that its owner cannot read, which is a violation of its own.
            return PatchSide(mode: mode, content: .omitted(digest: state.digest))
        }
        if state.kind == .link {
            return PatchSide(
                mode: mode, content: .bytes(try Files.readLink(entry.name, at: entry.directory.rawValue).bytes))
        }
        do throws(SystemError) {
            let limit = Int(clamping: state.size)
            guard isPrivate else {
                let file = try Files.open(entry.name, [.read, .noFollow, .nonBlocking], at: entry.directory.rawValue)
                return PatchSide(mode: mode, content: .bytes(try Files.readAll(file.rawValue, limit: limit)))
            }
            let status = try Files.status(entry.name, at: entry.directory.rawValue)
            let file = try PrivateObject(entry.name, status, at: entry.directory.rawValue)
            return PatchSide(mode: mode, content: .bytes(try Files.readAll(file.descriptor, limit: limit)))
        } catch {
            return PatchSide(mode: mode, content: .omitted(digest: state.digest))
        }
    }
}
