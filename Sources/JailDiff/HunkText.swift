/// Writes changes with the lines around them.
enum HunkText {
    /// Lines that stay, told before and after a change.
    private static let context = 3

    static func append(_ changes: [LineChange], old: [UInt8], new: [UInt8], to out: inout [UInt8]) {
        var first = 0
        while first < changes.count {
            var last = first
            while last + 1 < changes.count,
                changes[last + 1].oldLines.lowerBound - changes[last].oldLines.upperBound <= 2 * context
            {
                last += 1
            }
            appendHunk(changes[first...last], old: old, new: new, to: &out)
            first = last + 1
        }
    }

    private static func appendHunk(
        _ changes: ArraySlice<LineChange>, old: [UInt8], new: [UInt8], to out: inout [UInt8]
    ) {
        guard let first = changes.first, let last = changes.last else { return }
        let before = linesBefore(first.oldBytes.lowerBound, in: old)
        let after = linesAfter(last.oldBytes.upperBound, in: old)
        let oldLines = first.oldLines.lowerBound - before.count..<last.oldLines.upperBound + after.count
        let newLines = first.newLines.lowerBound - before.count..<last.newLines.upperBound + after.count
        out += "@@ -\(position(oldLines)) +\(position(newLines)) @@\n".utf8
        var told = before.start
        for change in changes {
            appendLines(old, told..<change.oldBytes.lowerBound, mark: " ", to: &out)
            appendLines(old, change.oldBytes, mark: "-", to: &out)
            appendLines(new, change.newBytes, mark: "+", to: &out)
            told = change.oldBytes.upperBound
        }
        appendLines(old, told..<after.end, mark: " ", to: &out)
    }

    /// Counted from 1; an empty range stands after the line before it.
    private static func position(_ lines: Range<Int>) -> String {
        switch lines.count {
        case 0: "\(lines.lowerBound),0"
        case 1: "\(lines.lowerBound + 1)"
        default: "\(lines.lowerBound + 1),\(lines.count)"
        }
    }

    private static func linesBefore(_ place: Int, in content: [UInt8]) -> (start: Int, count: Int) {
        var (start, count) = (place, 0)
        while count < context, start > 0 {
            start = (content[..<(start - 1)].lastIndex(of: newline) ?? -1) + 1
            count += 1
        }
        return (start, count)
    }

    private static func linesAfter(_ place: Int, in content: [UInt8]) -> (end: Int, count: Int) {
        var (end, count) = (place, 0)
        while count < context, end < content.count {
            end = (content[end...].firstIndex(of: newline) ?? content.count - 1) + 1
            count += 1
        }
        return (end, count)
    }

    private static func appendLines(
        _ content: [UInt8], _ range: Range<Int>, mark: Unicode.Scalar, to out: inout [UInt8]
    ) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = (content[start..<range.upperBound].firstIndex(of: newline) ?? range.upperBound - 1) + 1
            out.append(UInt8(ascii: mark))
            out.append(contentsOf: content[start..<end])
            start = end
        }
        if let last = content[range].last, last != newline { out += "\n\\ No newline at end of file\n".utf8 }
    }
}
