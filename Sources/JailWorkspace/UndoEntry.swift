public import JailModel

/// Which of the two trees is meant.
public enum UndoSide: Sendable, Hashable, CaseIterable {
    case before, after

    var other: UndoSide { self == .before ? .after : .before }
}

/// What a commit makes of one path: what was there, and what is there then.
public struct UndoEntry: Sendable, Hashable {
    public var path: ByteString
    public var before: ObjectState?
    public var after: ObjectState?
    /// The path that this one becomes a hard link to.
    public var linkedTo: ByteString?

    public init(path: ByteString, before: ObjectState?, after: ObjectState?, linkedTo: ByteString? = nil) {
        self.path = path
        self.before = before
        self.after = after
        self.linkedTo = linkedTo
    }

    public func state(_ side: UndoSide) -> ObjectState? { side == .before ? before : after }

    /// The change set as one entry a path, a directory before what lies in it, a rename as its two halves.
    ///
    /// - Throws: ``PublishError/refused(_:_:)`` for what can never be published, whoever computed the change set.
    static func entries(of changes: ChangeSet) throws(PublishError) -> [UndoEntry] {
        var halves: [UndoEntry] = []
        halves.reserveCapacity(changes.paths.count)
        for change in changes.paths {
            if let from = change.from, from != change.path {
                halves.append(UndoEntry(path: from, before: change.before, after: nil))
                halves.append(
                    UndoEntry(path: change.path, before: nil, after: change.after, linkedTo: change.linkedTo))
            } else {
                halves.append(
                    UndoEntry(
                        path: change.path, before: change.before, after: change.after, linkedTo: change.linkedTo))
            }
        }
        halves.sort { $0.path.precedesInTree($1.path) }
        var entries: [UndoEntry] = []
        entries.reserveCapacity(halves.count)
        for half in halves {
            if let last = entries.last, last.path == half.path {
                guard let joined = last.joined(with: half) else {
                    throw .refused(half.path, "the change set names it twice")
                }
                entries[entries.count - 1] = joined
            } else {
                entries.append(half)
            }
        }
        for entry in entries { try entry.validate() }
        return entries
    }

    /// The old half of a rename away from a path and the new object there are one change.
    private func joined(with other: UndoEntry) -> UndoEntry? {
        if after == nil, other.before == nil {
            return UndoEntry(path: path, before: before, after: other.after, linkedTo: other.linkedTo)
        }
        if before == nil, other.after == nil {
            return UndoEntry(path: path, before: other.before, after: after, linkedTo: linkedTo)
        }
        return nil
    }

    private func validate() throws(PublishError) {
        guard path.isPlain, linkedTo?.isPlain ?? true else {
            throw .refused(path, "it is no path inside the workspace")
        }
        guard before != nil || after != nil else { throw .refused(path, "the change set says nothing about it") }
        guard let after else { return }
        switch after.kind {
        case .file:
            let gained = after.mode & 0o6000 & ~(before?.kind == .file ? before?.mode ?? 0 : 0)
            guard gained == 0 else { throw .refused(path, RefusedObject.Reason.setID.rawValue) }
        case .directory, .link: break
        case .fifo: throw .refused(path, RefusedObject.Reason.fifo.rawValue)
        case .socket: throw .refused(path, "socket")
        case .device: throw .refused(path, RefusedObject.Reason.device.rawValue)
        }
        if linkedTo != nil, after.kind == .directory { throw .refused(path, "a directory has no second name") }
    }
}

extension ByteString {
    /// The order in which a directory comes directly before everything that lies in it.
    func precedesInTree(_ other: ByteString) -> Bool {
        let (left, right) = (bytes, other.bytes)
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            if left[index] == WorkspaceTree.slash { return true }
            if right[index] == WorkspaceTree.slash { return false }
            return left[index] < right[index]
        }
        return left.count < right.count
    }

    /// Whether this is a relative path of ordinary names.
    var isPlain: Bool {
        guard !bytes.isEmpty else { return false }
        return bytes.split(separator: WorkspaceTree.slash, omittingEmptySubsequences: false).allSatisfy { name in
            !name.isEmpty && name.count <= 255 && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
        }
    }

    /// The directory that the path lies in; empty for a name at the top.
    var parent: ByteString {
        guard let slash = bytes.lastIndex(of: WorkspaceTree.slash) else { return "" }
        return ByteString(bytes[..<slash]) ?? ""
    }

    /// The first name of the path.
    var firstName: ArraySlice<UInt8> { bytes.prefix { $0 != WorkspaceTree.slash } }
}
