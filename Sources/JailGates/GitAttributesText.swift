import JailModel

/// Attributes of paths, as far as they send content through a driver that configuration names (gitattributes(5)).
enum GitAttributesText {
    /// What a change of an attributes file hands over, a phrase for each driver: `sends files through filter=x`.
    static func changes(before: [UInt8]?, after: [UInt8]?) -> [String] {
        guard let after else { return ["its content is unknown, and may name drivers"] }
        let old = Set(before.map(rules) ?? [])
        var reasons: [String] = []
        for rule in rules(after) where !old.contains(rule) {
            let reason = "sends files through \(SafeText.escape(rule.driver))"
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        return reasons
    }

    /// A pattern and one driver that it is given.
    private struct Rule: Hashable {
        let pattern: [UInt8]
        let driver: [UInt8]
    }

    private static func rules(_ text: [UInt8]) -> [Rule] {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = text.starts(with: mark) ? text[mark.count...] : text[...]
        var out: [Rule] = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let body = line.drop(while: isSpace)
            guard let first = body.first, first != UInt8(ascii: "#") else { continue }
            let end = first == UInt8(ascii: "\"") ? quotedEnd(body) : body.firstIndex(where: isSpace) ?? body.endIndex
            let pattern = Array(body[..<end])
            for word in body[end...].split(whereSeparator: isSpace) where isDriver(word) {
                out.append(Rule(pattern: pattern, driver: Array(word)))
            }
        }
        return out
    }

    /// Behind the closing quote; at the first space when there is none, as git reads it then.
    private static func quotedEnd(_ body: ArraySlice<UInt8>) -> Int {
        var index = body.startIndex + 1
        while index < body.endIndex {
            if body[index] == UInt8(ascii: "\"") { return index + 1 }
            index += body[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return body.firstIndex(where: isSpace) ?? body.endIndex
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    private static func isDriver(_ word: ArraySlice<UInt8>) -> Bool {
        let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        let name = String(decoding: parts[1], as: UTF8.self)
        switch String(decoding: parts[0], as: UTF8.self) {
        case "filter": return true
        case "merge": return !["text", "binary", "union"].contains(name)
        case "diff": return !builtInDiffs.contains(name)
        default: return false
        }
    }

    /// Patterns for hunk headers that git brings along; they start nothing.
    private static let builtInDiffs: Set<String> = [
        "ada", "bash", "bibtex", "cpp", "csharp", "css", "dts", "elixir", "fortran", "fountain", "golang", "html",
        "ini", "java", "kotlin", "markdown", "matlab", "objc", "pascal", "perl", "php", "python", "r", "ruby", "rust",
        "scheme", "tex",
    ]
}
