extension PathPattern {
    /// Reads a pattern as the user wrote it.
    init(parsing text: String) throws(ValueProblem) {
        try Self.checkCharacters(text)
        if text.utf8.first == UInt8(ascii: "/") {
            throw ValueProblem(
                "\(shown(text)) is absolute",
                hint: "patterns are relative to the workspace; see filesystem.write for others")
        }
        var components: [Component] = []
        let names = text.split(separator: "/", omittingEmptySubsequences: true)
        for (index, name) in names.enumerated() {
            switch name {
            case "..":
                throw ValueProblem("\(shown(text)) holds `..`", hint: "a pattern cannot leave the workspace")
            case ".":
                throw ValueProblem("\(shown(text)) holds `.`", hint: "leave it out; the whole workspace is `**`")
            case "**":
                if index + 1 < names.count && components.last != .anyDepth { components.append(.anyDepth) }
            default:
                if name.contains("**") {
                    throw ValueProblem(
                        "\(shown(text)) holds `**` inside a name", hint: "`**` stands alone, as in `a/**/b`")
                }
                components.append(name.contains("*") ? .wildcard(String(name)) : .literal(String(name)))
            }
        }
        // A `**` before a final `**` says the same as one of them.
        if names.last == "**", components.last == .anyDepth { components.removeLast() }
        self.init(text: text, components: components)
    }

    private static func checkCharacters(_ text: String) throws(ValueProblem) {
        if text.utf8.count > 4095 { throw ValueProblem("\(shown(text)) is longer than a path can be") }
        if text.isEmpty { throw ValueProblem("an empty pattern", hint: "the whole workspace is `**`") }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "~", "%", "$":
                throw ValueProblem("\(shown(text)) holds `\(scalar)`", hint: "nothing is expanded; write the name out")
            case "?", "[", "]", "{", "}", "\\":
                throw ValueProblem("\(shown(text)) holds `\(scalar)`", hint: "`*` and `**` are the only wildcards")
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    throw ValueProblem("\(shown(text)) holds a control character")
                }
            }
        }
        if text.utf8.first == UInt8(ascii: "!") {
            throw ValueProblem(
                "\(shown(text)) begins with `!`", hint: "what must not change stands in workspace.protect")
        }
    }

    /// The shortest text with this meaning: equal patterns have equal texts.
    var canonicalText: String {
        let names = components.map { component in
            switch component {
            case .literal(let name), .wildcard(let name): name
            case .anyDepth: "**"
            }
        }
        return names.isEmpty ? "**" : names.joined(separator: "/")
    }
}

extension PathPattern {
    /// Reads a pattern back that this program has written down; `nil` when it is none.
    public init?(kept text: String) {
        guard let pattern = try? PathPattern(parsing: text) else { return nil }
        self = pattern
    }
}
