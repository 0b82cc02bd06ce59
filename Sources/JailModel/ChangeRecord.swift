/// `workspace.mode` of a policy.
public enum WorkspaceModeName: String, Sendable, Hashable, CaseIterable { case overlay, direct, readonly }

/// Where the changes of a run stand; the raw value stands in reports.
public enum ChangeState: String, Sendable, Hashable, CaseIterable {
    /// There are none.
    case none
    /// They wait in the run directory for `commit` or `discard`.
    case pending
    case committed
    case discarded
    case rolledBack = "rolled_back"
}

/// A changed path that the policy does not let change, or an object that no policy lets in (guarantee B).
public struct ChangeViolation: Sendable, Hashable {
    public var path: ByteString
    /// What is wrong, as a phrase after the path: `is outside workspace.write`.
    public var reason: String
    /// The policy line that would allow it; empty where none does.
    public var remedy: String

    public init(path: ByteString, reason: String, remedy: String = "") {
        self.path = path
        self.reason = reason
        self.remedy = remedy
    }
}

/// What became of the attempt to publish a change set (guarantee L).
public enum Publication: Sendable, Hashable {
    /// Nothing was published, by the policy, the verdict, or because there is nothing.
    case notTried
    /// The whole set stands in the workspace; the digests are over every affected path's state before and after.
    case published(treeBefore: SHA256Value, treeAfter: SHA256Value, operations: Int, problems: [String])
    /// Other processes changed these paths meanwhile; nothing was written.
    case conflict([ByteString])
    /// Nothing was written, or a recovery finishes it.
    case failed(String)
}

/// The evidence on what a step changed in a layered workspace.
public struct ChangeRecord: Sendable, Hashable {
    /// `overlay on tmpfs`, `overlay on disk`, `private copy`.
    public var layer: String
    public var set: ChangeSet
    /// `false` when something was too large to be read: the set is counted and never published.
    public var isComplete: Bool
    /// Files created or modified by this step and the earlier ones of the same run directory.
    public var fileWrites: UInt64
    public var violations: [ChangeViolation]
    public var state: ChangeState
    public var publication: Publication
    /// The digest of changes.patch and its size.
    public var patch: StreamRecord

    public init(
        layer: String, set: ChangeSet, isComplete: Bool = true, fileWrites: UInt64 = 0,
        violations: [ChangeViolation] = [], state: ChangeState = .none, publication: Publication = .notTried,
        patch: StreamRecord = StreamRecord()
    ) {
        self.layer = layer
        self.set = set
        self.isComplete = isComplete
        self.fileWrites = fileWrites
        self.violations = violations
        self.state = state
        self.publication = publication
        self.patch = patch
    }
}
