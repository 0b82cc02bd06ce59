internal import JailModel

/// Decides from what stood at a path before and after how the path changed.
enum ChangeClassifier {
    /// The kind of change; `nil` when nothing did.
    ///
    /// A directory's time is no change: it only tells that an entry changed, and that entry has its own path. Two files
    /// are the same content when both digests are known and equal.
    static func kind(before: ObjectState?, after: ObjectState?) -> ChangeKind? {
        guard let after else { return before == nil ? nil : .deleted }
        guard let before else { return after.kind == .link ? .symlink : .added }
        guard before.kind == after.kind else { return .type }
        switch after.kind {
        case .file:
            guard before.size == after.size, let digest = before.digest, digest == after.digest else {
                return .modified
            }
            return isSameMetadata(before, after) ? nil : .mode
        case .link:
            guard before.digest == after.digest else { return .symlink }
            return isSameMetadata(before, after) ? nil : .mode
        case .directory, .fifo, .socket, .device:
            return isSameMetadata(before, after) ? nil : .mode
        }
    }

    /// Whether all but the content is equal, as far as it matters for the kind of object.
    static func isSameMetadata(_ before: ObjectState, _ after: ObjectState) -> Bool {
        before.uid == after.uid && before.gid == after.gid && before.attributes == after.attributes
            // The mode of a link means nothing.
            && (after.kind == .link || before.mode == after.mode)
            && (after.kind == .directory || before.modified == after.modified)
    }

    /// Whether an object may never be published for its set-id bits.
    ///
    /// Bits that stood there before are fine on content that is the same. A set-group-id bit that a new directory has
    /// from its parent is what mkdir(2) does, and gives nobody power.
    static func hasNewSetID(before: ObjectState?, after: ObjectState, parentMode: UInt32) -> Bool {
        let bits = after.mode & 0o6000
        if bits == 0 || after.kind == .link { return false }
        if after.kind == .directory {
            let old = before?.kind == .directory ? before?.mode ?? 0 : parentMode & 0o2000
            return bits & ~old != 0
        }
        guard let before, before.kind == after.kind, after.kind != .file || before.digest == after.digest else {
            return true
        }
        return bits & ~before.mode != 0
    }
}
