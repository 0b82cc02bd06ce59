internal import JailModel
public import JailPolicy

/// Where the changes of a step land before the verdict, when `workspace.mode` is `overlay`.
///
/// Guarantees B, G and L.
public enum WorkspaceLayer: Sendable, Hashable {
    /// A tmpfs that only the jail and the supervisor can reach: the kernel refuses what passes its size or its number of
    /// objects (ENOSPC).
    case memory(bytes: UInt64, inodes: UInt64)
    /// `upper` and `work` in a directory of the run: large steps, without a ceiling of the kernel's on their number.
    case disk(AbsolutePath)
    /// A private copy of the whole workspace, where the host can mount no overlay.
    case copy(AbsolutePath)

    /// The word in reports.
    public var name: String {
        switch self {
        case .memory: "overlay on tmpfs"
        case .disk: "overlay on disk"
        case .copy: "private copy"
        }
    }
}

extension WorkspaceLayer: CustomStringConvertible {
    public var description: String {
        switch self {
        case .memory(let bytes, let inodes): "\(name) (size=\(bytes), nr_inodes=\(inodes))"
        case .disk(let path), .copy(let path): "\(name) in \(SafeText.escape(path.description))"
        }
    }
}

/// A part of the workspace that is writable and forgotten.
public struct ScratchPlace: Sendable, Hashable {
    /// Relative to the workspace.
    public let path: [String]
    /// Its own directory, with `upper` and `work`.
    public let directory: AbsolutePath
    /// Whether the workspace has a directory there, which the step then sees.
    public let exists: Bool
}

extension WorkspaceLayer? {
    var isCopy: Bool { if case .copy = self { true } else { false } }
}
