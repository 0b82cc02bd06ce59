import JailModel

/// Compares two contents line by line.
///
/// Guarantee G. Time and memory are bounded by `DiffLimits`, whatever the contents are.
public enum LineDiff {
    /// How the old content became the new one.
    ///
    /// - Parameter isIndentationSensitive: whether another indentation means something else in this language; then it
    ///   does not count as formatting (`IndentationSensitivity`).
    public static func compare(
        old: [UInt8], new: [UInt8], isIndentationSensitive: Bool = false, limits: DiffLimits = DiffLimits()
    ) -> FileDiff {
        guard !isBinary(old), !isBinary(new) else { return .binary }
        let middle = ChangedMiddle(old: old, new: new)
        guard !middle.isEmpty else {
            return .text(TextDiff(changes: [], lines: LineCounts(), isMinimal: true))
        }
        guard middle.lineCount <= limits.lines else { return .text(whole(middle)) }
        let oldLines = LineTable(old, middle.old, firstLine: middle.firstLine)
        let newLines = LineTable(new, middle.new, firstLine: middle.firstLine)
        let exact = NumberedLines(oldLines, newLines, form: .exact)
        let matcher = LineMatcher(old: exact.old, new: exact.new, count: exact.count, limits: limits)
        let runs = ChangedRuns(matcher, exact)
        let lines = FormattingCount.count(
            runs, exact: exact, old: oldLines, new: newLines, keepsIndentation: isIndentationSensitive, limits: limits)
        let changes = runs.runs.map { run in
            LineChange(
                oldLines: oldLines.numbers(run.old), newLines: newLines.numbers(run.new),
                oldBytes: oldLines.bytes(run.old), newBytes: newLines.bytes(run.new))
        }
        return .text(TextDiff(changes: changes, lines: lines, isMinimal: matcher.isMinimal))
    }

    /// Whether content is no text, decided as git does: a NUL among the first 8000 bytes.
    public static func isBinary(_ content: [UInt8]) -> Bool { content.prefix(8000).contains(0) }

    /// One change from the first difference to the last.
    private static func whole(_ middle: ChangedMiddle) -> TextDiff {
        let change = LineChange(
            oldLines: middle.firstLine..<middle.firstLine + middle.oldCount,
            newLines: middle.firstLine..<middle.firstLine + middle.newCount, oldBytes: middle.old, newBytes: middle.new)
        let lines = LineCounts(added: UInt64(middle.newCount), removed: UInt64(middle.oldCount))
        return TextDiff(changes: [change], lines: lines, isMinimal: middle.oldCount == 0 || middle.newCount == 0)
    }
}

/// What stands between the lines that both contents begin with and the lines that both end with.
struct ChangedMiddle {
    let old: Range<Int>
    let new: Range<Int>
    /// How many lines stand before it.
    let firstLine: Int
    let oldCount: Int
    let newCount: Int

    var isEmpty: Bool { old.isEmpty && new.isEmpty }
    var lineCount: Int { oldCount + newCount }

    init(old: [UInt8], new: [UInt8]) {
        let start = Self.commonStart(old, new)
        let end = Self.commonEnd(old, new, from: start)
        self.old = start..<old.count - end
        self.new = start..<new.count - end
        firstLine = Self.lineCount(old, 0..<start)
        oldCount = Self.lineCount(old, self.old)
        newCount = Self.lineCount(new, self.new)
    }

    /// The size of the whole lines that both begin with.
    private static func commonStart(_ old: [UInt8], _ new: [UInt8]) -> Int {
        let limit = min(old.count, new.count)
        var same = 0
        while same < limit, old[same] == new[same] { same &+= 1 }
        if same == old.count, same == new.count { return same }
        while same > 0, old[same - 1] != newline { same -= 1 }
        return same
    }

    /// The size of the whole lines that both end with.
    private static func commonEnd(_ old: [UInt8], _ new: [UInt8], from start: Int) -> Int {
        let limit = min(old.count, new.count) - start
        var same = 0
        while same < limit, old[old.count &- 1 &- same] == new[new.count &- 1 &- same] { same &+= 1 }
        while same > 0 {
            let (oldPlace, newPlace) = (old.count - same, new.count - same)
            let isOldStart = oldPlace == start || old[oldPlace - 1] == newline
            let isNewStart = newPlace == start || new[newPlace - 1] == newline
            if isOldStart && isNewStart { break }
            same -= 1
        }
        return same
    }

    private static func lineCount(_ content: [UInt8], _ range: Range<Int>) -> Int {
        guard let last = content[range].last else { return 0 }
        return content[range].count { $0 == newline } + (last == newline ? 0 : 1)
    }
}

/// Where the lines of a part of a content stand.
struct LineTable {
    let content: [UInt8]
    private let firstLine: Int
    /// Where each line starts, and last where the part ends.
    private let starts: [Int]

    init(_ content: [UInt8], _ part: Range<Int>, firstLine: Int) {
        self.content = content
        self.firstLine = firstLine
        var starts: [Int] = []
        var start = part.lowerBound
        for index in part where content[index] == newline {
            starts.append(start)
            start = index + 1
        }
        if start < part.upperBound { starts.append(start) }
        starts.append(part.upperBound)
        self.starts = starts
    }

    var count: Int { starts.count - 1 }

    /// The bytes of one line of the part.
    subscript(line: Int) -> Range<Int> { starts[line]..<starts[line + 1] }

    /// The bytes of several lines of the part.
    func bytes(_ lines: Range<Int>) -> Range<Int> { starts[lines.lowerBound]..<starts[lines.upperBound] }

    /// The place of lines of the part in the whole content.
    func numbers(_ lines: Range<Int>) -> Range<Int> { lines.lowerBound + firstLine..<lines.upperBound + firstLine }
}

/// Both sides with numbers for lines, equal numbers for lines that are equal in a form.
struct NumberedLines {
    let old: [Int32]
    let new: [Int32]
    let count: Int

    init(_ old: LineTable, _ new: LineTable, form: LineForm) {
        var numbering = LineNumbering(form: form)
        self.old = (0..<old.count).map { numbering.number(old[$0], of: old.content) }
        self.new = (0..<new.count).map { numbering.number(new[$0], of: new.content) }
        count = numbering.count
    }
}
