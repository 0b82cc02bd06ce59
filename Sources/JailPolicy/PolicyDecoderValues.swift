import JailModel

/// The values of single keys: one node in, one closed value out, or a note and nothing.
extension PolicyDecoder {
    /// The text of a scalar that is written as text.
    mutating func text(_ node: YAMLNode, _ path: String) -> String? {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            note(node.place, path, "expected text, found \(node.kind)")
            return nil
        }
        if let kind = node.numberOrFlag {
            note(node.place, path, "expected text, found \(kind)", hint: "write it in quotes: \"\(text)\"")
            return nil
        }
        return text
    }

    /// The value that `parse` makes of a text, or a note of what it says.
    mutating func parsed<Value>(
        _ node: YAMLNode, _ path: String, _ parse: (String) throws(ValueProblem) -> Value
    ) -> Value? {
        guard let text = text(node, path) else { return nil }
        do throws(ValueProblem) {
            return try parse(text)
        } catch {
            note(node.place, path, error.message, hint: error.hint)
            return nil
        }
    }

    mutating func flag(_ node: YAMLNode, _ path: String) -> Bool? {
        if case .scalar(let text, isQuoted: false) = node.content {
            if text == "true" { return true }
            if text == "false" { return false }
        }
        note(node.place, path, "expected true or false, found \(found(node))", hint: "write `true` or `false`")
        return nil
    }

    mutating func word<Word: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ path: String) -> Word?
    where Word.RawValue == String {
        let names = Word.allCases.map(\.rawValue)
        guard case .scalar(let text, _) = node.content, let word = Word(rawValue: text) else {
            var hint = "write \(names.map { "`\($0)`" }.joined(separator: ", "))"
            if case .scalar(let text, _) = node.content, let near = KeyHint.nearest(to: text, among: names) {
                hint = "did you mean `\(near)`?"
            }
            note(node.place, path, "expected one of \(names.joined(separator: ", ")); found \(found(node))", hint: hint)
            return nil
        }
        return word
    }

    /// A number within the range of the key's shape: an integer, a duration in seconds or a size in bytes.
    mutating func number(_ key: PolicyKey, _ node: YAMLNode) -> UInt64? {
        guard let shape = PolicyKeys.byKey[key]?.shape else { return nil }
        return number(shape, node, key.path)
    }

    mutating func number(_ shape: KeyShape, _ node: YAMLNode, _ path: String) -> UInt64? {
        let kind: String
        switch shape {
        case .duration: kind = "a duration"
        case .size: kind = "a size"
        default: kind = "a whole number"
        }
        guard case .scalar(let text, let isQuoted) = node.content, !node.isNull else {
            note(node.place, path, "expected \(kind), found \(node.kind)")
            return nil
        }
        if isQuoted && Quantity.isDigits(text) {
            note(node.place, path, "expected \(kind), found text", hint: "write \(text) without quotes")
            return nil
        }
        do throws(ValueProblem) {
            return try Self.number(text, shape)
        } catch {
            note(node.place, path, error.message, hint: error.hint)
            return nil
        }
    }

    /// The number that a text stands for, within the range of a shape.
    static func number(_ text: String, _ shape: KeyShape) throws(ValueProblem) -> UInt64 {
        switch shape {
        case .duration(let range):
            let seconds = try Quantity.seconds(text)
            if seconds < range.lowerBound { throw ValueProblem("\(shown(text)) is no time at all") }
            if seconds > range.upperBound { throw ValueProblem("\(shown(text)) is too large") }
            return seconds
        case .size(let range):
            let bytes = try Quantity.bytes(text)
            if bytes < range.lowerBound {
                let unit = Quantity.isDigits(text) && bytes > 0 ? "; did you mean `\(bytes)MiB`?" : ""
                throw ValueProblem(
                    "\(shown(text)) is too small", hint: "at least \(ByteCount(range.lowerBound))\(unit)")
            }
            if bytes > range.upperBound { throw ValueProblem("\(shown(text)) is too large") }
            return bytes
        case .integer(let range):
            let value = try Quantity.integer(text)
            if !range.contains(value) {
                let bounds =
                    range.lowerBound == range.upperBound
                    ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
                throw ValueProblem("\(shown(text)) is out of range", hint: "allowed: \(bounds)")
            }
            return value
        default:
            return try Quantity.integer(text)
        }
    }

    // MARK: lists

    /// The elements of a list; nothing when the node is no list or an element was a mistake.
    ///
    /// An empty list is a list.
    mutating func list<Element>(
        _ node: YAMLNode, _ path: String, of element: (inout PolicyDecoder, YAMLNode, String) -> Element?
    ) -> [Element]? {
        guard case .sequence(let nodes) = node.content else {
            let hint = node.isNull ? "write `[]` for an empty list" : "write `[\(found(node, bare: true))]`"
            note(node.place, path, "expected a list, found \(node.kind)", hint: hint)
            return nil
        }
        var elements: [Element] = []
        for (index, item) in nodes.enumerated() {
            if let value = element(&self, item, "\(path)[\(index)]") { elements.append(value) }
        }
        return elements.count == nodes.count ? elements : nil
    }

    mutating func patterns(_ node: YAMLNode, _ path: String) -> [PathPattern]? {
        list(node, path) { decoder, item, path in decoder.parsed(item, path, PathPattern.init(parsing:)) }
    }

    mutating func untrusted(_ node: YAMLNode, _ path: String) -> [PathPattern]? {
        list(node, path) { decoder, item, path in
            guard let pattern = decoder.parsed(item, path, PathPattern.init(parsing:)) else { return nil }
            guard !pattern.isEverything else {
                decoder.note(
                    item.place, path, "`**` is too broad: no working directory would be left",
                    hint: "name the trees that are not trusted")
                return nil
            }
            return pattern
        }
    }

    mutating func paths(_ node: YAMLNode, _ path: String, mayBeSpecial: Bool) -> [AbsolutePath]? {
        list(node, path) { decoder, item, path in
            decoder.parsed(item, path) { text throws(ValueProblem) in
                try AbsolutePath(parsing: text, mayBeSpecial: mayBeSpecial)
            }
        }
    }

    mutating func relativePath(_ node: YAMLNode, _ path: String) -> String? {
        parsed(node, path) { text throws(ValueProblem) in
            let parts = text.split(separator: "/", omittingEmptySubsequences: true)
            guard text.utf8.first != UInt8(ascii: "/"), !parts.isEmpty, parts.allSatisfy({ isSafePathComponent($0) }),
                !text.unicodeScalars.contains(where: { "~$*".unicodeScalars.contains($0) })
            else {
                throw ValueProblem(
                    "\(shown(text)) is not a path inside the workspace", hint: "write it relative, without `..` and `*`"
                )
            }
            return parts.joined(separator: "/")
        }
    }

    mutating func variable(_ node: YAMLNode, _ path: String) -> EnvironmentName? {
        parsed(node, path, EnvironmentName.init(parsing:))
    }

    mutating func variables(_ node: YAMLNode, _ path: String) -> [EnvironmentName: String]? {
        guard case .mapping(let pairs) = node.content else {
            note(node.place, path, "expected a mapping, found \(node.kind)", hint: "write `{NAME: \"value\"}`, or `{}`")
            return nil
        }
        var out: [EnvironmentName: String] = [:]
        for pair in pairs {
            do throws(ValueProblem) {
                let name = try EnvironmentName(parsing: pair.key)
                if let value = text(pair.value, "\(path).\(name)") { out[name] = value }
            } catch {
                note(pair.place, path, error.message, hint: error.hint)
            }
        }
        return out.count == pairs.count ? out : nil
    }

    /// What a node holds, for a message: the text of a scalar, else its kind.
    func found(_ node: YAMLNode, bare: Bool = false) -> String {
        guard case .scalar(let text, _) = node.content, !node.isNull else { return bare ? "…" : node.kind }
        return bare ? String(shown(text).dropFirst().dropLast()) : shown(text)
    }
}

extension AbsolutePath {
    /// Reads a path as a policy or a flag writes it.
    ///
    /// `mayBeSpecial` admits what the jail makes itself.
    init(parsing text: String, mayBeSpecial: Bool) throws(ValueProblem) {
        if text.unicodeScalars.contains("$") || text.hasPrefix("~") {
            throw ValueProblem(
                "\(shown(text)) holds `\(text.hasPrefix("~") ? "~" : "$")`",
                hint: "nothing is expanded; write the path out")
        }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw ValueProblem(
                "\(shown(text)) is not absolute", hint: "paths of the workspace stand in workspace.write")
        }
        if text.contains("*") {
            throw ValueProblem("\(shown(text)) holds `*`", hint: "a path covers everything below it; leave the `*` out")
        }
        if text.utf8.count > 4095 { throw ValueProblem("\(shown(text)) is longer than a path can be") }
        guard let path = AbsolutePath(text) else {
            throw ValueProblem("\(shown(text)) holds `.`, `..` or a control character", hint: "write the path out")
        }
        guard let first = path.components.first else {
            throw ValueProblem("`/` is too broad: it is the whole host", hint: "name the trees that are needed")
        }
        if !mayBeSpecial && ["proc", "sys", "dev"].contains(first) {
            throw ValueProblem(
                "\(shown(text)) cannot be shown", hint: "the jail has its own /proc and /dev and no /sys")
        }
        self = path
    }
}

extension EnvironmentName {
    /// Reads a variable name.
    init(parsing text: String) throws(ValueProblem) {
        guard let name = EnvironmentName(text) else {
            throw ValueProblem("\(shown(text)) is not a variable name", hint: "letters, digits and `_`, no digit first")
        }
        self = name
    }
}
