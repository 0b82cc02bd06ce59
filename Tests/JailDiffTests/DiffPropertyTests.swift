import JailModel
import Testing

@testable import JailDiff

/// What holds for every diff, tried on made-up texts.
@Suite struct DiffPropertyTests {
    /// What must hold whatever the limits are.
    private func check(_ old: [UInt8], _ new: [UInt8], limits: DiffLimits = DiffLimits()) throws {
        let diff = LineDiff.compare(old: old, new: new, limits: limits)
        guard case .text(let text) = diff else {
            Issue.record("no text")
            return
        }
        try #require(applied(text.changes, to: old, with: new) == new)
        #expect(text.lines.removed == UInt64(text.changes.reduce(0) { $0 + $1.oldLines.count }))
        #expect(text.lines.added == UInt64(text.changes.reduce(0) { $0 + $1.newLines.count }))
        #expect(text.lines.formatting <= text.lines.total)
        #expect(text.lines.budget <= text.lines.total)
        #expect(text.changes.isEmpty == (old == new))
        let (oldLines, newLines) = (lines(of: old), lines(of: new))
        var shift = 0
        for (index, change) in text.changes.enumerated() {
            #expect(!change.oldLines.isEmpty || !change.newLines.isEmpty)
            #expect(oldLines[change.oldLines].reduce(0) { $0 + $1.count } == change.oldBytes.count)
            #expect(newLines[change.newLines].reduce(0) { $0 + $1.count } == change.newBytes.count)
            #expect(change.newLines.lowerBound - change.oldLines.lowerBound == shift)
            shift += change.newLines.count - change.oldLines.count
            if index > 0 { #expect(text.changes[index - 1].oldLines.upperBound < change.oldLines.lowerBound) }
        }
    }

    @Test(arguments: 0..<20)
    func diffsApply(seed: Int) throws {
        var generator = SeededGenerator(seed)
        for _ in 0..<200 {
            let old = randomText(&generator, lines: generator.below(40), kinds: 1 + generator.below(40))
            let new =
                generator.chance(80)
                ? edited(old, &generator, edits: generator.below(12))
                : randomText(&generator, lines: generator.below(40), kinds: 1 + generator.below(40))
            try check(old, new)
            var limits = DiffLimits()
            limits.differences = 1 + generator.below(8)
            limits.steps = generator.below(200)
            limits.lines = generator.chance(10) ? generator.below(20) : 1000
            try check(old, new, limits: limits)
        }
    }

    /// Against the plain dynamic programme.
    @Test(arguments: 0..<8)
    func noShorterDiffExists(seed: Int) throws {
        var generator = SeededGenerator(1000 + seed)
        for _ in 0..<100 {
            let old = randomText(&generator, lines: generator.below(30), kinds: 1 + generator.below(12))
            let new =
                generator.chance(50)
                ? edited(old, &generator, edits: 8)
                : randomText(&generator, lines: generator.below(30), kinds: 6)
            let (oldLines, newLines) = (lines(of: old), lines(of: new))
            var row = [Int](repeating: 0, count: newLines.count + 1)
            for oldLine in oldLines {
                var diagonal = 0
                for (index, newLine) in newLines.enumerated() {
                    let above = row[index + 1]
                    row[index + 1] = oldLine == newLine ? diagonal + 1 : max(above, row[index])
                    diagonal = above
                }
            }
            let fewest = oldLines.count + newLines.count - 2 * (row.last ?? 0)
            #expect(LineDiff.compare(old: old, new: new).lines?.total == UInt64(fewest))
        }
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let old: [UInt8]
        let new: [UInt8]
    }

    static let hostile: [Hostile] = {
        var generator = SeededGenerator(7)
        let numbers = (0..<3000).map { "\($0)\n" }
        let shuffled = numbers.shuffled(using: &generator)
        let few = (0..<3000).map { _ in "\(generator.below(3))\n" }
        let otherFew = (0..<3000).map { _ in "\(generator.below(3))\n" }
        let same = String(repeating: "x\n", count: 3000)
        return [
            Hostile(testDescription: "all lines equal", old: bytes(same), new: bytes(same + same)),
            Hostile(
                testDescription: "no common line", old: bytes(same),
                new: bytes(numbers.joined())),
            Hostile(testDescription: "shuffled", old: bytes(numbers.joined()), new: bytes(shuffled.joined())),
            Hostile(testDescription: "reversed", old: bytes(numbers.joined()), new: bytes(numbers.reversed().joined())),
            Hostile(testDescription: "three kinds", old: bytes(few.joined()), new: bytes(otherFew.joined())),
            Hostile(
                testDescription: "one huge line", old: [UInt8](repeating: 32, count: 200_000),
                new: [UInt8](repeating: 32, count: 200_000) + bytes("x")),
            Hostile(testDescription: "empty", old: [], new: bytes(same)),
            Hostile(
                testDescription: "only line feeds", old: [UInt8](repeating: 10, count: 5000),
                new: [UInt8](repeating: 10, count: 4000)),
        ]
    }()

    @Test(arguments: hostile)
    func hostileContentsAreBounded(_ item: Hostile) throws {
        var limits = DiffLimits()
        limits.differences = 100
        limits.steps = 100_000
        try check(item.old, item.new, limits: limits)
        let middle = ChangedMiddle(old: item.old, new: item.new)
        let (old, new) = (
            LineTable(item.old, middle.old, firstLine: 0), LineTable(item.new, middle.new, firstLine: 0)
        )
        let numbered = NumberedLines(old, new, form: .exact)
        let matcher = LineMatcher(old: numbered.old, new: numbered.new, count: numbered.count, limits: limits)
        // A search ends within a round of the limit: a pass over the diagonals and the lines it follows.
        #expect(matcher.steps <= limits.steps + 2 * (old.count + new.count) + limits.differences)
    }

    /// Moved lines are no formatting, also where a limit leaves them in one run.
    @Test func shuffledLinesAreNoFormatting() {
        var limits = DiffLimits()
        limits.steps = 0
        let diff = LineDiff.compare(old: bytes("a\nb\nc\nd\n"), new: bytes("c\nb\na\n d\n"), limits: limits)
        #expect(diff.lines == LineCounts(added: 4, removed: 4, formatting: 2))
        guard case .text(let text) = diff else { return }
        #expect(!text.isMinimal)
    }
}
