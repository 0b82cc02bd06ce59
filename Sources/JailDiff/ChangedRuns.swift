/// The runs of removed and added lines, in order, with at least one common line between two of them.
struct ChangedRuns {
    struct Run: Hashable {
        var old: Range<Int>
        var new: Range<Int>
    }

    private(set) var runs: [Run]

    /// Gathers the changed lines and moves insertions and removals down as far as they go, where a reader expects
    /// them: after the bracket that closed the function before, not within it.
    init(_ matcher: LineMatcher, _ lines: NumberedLines) {
        let found = Self.gather(matcher)
        runs = []
        // From the end, so that a run that has moved down to the next one can join it.
        for run in found.reversed() {
            let next = runs.last ?? Run(old: lines.old.count..<lines.old.count, new: lines.new.count..<lines.new.count)
            let moved = Self.moveDown(run, before: next, lines)
            if !runs.isEmpty, moved.old.upperBound == next.old.lowerBound {
                runs[runs.count - 1] = Run(
                    old: moved.old.lowerBound..<next.old.upperBound, new: moved.new.lowerBound..<next.new.upperBound)
            } else {
                runs.append(moved)
            }
        }
        runs.reverse()
    }

    private static func gather(_ matcher: LineMatcher) -> [Run] {
        var runs: [Run] = []
        var (old, new) = (0, 0)
        let (oldChanged, newChanged) = (matcher.oldChanged, matcher.newChanged)
        while old < oldChanged.count || new < newChanged.count {
            let (oldStart, newStart) = (old, new)
            while old < oldChanged.count, oldChanged[old] { old += 1 }
            while new < newChanged.count, newChanged[new] { new += 1 }
            if oldStart < old || newStart < new { runs.append(Run(old: oldStart..<old, new: newStart..<new)) }
            old += 1
            new += 1
        }
        return runs
    }

    private static func moveDown(_ run: Run, before next: Run, _ lines: NumberedLines) -> Run {
        guard run.old.isEmpty || run.new.isEmpty else { return run }
        var distance = 0
        while run.old.upperBound + distance < next.old.lowerBound {
            let isSame =
                run.new.isEmpty
                ? lines.old[run.old.lowerBound + distance] == lines.old[run.old.upperBound + distance]
                : lines.new[run.new.lowerBound + distance] == lines.new[run.new.upperBound + distance]
            guard isSame else { break }
            distance += 1
        }
        return Run(
            old: run.old.lowerBound + distance..<run.old.upperBound + distance,
            new: run.new.lowerBound + distance..<run.new.upperBound + distance)
    }
}
