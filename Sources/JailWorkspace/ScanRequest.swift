public import JailModel
internal import JailSystem

/// Under which prefix an overlay keeps its marks, which depends on how it was mounted.
///
/// The other prefix is the step's own to write, so it must never be believed: a forged opaque mark would be read as
/// the deletion of a whole directory. overlayfs.rst, "userxattr".
public enum OverlayMarks: Sendable, Hashable {
    /// `user.overlay.`: mounted with `userxattr`, as in a user namespace.
    case user
    /// `trusted.overlay.`: mounted by root.
    case trusted

    /// The prefix with its last dot.
    public var prefix: String {
        switch self {
        case .user: "user.overlay."
        case .trusted: "trusted.overlay."
        }
    }
}

/// An object that the supervisor itself made in the layer, to mount something on; it is no change while it is as it
/// was made.
public struct HeldPlace: Sendable, Hashable {
    public enum Content: Sendable, Hashable {
        /// A directory with nothing in it but other held places.
        case emptyDirectory
        case file([UInt8])
    }
    public var path: ByteString
    public var content: Content

    public init(path: ByteString, content: Content) {
        self.path = path
        self.content = content
    }
}

/// What a scan has to know besides the two trees.
public struct ScanRequest: Sendable {
    /// Paths that are no part of the change set, with everything below them: scratch, the run directory.
    public var excluded: Set<ByteString>
    /// What the supervisor made in the layer, by path.
    public var heldPlaces: [ByteString: HeldPlace.Content]
    /// From ``ChangeFence/take()`` when the step began; `nil` looks for no conflicts.
    public var fence: Int64?
    /// Only what changed in the layer later than this counts in ``ScanResult/writes``; `nil` counts everything.
    public var since: Int64?
    /// The jail's ids on the host to those of the workspace.
    public var owners: OwnerMap
    /// How many bytes of new and resized files are read at most.
    ///
    /// What is beyond is over the budget anyway, and a step
    /// can name a petabyte with one truncate(2); it has no digest then, and ``ScanResult/isComplete`` is false.
    public var readLimit: UInt64?

    public init(
        excluded: [ByteString] = [], placeholders: [HeldPlace] = [], fence: Int64? = nil, since: Int64? = nil,
        owners: OwnerMap = .identity, readLimit: UInt64? = nil
    ) {
        self.excluded = Set(excluded)
        self.heldPlaces = Dictionary(placeholders.map { ($0.path, $0.content) }) { _, last in last }
        self.fence = fence
        self.since = since
        self.owners = owners
        self.readLimit = readLimit
    }
}

/// What a scan found.
public struct ScanResult: Sendable, Hashable {
    public var changes: ChangeSet
    /// What `max_file_writes` counts: files and links that were created or modified since ``ScanRequest/since``.
    public var writes: UInt64
    /// `false` when ``ScanRequest/readLimit`` left files unread: such a change set can be counted, not published.
    public var isComplete: Bool
}

/// A moment that separates what changed before a step from what changed while it ran.
///
/// Files are stamped with the time of the last tick, or since Linux 6.13 with a finer one where somebody had looked at
/// them, so that a change right before and one right after a moment may carry the same time.
public enum ChangeFence {
    /// Waits until the clock of the ticks has passed this moment (1 to 20 ms).
    ///
    /// - Returns: A time in nanoseconds since 1970: what changed before the call has a ctime that is not later, what
    ///   changes after it has one that is later.
    public static func take() -> Int64 { pass(moment()) }

    /// Now, in nanoseconds since 1970: the fence itself, once ``pass(_:)`` has returned.
    public static func moment() -> Int64 {
        let wall = SystemClock.wall()
        return wall.seconds * 1_000_000_000 + Int64(wall.nanoseconds)
    }

    /// Waits until the clock of the ticks has passed a moment; work that is done in between shortens the wait.
    ///
    /// What changes between the moment and the return may count on either side.
    public static func pass(_ moment: Int64) -> Int64 {
        let start = Files.fileTime
        // The next tick alone is not enough: on a busy host it comes late, and then a fine stamp from before the call is
        // later than the tick's time.
        while true {
            let now = Files.fileTime
            if now > moment { return moment }
            // The clock was set back, which ends the wait; then nothing can be told apart by times.
            if now < start { return now - 1 }
        }
    }
}
