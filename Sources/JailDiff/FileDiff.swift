public import JailModel

/// A run of lines that was replaced by another one, with a line that stayed, or an end of the file, on either side.
///
/// One of the two runs may be empty. A line ends with its line feed; a last line without one is a line.
public struct LineChange: Sendable, Hashable {
    /// The removed lines, counted from 0; empty for an insertion, and then it stands where that goes.
    public var oldLines: Range<Int>
    /// The added lines, counted from 0.
    public var newLines: Range<Int>
    /// Where the removed lines are in the old content.
    public var oldBytes: Range<Int>
    /// Where the added lines are in the new content.
    public var newBytes: Range<Int>

    public init(oldLines: Range<Int>, newLines: Range<Int>, oldBytes: Range<Int>, newBytes: Range<Int>) {
        self.oldLines = oldLines
        self.newLines = newLines
        self.oldBytes = oldBytes
        self.newBytes = newBytes
    }
}

/// How one content became another.
///
/// Guarantee G.
public enum FileDiff: Sendable, Hashable {
    /// One of the two is no text; there are no lines to tell.
    case binary
    case text(TextDiff)

    public var isBinary: Bool { self == .binary }

    /// `nil` for what has no lines.
    public var lines: LineCounts? {
        guard case .text(let text) = self else { return nil }
        return text.lines
    }

    /// In the order of the file; empty for binary content and when nothing changed.
    public var changes: [LineChange] {
        guard case .text(let text) = self else { return [] }
        return text.changes
    }
}

/// The changed lines of a text.
public struct TextDiff: Sendable, Hashable {
    /// In the order of the file, at least one common line between two of them.
    public var changes: [LineChange]
    public var lines: LineCounts
    /// Whether no shorter diff exists; false once a limit was met.
    public var isMinimal: Bool

    public init(changes: [LineChange], lines: LineCounts, isMinimal: Bool) {
        self.changes = changes
        self.lines = lines
        self.isMinimal = isMinimal
    }
}
