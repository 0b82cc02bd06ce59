import JailModel

/// Counts changed lines, and which of them are formatting only (guarantees.md, section G).
///
/// A removed and an added line of the same run that are equal but for white space and CR count two; a line without
/// anything but white space counts one.
enum FormattingCount {
    static func count(
        _ runs: ChangedRuns, exact: NumberedLines, old: LineTable, new: LineTable, keepsIndentation: Bool,
        limits: DiffLimits
    ) -> LineCounts {
        let added = runs.runs.reduce(0) { $0 + $1.new.count }
        let removed = runs.runs.reduce(0) { $0 + $1.old.count }
        var pairs = Pairs(form: .collapsed(keepsIndentation: keepsIndentation), exactCount: exact.count)
        let formatting = runs.runs.reduce(0) { $0 + pairs.count($1, exact: exact, old: old, new: new) }
        return LineCounts(
            added: UInt64(added), removed: UInt64(removed), formatting: UInt64(formatting),
            budget: UInt64(min(budget(runs, old: old, new: new, limits: limits) ?? .max, added + removed)))
    }

    /// Changed lines when a CR before LF is ignored; `nil` when that changes nothing.
    ///
    /// It may meet a limit that the exact comparison did not meet.
    private static func budget(_ runs: ChangedRuns, old: LineTable, new: LineTable, limits: DiffLimits) -> Int? {
        let hasReturns = runs.runs.contains { run in
            run.old.contains { endsWithReturn($0, of: old) } || run.new.contains { endsWithReturn($0, of: new) }
        }
        guard hasReturns else { return nil }
        let unified = NumberedLines(old, new, form: .unifiedEnding)
        let matcher = LineMatcher(old: unified.old, new: unified.new, count: unified.count, limits: limits)
        return matcher.oldChanged.count { $0 } + matcher.newChanged.count { $0 }
    }

    private static func endsWithReturn(_ line: Int, of table: LineTable) -> Bool {
        let bytes = table[line]
        return bytes.count >= 2 && table.content[bytes.upperBound - 1] == newline
            && table.content[bytes.upperBound - 2] == carriageReturn
    }

    /// Pairs up the lines of one run after the other.
    private struct Pairs {
        private var collapsed: LineNumbering
        /// By number, how many removed lines wait for an added one: none between two runs.
        private var waiting: [Int32] = []
        /// The same for lines that are equal in every byte, so that moved they are not taken for formatting.
        private var waitingExact: [Int32]

        init(form: LineForm, exactCount: Int) {
            collapsed = LineNumbering(form: form)
            waitingExact = [Int32](repeating: 0, count: exactCount)
        }

        mutating func count(_ run: ChangedRuns.Run, exact: NumberedLines, old: LineTable, new: LineTable) -> Int {
            var formatting = 0
            // Lines that are on both sides of a run were moved, or a limit was met before they could be matched.
            for line in run.old { waitingExact[Int(exact.old[line])] += 1 }
            var added: [Int32] = []
            for line in run.new {
                let isMoved = Self.take(exact.new[line], from: &waitingExact)
                let number = collapsed.number(new[line], of: new.content)
                if collapsed.isEmpty(number) { formatting += 1 } else if !isMoved { added.append(number) }
            }
            var removed: [Int32] = []
            for line in run.old {
                // What still waits was not moved; which one of several equal lines it was makes no difference.
                let isMoved = !Self.take(exact.old[line], from: &waitingExact)
                let number = collapsed.number(old[line], of: old.content)
                if collapsed.isEmpty(number) { formatting += 1 } else if !isMoved { removed.append(number) }
            }
            waiting.append(contentsOf: repeatElement(0, count: collapsed.count - waiting.count))
            for number in removed { waiting[Int(number)] += 1 }
            for number in added where Self.take(number, from: &waiting) { formatting += 2 }
            for number in removed { waiting[Int(number)] = 0 }
            return formatting
        }

        /// Takes one off the count of a number; false when it is zero.
        private static func take(_ number: Int32, from counts: inout [Int32]) -> Bool {
            guard counts[Int(number)] > 0 else { return false }
            counts[Int(number)] -= 1
            return true
        }
    }
}
