public import JailModel
public import JailSystem

/// Why a change set was not published, or not taken back.
///
/// Unless it says otherwise the workspace is as it was before the call. Guarantees B and L.
public enum PublishError: Error, Sendable, Equatable {
    /// These paths are not what they were when the change set was computed (for a rollback: when it was published).
    case conflict([ByteString])
    /// What was copied for these paths is not what the change set says.
    case contentChanged([ByteString])
    /// The disk or a quota is full; this many bytes are needed for the new content.
    case noSpace(needed: UInt64)
    /// A path that can never be published so, and why.
    case refused(ByteString, String)
    /// The undo data or the journal is not what was written; the sentence says which part.
    case damaged(String)
    /// A system call failed. Where it failed while paths were being swapped, the swaps were taken back.
    case system(SystemError)
    /// A fault point stopped the work as a kill would; only tests do that.
    case stopped
}

extension PublishError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .conflict(let paths): "changed meanwhile: \(Self.list(paths))"
        case .contentChanged(let paths): "the changes are not those that were read: \(Self.list(paths))"
        case .noSpace(let needed): "no space is left; the changes need \(needed) bytes"
        case .refused(let path, let why): "\(path) cannot be published: \(why)"
        case .damaged(let what): "the undo data is damaged: \(what)"
        case .system(let error): "\(error)"
        case .stopped: "stopped by a fault point"
        }
    }

    private static func list(_ paths: [ByteString]) -> String {
        paths.map(\.description).joined(separator: ", ")
    }
}

/// Runs system calls where only publish errors are thrown.
func onDisk<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(PublishError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
}

/// One step of a commit, a rollback or a recovery that changes the disk.
public struct PublishStep: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A file of the journal is written, or removed.
        case record, forget
        /// The directory of the slots is made, or removed with what is in it.
        case makeSlots, dropSlots
        /// An incoming object is copied or linked; an outgoing one is copied for the undo; a copy gets its last marks.
        case stage, keep, finish
        /// What was staged is written to disk.
        case syncStaged
        /// A directory is made writable for a moment; a path is swapped; marks are set in place.
        case unlock, swap, mark
        /// A surprise is put back.
        case putBack
        /// The touched directories are written to disk.
        case syncSwaps
    }
    public var kind: Kind
    /// The path in the workspace, or the name in the journal.
    public var subject: ByteString
}

/// Lets a test stop before any step that changes the disk, as a kill would, or change the tree at that moment.
public struct FaultPoint: Sendable {
    private let reach: (@Sendable (PublishStep) throws(PublishError) -> Void)?

    /// What production uses.
    public static let none = FaultPoint(reach: nil)

    /// - Parameter reach: Called before each step; what it throws ends the work, and ``PublishError/stopped`` ends it
    ///   without any tidying.
    public init(_ reach: @escaping @Sendable (PublishStep) throws(PublishError) -> Void) { self.reach = reach }

    private init(reach: (@Sendable (PublishStep) throws(PublishError) -> Void)?) { self.reach = reach }

    func callAsFunction(_ kind: PublishStep.Kind, _ subject: @autoclosure () -> ByteString) throws(PublishError) {
        if let reach { try reach(PublishStep(kind: kind, subject: subject())) }
    }
}

/// What a commit came to.
public struct CommitReceipt: Sendable, Hashable {
    /// The SHA-256 over the affected paths and their states before and after (see ``UndoManifest/treeBefore``).
    public var treeBefore: SHA256Value
    public var treeAfter: SHA256Value
    /// How many swaps it took.
    public var operations: Int
}

/// Where a run's changes stand.
public enum PublishState: Sendable, Hashable, CaseIterable {
    /// Nothing was published.
    case nothing
    case committed
    case rolledBack
    /// A commit or a rollback was cut off; ``Publisher/recover(workspace:undo:faults:)`` finishes it.
    case interrupted
}
