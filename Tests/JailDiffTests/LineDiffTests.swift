import JailDiff
import JailModel
import Testing

/// Lines counted by hand.
@Suite struct LineDiffTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let old: String
        let new: String
        let counts: LineCounts

        init(_ name: String, _ old: String, _ new: String, _ counts: LineCounts) {
            (testDescription, self.old, self.new, self.counts) = (name, old, new, counts)
        }
    }

    static let cases = [
        Case("both empty", "", "", LineCounts()),
        Case("equal", "a\nb\n", "a\nb\n", LineCounts()),
        Case("a new file", "", "a\n\nb\n", LineCounts(added: 3, formatting: 1)),
        Case("a removed file", "a\nb", "", LineCounts(removed: 2)),
        Case("a replaced line counts twice", "a\nb\nc\n", "a\nx\nc\n", LineCounts(added: 1, removed: 1)),
        Case("only the end of the file", "a\nb", "a\nb\n", LineCounts(added: 1, removed: 1, formatting: 2)),
        Case("lines that begin like headers", "-- a\n++ b\n", "++ c\n", LineCounts(added: 1, removed: 2)),
        Case("doubled line", "a\na\n", "a\na\na\n", LineCounts(added: 1)),
        Case("swapped lines are no formatting", "a\nb\n", "b\na\n", LineCounts(added: 1, removed: 1)),
        Case("indentation", "a\n  b\n", "a\n\tb\n", LineCounts(added: 1, removed: 1, formatting: 2)),
        Case("runs of blanks", "a  =\t1\n", "a = 1  \n", LineCounts(added: 1, removed: 1, formatting: 2)),
        Case("blanks that join words", "a b\n", "ab\n", LineCounts(added: 1, removed: 1)),
        Case("blank lines", "a\n\n \nb\n", "a\nb\n\t\n", LineCounts(added: 1, removed: 2, formatting: 3)),
        Case(
            "one real line among reformatted ones", "a\nb\nc\n", " a\n b\n d\n",
            LineCounts(added: 3, removed: 3, formatting: 4)),
        Case("line endings", "a\nb\n", "a\r\nb\r\n", LineCounts(added: 2, removed: 2, formatting: 4, budget: 0)),
        Case(
            "line endings and an edit", "a\nb\nc\n", "a\r\nx\r\nc\r\n",
            LineCounts(added: 3, removed: 3, formatting: 4, budget: 2)),
        Case("a CR within a line", "a\rb\n", "ab\n", LineCounts(added: 1, removed: 1, formatting: 2)),
        Case("a CR at the very end", "a\n", "a\n\r", LineCounts(added: 1, formatting: 1)),
    ]

    @Test(arguments: cases)
    func counts(_ item: Case) throws {
        let diff = compare(item.old, item.new)
        #expect(diff.lines == item.counts)
        #expect(applied(diff.changes, to: bytes(item.old), with: bytes(item.new)) == bytes(item.new))
    }

    @Test func indentationCountsWhereItMatters() {
        let counts = LineCounts(added: 1, removed: 1)
        #expect(compare("if a:\n  b\n", "if a:\nb\n", isIndentationSensitive: true).lines == counts)
        // What is not indentation is still formatting there.
        let spaced = compare("  a  b \n", "  a b\n", isIndentationSensitive: true)
        #expect(spaced.lines?.formatting == 2)
        #expect(compare("a\n  \n", "a\n\t\n", isIndentationSensitive: true).lines?.formatting == 2)
    }

    @Test func binaryIsANulNearTheStart() {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 8000)
        #expect(LineDiff.compare(old: [], new: [0]) == .binary)
        #expect(LineDiff.compare(old: Array(text.dropLast()) + [0], new: []) == .binary)
        #expect(LineDiff.compare(old: text + [0], new: []).lines == LineCounts(removed: 1))
        #expect(FileDiff.binary.lines == nil && FileDiff.binary.changes.isEmpty && FileDiff.binary.isBinary)
    }

    @Test func changesTellLinesAndBytes() {
        let diff = compare("a\nb\nc\nd\n", "a\nx\ny\nc\n")
        #expect(
            diff.changes == [
                LineChange(oldLines: 1..<2, newLines: 1..<3, oldBytes: 2..<4, newBytes: 2..<6),
                LineChange(oldLines: 3..<4, newLines: 4..<4, oldBytes: 6..<8, newBytes: 8..<8),
            ])
    }

    @Test func anInsertionStandsAfterTheBracket() {
        let function = "f {\n  x\n}\n"
        let diff = compare("q\n" + function + "g {\n}\nz\n", "p\n" + function + "h {\n  y\n}\ng {\n}\nw\n")
        #expect(diff.changes.dropFirst().first?.newLines == 4..<7)
    }

    @Test(arguments: [
        ("a.py", true), ("x/a.YML", true), ("Makefile", true), ("x/GNUmakefile", true), ("rules.mk", true),
        ("a.swift", false), ("py", false), ("Makefile.am", false), ("x.py/a.c", false), ("", false),
    ])
    func indentationByName(_ path: String, _ isSensitive: Bool) {
        #expect(IndentationSensitivity.of(path: ByteString(path)) == isSensitive)
    }
}
