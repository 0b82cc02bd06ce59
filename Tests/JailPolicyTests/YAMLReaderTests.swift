import JailModel
import Testing

@testable import JailPolicy

@Suite("YAML reading")
struct YAMLReaderTests {
    private func read(_ text: String) -> YAMLDocument { YAMLReader.read(Array(text.utf8), file: "f") }

    @Test("nodes carry their place, text and quoting")
    func tree() throws {
        let document = read("a: 1\nb:\n  - \"x\\ty\"\n  - |\n    z\n")
        #expect(document.diagnostics.isEmpty)
        let root = try #require(document.root)
        guard case .mapping(let pairs) = root.content, case .sequence(let items) = pairs[1].value.content,
            case .scalar(let first, let isQuoted) = items[0].content,
            case .scalar("z\n", isQuoted: true) = items[1].content
        else {
            Issue.record("unexpected tree")
            return
        }
        #expect(pairs[1].key == "b")
        #expect(pairs[1].place == YAMLPlace(line: 2, column: 1))
        #expect(first == "x\ty")
        #expect(isQuoted)
        #expect(items[0].place == YAMLPlace(line: 3, column: 5))
    }

    @Test(
        "what is more than plain data is refused where it stands",
        arguments: [
            ("a: &x 1\n", "1:4", "anchor"),
            ("a: [1]\nb: *x\n", "2:4", "alias"),
            ("a: !!str 1\n", "1:4", "tag"),
            ("a: !<tag:x> {}\n", "1:4", "tag"),
            ("a: !local []\n", "1:4", "tag"),
            ("a: 1\nb: 2\na: 3\n", "3:1", "twice"),
            ("a: {b: 1, b: 2}\n", "1:11", "twice"),
            ("a: 1\n---\nb: 2\n", "2:1", "second document"),
            ("? [a]\n: 1\n", "1:3", "key"),
            ("a: \"\\0\"\n", "1:4", "NUL"),
            ("a: [1\n", "2:1", "not valid YAML"),
            ("a:\n\t- b\n", "2:1", "not valid YAML"),
            ("a: \u{7}\n", "1:1", "not valid YAML"),
        ])
    func refuses(text: String, place: String, word: String) {
        let diagnostics = read(text).diagnostics
        #expect(
            diagnostics.contains { "\($0.line):\($0.column)" == place && $0.message.contains(word) }, "\(diagnostics)")
    }

    @Test("several refusals of one file come together")
    func collects() { #expect(read("a: &x 1\nb: !t 2\nb: 3\n").diagnostics.count == 3) }

    @Test(
        "bytes that are no text are refused with their place",
        arguments: [
            (Array("a: 1\nb: ".utf8) + [0xff], 2, 4, "UTF-8"),
            (Array("a: \u{0}".utf8), 1, 4, "NUL"),
            (Array("a: ".utf8) + [0xed, 0xa0, 0x80], 1, 4, "UTF-8"),
            ([0xfe, 0xff, 0x00, 0x61], 1, 3, "NUL"),
        ] as [([UInt8], Int, Int, String)])
    func refusesBytes(bytes: [UInt8], line: Int, column: Int, word: String) {
        let diagnostics = YAMLReader.read(bytes, file: "f").diagnostics
        #expect(diagnostics.map(\.line) == [line])
        #expect(diagnostics.map(\.column) == [column])
        #expect(diagnostics.first?.message.contains(word) == true)
    }

    @Test("size, depth and node count are bounded")
    func bounds() {
        func first(_ text: String) -> String { read(text).diagnostics.first?.message ?? "" }
        #expect(first(String(repeating: "#", count: YAMLReader.maximumBytes + 1)).contains("bytes"))
        #expect(first(String(repeating: "[", count: 1 << 20)).contains("nested"))
        #expect(first(String(repeating: "{a: ", count: 200_000)).contains("nested"))
        #expect(first(String(repeating: "- ", count: 400_000)).contains("nested"))
        #expect(first(String(repeating: "- a\n", count: 20_001)).contains("values"))
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(read(deepest).diagnostics.isEmpty)
    }

    @Test("a byte order mark, CRLF and an empty stream are no mistakes")
    func tolerates() {
        #expect(read("\u{feff}a: 1\n").diagnostics.isEmpty)
        #expect(read("a: 1\r\nb: 2\r\n").diagnostics.isEmpty)
        #expect(read("# nothing\n").root == nil)
        #expect(read("# nothing\n").diagnostics.isEmpty)
    }

    @Test(
        "numbers and flags are told from text as YAML 1.2 does",
        arguments: [
            ("1", "a number"), ("-1", "a number"), ("0x1f", "a number"), ("1.5e3", "a number"), (".5", "a number"),
            (".inf", "a number"), ("0o7", "a number"), ("true", "a boolean"), ("False", "a boolean"), ("yes", nil),
            ("off", nil), ("1h", nil), ("1.2.3", nil), ("-", nil), ("e5", nil), ("0xzz", nil), ("127.0.0.1", nil),
        ] as [(String, String?)])
    func resolves(text: String, kind: String?) {
        let plain = YAMLNode(content: .scalar(text, isQuoted: false), line: 1, column: 1)
        #expect(plain.numberOrFlag == kind)
        #expect(YAMLNode(content: .scalar(text, isQuoted: true), line: 1, column: 1).numberOrFlag == nil)
    }
}
