import JailDiff
import JailModel
import Testing

@Suite struct DiffStatTests {
    @Test func linesBarsAndTotals() {
        let text = DiffStat.text([
            DiffStatEntry(path: "a.c", lines: LineCounts(added: 3, removed: 1)),
            DiffStatEntry(path: "image", lines: nil, isBinary: true, oldSize: 0, newSize: 300),
            DiffStatEntry(path: "dir/new/b", from: "dir/old/b", lines: LineCounts()),
            DiffStatEntry(path: "c\u{1b}[2J\n", lines: LineCounts(added: 200)),
        ])
        #expect(
            text == """
                 a.c                |   4 +-
                 image              | Bin 0 -> 300 bytes
                 dir/{old => new}/b |   0
                 c\\u{1b}[2J\\n       | 200 +++++++++++++++++++++++++++++++++++++++++++++++++++++
                 4 files changed, 203 insertions(+), 1 deletion(-)

                """)
    }

    @Test func nothingAndOne() {
        #expect(DiffStat.text([]) == "")
        let one = DiffStat.text([DiffStatEntry(path: "a", lines: LineCounts())])
        #expect(one == " a | 0\n 1 file changed, 0 insertions(+), 0 deletions(-)\n")
    }

    @Test func longNamesKeepTheirEnd() {
        let path = ByteString(String(repeating: "directory/", count: 20) + "file")
        let line = DiffStat.text([DiffStatEntry(path: path, lines: LineCounts(added: 9000, removed: 1))], width: 40)
        #expect(line.hasPrefix(" .../directory/file       | 9001 +++++-\n"))
        #expect(line.split(separator: "\n").allSatisfy { $0.count <= 60 })
        let huge = LineCounts(added: .max, removed: .max, budget: 0)
        #expect(DiffStat.text([DiffStatEntry(path: "a", lines: huge)], width: 0).contains("+-"))
    }

    @Test(arguments: [
        ("a", "b", "a => b"), ("d/a", "d/b", "d/{a => b}"), ("a/b/c", "a/c", "a/{b => }/c"),
        ("a/c", "a/b/c", "a/{ => b}/c"), ("x/f", "y/f", "{x => y}/f"), ("a", "a", "a"), ("f", "d/f", "f => d/f"),
    ])
    func renamedNames(_ from: String, _ to: String, _ shown: String) {
        let entry = DiffStatEntry(path: ByteString(to), from: ByteString(from), lines: LineCounts())
        #expect(DiffStat.text([entry]).hasPrefix(" \(shown) | 0\n"))
    }
}
