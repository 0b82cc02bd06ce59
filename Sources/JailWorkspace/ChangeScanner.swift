public import JailSystem

/// Reads what a step changed, when no process of it is left.
///
/// Only what the step's own layer names is looked at, so that the time depends on what changed and not on the size of
/// the workspace. Guarantees B, G and L.
public enum ChangeScanner {
    /// How many components a path of a change set may have; what is deeper is refused.
    public static let depthLimit = 256

    /// Reads the upper layer of an overlay against the workspace below it.
    ///
    /// The top directory's own mode is no part of the result. The layer is only read, but for a moment's right to read
    /// what the step made unreadable (``PrivateObject``).
    /// - Parameter marks: How the overlay was mounted.
    /// - Throws: EOPNOTSUPP for a layer that was mounted with `redirect_dir` or `metacopy`; what the kernel says
    ///   where the workspace or the layer cannot be read.
    public static func scan(
        upper: borrowing WorkspaceTree, lower: borrowing WorkspaceTree, marks: OverlayMarks, _ request: ScanRequest
    ) throws(SystemError) -> ScanResult {
        var walk = ChangeWalk(.layer(marks), request)
        try walk.top(layer: upper.descriptor, original: lower.descriptor)
        return walk.finish()
    }

    /// Reads a private copy of the workspace against the workspace: what has the inode and the ctime of the baseline
    /// is unchanged, everything else is compared.
    ///
    /// Linear in the size of the copy, where ``scan(upper:lower:marks:_:)`` is linear in the change.
    public static func scan(
        copy: borrowing WorkspaceTree, original: borrowing WorkspaceTree, baseline: CopyBaseline,
        _ request: ScanRequest
    ) throws(SystemError) -> ScanResult {
        var walk = ChangeWalk(.copy(baseline), request)
        try walk.top(layer: copy.descriptor, original: original.descriptor)
        return walk.finish()
    }
}
