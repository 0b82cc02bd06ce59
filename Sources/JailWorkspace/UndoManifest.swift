internal import JailDigest
public import JailModel
internal import JailSystem

/// What a commit records before it publishes anything: the proof of what stood there, and how to put it back.
///
/// Guarantee L. It lies in the undo directory as `manifest`, with a SHA-256 over all of it at its end.
public struct UndoManifest: Sendable, Hashable {
    public var runID: ByteString
    /// The workspace's path when the commit began; for people, nothing is opened by it.
    public var workspacePath: ByteString
    /// The device number when the commit began; it may change at a restart.
    public var workspaceDevice: UInt64
    public var workspaceInode: UInt64
    /// Each affected path with its states, a directory before what lies in it.
    public var entries: [UndoEntry]
    public var swaps: [Swap]
    /// The attributes that the marks set in place need, since a state holds only their digest; by entry.
    public var marks: [Int: AttributeChange]
    /// Directories whose time a commit changes because a name in them changes, with what they get.
    public var touched: [TouchedDirectory]
    /// Whether the undo objects are copies, because the undo directory is on another mount than the workspace.
    public var holdsCopies: Bool

    /// The extended attributes of a path on both sides.
    public struct AttributeChange: Sendable, Hashable {
        public var before: [Attribute]
        public var after: [Attribute]
    }

    /// One extended attribute.
    public struct Attribute: Sendable, Hashable {
        public var name: ByteString
        public var value: [UInt8]
    }

    /// A directory that stays and in which names come or go.
    public struct TouchedDirectory: Sendable, Hashable {
        public var path: ByteString
        public var inode: UInt64
        /// Permission bits before and after.
        public var modeBefore: UInt32
        public var modeAfter: UInt32
        /// Nanoseconds since 1970.
        public var modifiedBefore: Int64
        public var modifiedAfter: Int64

        func mode(_ side: UndoSide) -> UInt32 { side == .before ? modeBefore : modeAfter }
        func modified(_ side: UndoSide) -> Int64 { side == .before ? modifiedBefore : modifiedAfter }
    }

    /// The SHA-256 over every affected path in tree order with its state before.
    ///
    /// The times of directories are no part of it: an unrelated file beside an affected one changes them.
    public var treeBefore: SHA256Value { Self.digest(entries, .before) }

    /// The same over the states after.
    public var treeAfter: SHA256Value { Self.digest(entries, .after) }

    /// Reads the manifest of an undo directory; `nil` when there is none.
    ///
    /// - Throws: ``PublishError/damaged(_:)`` when a byte of it is not as it was written.
    public static func read(undo: Int32) throws(PublishError) -> UndoManifest? {
        guard let bytes = try Journal.read(Journal.manifest, undo) else { return nil }
        return try UndoManifest(decoding: bytes)
    }

    static func digest(_ entries: [UndoEntry], _ side: UndoSide) -> SHA256Value {
        var stream = SHA256Stream()
        for entry in entries {
            var writer = JournalWriter("path")
            writer.put(entry.path)
            var state = entry.state(side)
            if state?.kind == .directory { state?.modified = 0 }
            writer.put(state)
            stream.update(writer.bytes)
        }
        return stream.finish()
    }
}

extension UndoManifest {
    private static let magic = "launch-jail undo manifest 1"

    /// The bytes of the file.
    var encoded: [UInt8] {
        var writer = JournalWriter(Self.magic)
        writer.put(runID)
        writer.put(workspacePath)
        writer.put(workspaceDevice)
        writer.put(workspaceInode)
        writer.put(holdsCopies ? UInt64(1) : 0)
        writer.put(treeBefore)
        writer.put(treeAfter)
        writer.put(entries.count)
        for entry in entries {
            writer.put(entry.path)
            writer.put(entry.before)
            writer.put(entry.after)
            writer.put(entry.linkedTo)
        }
        writer.put(swaps.count)
        for swap in swaps {
            writer.put(UInt64(swap.kind.rawValue))
            writer.put(swap.entries.lowerBound)
            writer.put(swap.entries.count)
        }
        writer.put(marks.count)
        for (index, change) in marks.sorted(by: { $0.key < $1.key }) {
            writer.put(index)
            for list in [change.before, change.after] {
                writer.put(list.count)
                for attribute in list {
                    writer.put(attribute.name)
                    writer.put(attribute.value)
                }
            }
        }
        writer.put(touched.count)
        for directory in touched {
            writer.put(directory.path)
            writer.put(directory.inode)
            writer.put(UInt64(directory.modeBefore))
            writer.put(UInt64(directory.modeAfter))
            writer.put(directory.modifiedBefore)
            writer.put(directory.modifiedAfter)
        }
        return writer.finish()
    }

    init(decoding bytes: [UInt8]) throws(PublishError) {
        var reader = try JournalReader(bytes, magic: Self.magic, name: Journal.manifest)
        runID = try reader.text()
        workspacePath = try reader.text()
        workspaceDevice = try reader.number()
        workspaceInode = try reader.number()
        holdsCopies = try reader.flag()
        let digests = (before: try reader.digest(), after: try reader.digest())
        entries = []
        for _ in 0..<(try reader.count()) {
            entries.append(
                UndoEntry(
                    path: try reader.text(), before: try reader.state(), after: try reader.state(),
                    linkedTo: try reader.optionalText()))
        }
        swaps = []
        for _ in 0..<(try reader.count()) {
            let kind = SwapKind(rawValue: UInt8(truncatingIfNeeded: try reader.number()))
            let (start, count) = (try reader.number(), try reader.number())
            guard let kind, start < entries.count, count > 0, count <= entries.count - Int(start) else {
                throw reader.malformed
            }
            swaps.append(
                Swap(kind: kind, path: entries[Int(start)].path, entries: Int(start)..<Int(start + count)))
        }
        marks = [:]
        for _ in 0..<(try reader.count()) {
            let index = try reader.number()
            guard index < entries.count else { throw reader.malformed }
            marks[Int(index)] = AttributeChange(before: try reader.attributes(), after: try reader.attributes())
        }
        touched = []
        for _ in 0..<(try reader.count()) {
            touched.append(
                TouchedDirectory(
                    path: try reader.text(), inode: try reader.number(), modeBefore: try reader.word(),
                    modeAfter: try reader.word(), modifiedBefore: try reader.time(), modifiedAfter: try reader.time()))
        }
        guard reader.isAtEnd, treeBefore == digests.before, treeAfter == digests.after else { throw reader.malformed }
    }

    /// Whether the swaps, run forwards and backwards as values, give the tree before again.
    var isReversible: Bool { SwapModel.isReversible(entries, swaps) }
}

extension JournalReader {
    fileprivate mutating func attributes() throws(PublishError) -> [UndoManifest.Attribute] {
        var found: [UndoManifest.Attribute] = []
        for _ in 0..<(try count()) { found.append(.init(name: try text(), value: try content())) }
        return found
    }
}
