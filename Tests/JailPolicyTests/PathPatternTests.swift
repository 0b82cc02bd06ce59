import Testing

@testable import JailPolicy

@Suite("Path patterns")
struct PathPatternTests {
    @Test(
        "a pattern names a subtree, component by component",
        arguments: [
            ("content/docs", "content/docs", true), ("content/docs", "content/docs/a/b", true),
            ("content/docs", "content/docs-evil", false), ("content/docs", "content", false),
            ("content/docs/", "content/docs/x", true), ("content/docs/**", "content/docs/x", true),
            ("content/docs/**", "content/docs", true), ("**", "a", true), ("**", "", true), ("*", "a/b", true),
            ("*", "", false), ("src/**/*.py", "src/a.py", true), ("src/**/*.py", "src/x/y/a.py", true),
            ("src/**/*.py", "src/a.pyc", false), ("src/**/*.py", "lib/src/a.py", false),
            ("pyproject.toml", "a/b/pyproject.toml", false), ("**/pyproject.toml", "a/b/pyproject.toml", true),
            ("w1_*/**", "w1_a/b", true), ("w1_*/**", "w1_", true), ("w1_*", "xw1_a", false), ("a*b*c", "abc", true),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("**/a/**/b", "x/a/y/z/b/c", true),
            ("**/a/**/b", "x/b/a", false), (".git/hooks", ".git/hooks/pre-commit", true), ("a//b", "a/b", true),
        ])
    func matches(pattern: String, path: String, isMatch: Bool) throws {
        let components = path.split(separator: "/").map(String.init)
        #expect(try PathPattern(parsing: pattern).matches(components: components) == isMatch)
    }

    @Test(
        "what could mean something else is refused",
        arguments: [
            "", "/etc", "..", "a/..", "../a", "a/../b", ".", "./a", "a/.", "~", "~/a", "a~", "%h", "$HOME/a", "a?b",
            "[ab]",
            "{a,b}", "a\\b", "!a", "a**", "**a/b", "a\nb", "a\u{0}", "a\u{7f}", String(repeating: "a/", count: 3000),
        ])
    func refuses(text: String) { #expect(throws: ValueProblem.self) { try PathPattern(parsing: text) } }

    @Test("spellings of one pattern are equal")
    func equality() throws {
        let patterns = try ["a/b", "a/b/", "a/b/**", "a//b/**/**"].map { try PathPattern(parsing: $0) }
        #expect(Set(patterns).count == 1)
        #expect(Set(patterns.map(\.canonicalText)) == ["a/b"])
        #expect(try PathPattern(parsing: "**/**").isEverything)
    }

    /// All that the documentation says, as directly as possible: try every number of components for `**`.
    private static func naive(_ pattern: [String], _ path: [String]) -> Bool {
        guard let first = pattern.first else { return true }
        let rest = Array(pattern.dropFirst())
        if first == "**" { return (0...path.count).contains { naive(rest, Array(path.dropFirst($0))) } }
        guard let name = path.first, glob(Array(first), Array(name)) else { return false }
        return naive(rest, Array(path.dropFirst()))
    }

    private static func glob(_ pattern: [Character], _ text: [Character]) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == "*" { return (0...text.count).contains { glob(rest, Array(text.dropFirst($0))) } }
        return text.first == first && glob(rest, Array(text.dropFirst()))
    }

    private static let names = ["a", "b", "ab", "aab", "docs", "docs-evil"]
    private static let globs = ["a", "b", "ab", "*", "a*", "*b", "a*b", "**", "**", "docs", "docs*"]

    @Test("the matcher agrees with a naive model", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let parts = [generator.pick(Self.globs)] + generator.some(Self.globs, atMost: 4)
            let path = generator.some(Self.names, atMost: 6)
            let pattern = try PathPattern(parsing: parts.joined(separator: "/"))
            #expect(pattern.matches(components: path) == Self.naive(parts, path), "seed \(seed): \(parts) \(path)")
        }
    }

    @Test("what covers a pattern matches all that it matches", arguments: [11, 12, 13] as [UInt64])
    func covering(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var covered = 0
        for _ in 0..<1500 {
            let outer = try PathPattern(
                parsing: ([generator.pick(Self.globs)] + generator.some(Self.globs)).joined(separator: "/"))
            let inner = try PathPattern(
                parsing: ([generator.pick(Self.globs)] + generator.some(Self.globs)).joined(separator: "/"))
            #expect(outer.covers(outer))
            guard outer.covers(inner) else { continue }
            covered += 1
            for _ in 0..<20 {
                let path = generator.some(Self.names, atMost: 6)
                if inner.matches(components: path) {
                    #expect(outer.matches(components: path), "seed \(seed): \(outer) \(inner) \(path)")
                }
            }
        }
        #expect(covered > 50)
    }

    @Test("many stars do not take long")
    func stars() throws {
        let pattern = try PathPattern(parsing: String(repeating: "**/a/", count: 500) + "b")
        #expect(!pattern.matches(components: [String](repeating: "a", count: 2000)))
        #expect(pattern.covers(pattern))
        #expect(!Glob.matches(String(repeating: "a*", count: 100) + "b", String(repeating: "a", count: 255)))
    }
}
