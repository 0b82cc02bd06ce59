/// What kind of thing stands at a path of a workspace.
public enum ObjectKind: String, Sendable, Hashable, CaseIterable {
    case file, directory, link, fifo, socket, device
}

/// What stood at one path of a workspace at one moment: enough to tell whether it is still the same, and to prove that
/// it was put back.
///
/// Guarantees G and L.
public struct ObjectState: Sendable, Hashable {
    public var kind: ObjectKind
    /// The permission bits with set-id and sticky (07777).
    public var mode: UInt32
    /// As the host sees them.
    public var uid: UInt32
    public var gid: UInt32
    /// Nanoseconds since 1970.
    public var modified: Int64
    /// Bytes of a file or of a link's text; 0 for a directory.
    public var size: UInt64
    /// The SHA-256 of a file's content or of a link's text; `nil` for everything else and for what cannot be read.
    public var digest: SHA256Value?
    /// The SHA-256 of the extended attributes that a commit carries; `nil` when there are none.
    public var attributes: SHA256Value?

    public init(
        kind: ObjectKind, mode: UInt32, uid: UInt32, gid: UInt32, modified: Int64, size: UInt64 = 0,
        digest: SHA256Value? = nil, attributes: SHA256Value? = nil
    ) {
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.size = size
        self.digest = digest
        self.attributes = attributes
    }
}

/// How a path changed; the raw value stands in reports.
public enum ChangeKind: String, Sendable, Hashable, CaseIterable {
    case added, modified, deleted, renamed
    /// Only permission bits, times or extended attributes differ.
    case mode
    /// A symbolic link is new or has another text.
    case symlink
    /// A file became a directory, a directory a link, and so on.
    case type
}

/// Lines that a change adds and removes, as a unified diff counts them.
public struct LineCounts: Sendable, Hashable {
    public var added: UInt64
    public var removed: UInt64
    /// How many of them are formatting only: white space and line endings (guarantees.md, section G).
    public var formatting: UInt64
    /// What `max_lines_per_file` counts: added and removed lines when a CR before LF is ignored, so that converting the
    /// line endings of a file costs nothing here and everything in `formatting`.
    public var budget: UInt64

    /// - Parameter budget: `added + removed` unless given.
    public init(added: UInt64 = 0, removed: UInt64 = 0, formatting: UInt64 = 0, budget: UInt64? = nil) {
        self.added = added
        self.removed = removed
        self.formatting = formatting
        self.budget = budget ?? added + removed
    }

    public var total: UInt64 { added + removed }
}

/// One path of the workspace that is not what it was before the step.
public struct ChangedPath: Sendable, Hashable {
    /// Relative to the workspace, `/`-separated; bytes, since a name need not be UTF-8.
    public var path: ByteString
    public var kind: ChangeKind
    /// Where a renamed file was.
    public var from: ByteString?
    /// `nil` when nothing was there.
    public var before: ObjectState?
    /// `nil` when nothing is there any more.
    public var after: ObjectState?
    /// `nil` for what has no lines: binary files, directories, special files.
    public var lines: LineCounts?
    public var isBinary: Bool
    /// Another path, of the same change set or unchanged, that the step made a hard link with; this path is published as a link to it.
    public var linkedTo: ByteString?

    public init(
        path: ByteString, kind: ChangeKind, from: ByteString? = nil, before: ObjectState?, after: ObjectState?,
        lines: LineCounts? = nil, isBinary: Bool = false, linkedTo: ByteString? = nil
    ) {
        self.path = path
        self.kind = kind
        self.from = from
        self.before = before
        self.after = after
        self.lines = lines
        self.isBinary = isBinary
        self.linkedTo = linkedTo
    }

    /// Whether this is about a directory only; directories are published, and counted by no budget.
    public var isDirectory: Bool {
        (before == nil || before?.kind == .directory) && (after == nil || after?.kind == .directory)
    }
}

/// What can never be published, whatever the policy says.
public struct RefusedObject: Sendable, Hashable {
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        case setID = "set-user-id or set-group-id bit"
        case device = "device node"
        case fifo = "FIFO"
        case fileCapability = "file capability"
        case tooDeep = "nested too deep"
        case unreadable = "cannot be read"
    }
    public var path: ByteString
    public var reason: Reason

    public init(path: ByteString, reason: Reason) {
        self.path = path
        self.reason = reason
    }
}

/// Everything that a step changed in its workspace, read when no process of it was left.
///
/// Sorted by path, bytewise. Guarantees B, G and L.
public struct ChangeSet: Sendable, Hashable {
    public var paths: [ChangedPath]
    public var refused: [RefusedObject]
    /// Paths whose real object changed while the step ran, a sentence-ready path each: they cannot be published.
    public var conflicts: [ByteString]
    /// What is left out without harm, a sentence each: sockets.
    public var notes: [String]

    public init(
        paths: [ChangedPath] = [], refused: [RefusedObject] = [], conflicts: [ByteString] = [], notes: [String] = []
    ) {
        self.paths = paths
        self.refused = refused
        self.conflicts = conflicts
        self.notes = notes
    }

    public var isEmpty: Bool { paths.isEmpty && refused.isEmpty }

    /// What `max_files_changed` counts: paths that are no directories, a rename once.
    public var filesChanged: UInt64 { UInt64(paths.count { !$0.isDirectory }) }

    /// What `max_bytes_written` counts: bytes of new and modified files as they stand at the end.
    public var bytesWritten: UInt64 {
        paths.reduce(0) { sum, change in
            guard let after = change.after, after.kind == .file, change.kind != .mode, change.linkedTo == nil else {
                return sum
            }
            return sum &+ after.size
        }
    }
}
