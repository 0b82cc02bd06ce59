public import JailModel

/// One file of a diff's summary.
public struct DiffStatEntry: Sendable, Hashable {
    public var path: ByteString
    /// Where a renamed file was.
    public var from: ByteString?
    /// `nil` for what has no lines.
    public var lines: LineCounts?
    public var isBinary: Bool
    /// Bytes before and after; told for binary files.
    public var oldSize: UInt64
    public var newSize: UInt64

    public init(
        path: ByteString, from: ByteString? = nil, lines: LineCounts?, isBinary: Bool = false, oldSize: UInt64 = 0,
        newSize: UInt64 = 0
    ) {
        self.path = path
        self.from = from
        self.lines = lines
        self.isBinary = isBinary
        self.oldSize = oldSize
        self.newSize = newSize
    }
}

/// The summary that `git diff --stat` gives: a line a file with its changed lines and a bar, and the total.
///
/// Names are safe to print (`SafeText`).
public enum DiffStat {
    /// - Parameter width: columns of the longest line; at least 28 are taken.
    public static func text(_ entries: [DiffStatEntry], width: Int = 80) -> String {
        guard !entries.isEmpty else { return "" }
        let rows = entries.map(Row.init)
        let layout = Layout(rows, width: width)
        var text = rows.reduce(into: "") { $0 += layout.line($1) }
        let added = rows.reduce(0) { $0 + $1.added }
        let removed = rows.reduce(0) { $0 + $1.removed }
        text += " \(entries.count) \(entries.count == 1 ? "file" : "files") changed"
        if added > 0 || removed == 0 { text += ", \(added) insertion\(added == 1 ? "" : "s")(+)" }
        if removed > 0 || added == 0 { text += ", \(removed) deletion\(removed == 1 ? "" : "s")(-)" }
        return text + "\n"
    }

    private struct Row {
        var name: [Character]
        var added: Int
        var removed: Int
        /// "0 -> 12 bytes" for what is told in bytes.
        var bytes: String?

        init(_ entry: DiffStatEntry) {
            name = Array(RenamedName.text(from: entry.from, to: entry.path))
            let isTold = !entry.isBinary
            added = isTold ? Self.bounded(entry.lines?.added) : 0
            removed = isTold ? Self.bounded(entry.lines?.removed) : 0
            bytes = entry.isBinary ? "\(entry.oldSize) -> \(entry.newSize) bytes" : nil
        }

        /// No file has so many lines; a sum of them does not overflow.
        private static func bounded(_ lines: UInt64?) -> Int { Int(min(lines ?? 0, 1 << 40)) }
    }

    /// The columns, shared out as git does.
    private struct Layout {
        private let nameWidth: Int
        private let numberWidth: Int
        private let barWidth: Int
        private let most: Int

        init(_ rows: [Row], width: Int) {
            most = rows.reduce(0) { max($0, $1.added + $1.removed) }
            let isAnyBinary = rows.contains { $0.bytes != nil }
            let binaryWidth = rows.reduce(0) { max($0, $1.bytes.map { $0.count + 4 } ?? 0) }
            numberWidth = max("\(most)".count, isAnyBinary ? 3 : 0)
            let total = max(width, 16 + 6 + numberWidth)
            var names = rows.reduce(0) { max($0, $1.name.count) }
            var bars = most + 4 > binaryWidth ? most : binaryWidth - 4
            if names + numberWidth + 6 + bars > total {
                bars = min(bars, max(total * 3 / 8 - numberWidth - 6, 6))
                if names > total - numberWidth - 6 - bars {
                    names = total - numberWidth - 6 - bars
                } else {
                    bars = total - numberWidth - 6 - names
                }
            }
            (nameWidth, barWidth) = (names, bars)
        }

        func line(_ row: Row) -> String {
            let name = shortened(row.name)
            let start = " " + name + String(repeating: " ", count: max(0, nameWidth - name.count)) + " | "
            if let bytes = row.bytes { return start + padded("Bin") + " \(bytes)\n" }
            let bar = bar(row)
            return start + padded("\(row.added + row.removed)") + (bar.isEmpty ? "" : " " + bar) + "\n"
        }

        private func padded(_ text: String) -> String {
            String(repeating: " ", count: max(0, numberWidth - text.count)) + text
        }

        private func bar(_ row: Row) -> String {
            var (added, removed) = (row.added, row.removed)
            if barWidth <= most {
                var total = scaled(added + removed)
                if total < 2, added > 0, removed > 0 { total = 2 }
                if added < removed {
                    added = scaled(added)
                    removed = total - added
                } else {
                    removed = scaled(removed)
                    added = total - removed
                }
            }
            return String(repeating: "+", count: added) + String(repeating: "-", count: removed)
        }

        private func scaled(_ lines: Int) -> Int {
            lines == 0 ? 0 : 1 + most.dividingFullWidth(lines.multipliedFullWidth(by: barWidth - 1)).quotient
        }

        /// A name that is too long keeps its end, from a slash on where there is one.
        private func shortened(_ name: [Character]) -> String {
            guard name.count > nameWidth else { return String(name) }
            let end = name.suffix(max(nameWidth - 3, 0))
            let slash = end.firstIndex(of: "/")
            return "..." + String(slash.map { end[$0...] } ?? end)
        }
    }
}

/// The names of a renamed file in one: `old => new`, or `common/{old => new}/common`.
enum RenamedName {
    static func text(from: ByteString?, to: ByteString) -> String {
        guard let from, from != to else { return to.description }
        let (old, new) = (from.bytes, to.bytes)
        let slash = UInt8(ascii: "/")
        var start = 0
        for (index, pair) in zip(old, new).enumerated() {
            guard pair.0 == pair.1 else { break }
            if pair.0 == slash { start = index + 1 }
        }
        // The common end may share its slash with the common start: `a/{b/c => }/d`.
        let least = start > 0 ? start - 1 : 0
        var end = 0
        var same = 0
        while old.count - same > least, new.count - same > least,
            old[old.count - same - 1] == new[new.count - same - 1]
        {
            same += 1
            if old[old.count - same] == slash { end = same }
        }
        guard start > 0 || end > 0 else { return "\(from) => \(to)" }
        let oldMiddle = old[start..<max(start, old.count - end)]
        let newMiddle = new[start..<max(start, new.count - end)]
        return SafeText.escape(old[..<start]) + "{" + SafeText.escape(oldMiddle) + " => "
            + SafeText.escape(newMiddle) + "}" + SafeText.escape(old[(old.count - end)...])
    }
}
