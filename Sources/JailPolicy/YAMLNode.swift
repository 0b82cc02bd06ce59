/// A node of a YAML document and where it starts.
///
/// Lines and columns count from 1.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// The text after YAML's own escapes, and whether it was written in quotes or as a block.
        case scalar(String, isQuoted: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLPair])
    }
    let content: Content
    let line: Int
    let column: Int

    var place: YAMLPlace { YAMLPlace(line: line, column: column) }

    /// What the node is, in the words of an error message.
    var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : (numberOrFlag ?? "text")
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// Whether this is a key with no value, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What YAML takes an unquoted scalar for when that is not text; `nil` for text.
    var numberOrFlag: String? {
        guard case .scalar(let text, isQuoted: false) = content else { return nil }
        if ["true", "True", "TRUE", "false", "False", "FALSE"].contains(text) { return "a boolean" }
        return YAMLNode.isNumber(text) ? "a number" : nil
    }

    /// Whether the YAML 1.2 core schema reads an unquoted scalar as an integer or a floating-point number.
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let word = String(decoding: rest, as: UTF8.self)
        if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(word) { return true }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        if rest.starts(with: "0x".utf8) || rest.starts(with: "0o".utf8) {
            return UInt64(word.dropFirst(2), radix: rest.starts(with: "0x".utf8) ? 16 : 8) != nil
        }
        let whole = rest.prefix(while: isDigit)
        rest = rest[whole.endIndex...]
        var digits = whole.count
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = rest.prefix(while: isDigit)
            digits += fraction.count
            rest = rest[fraction.endIndex...]
        }
        guard digits > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            let exponent = rest.prefix(while: isDigit)
            guard !exponent.isEmpty else { return false }
            rest = rest[exponent.endIndex...]
        }
        return rest.isEmpty
    }
}

/// One key of a mapping with its value.
struct YAMLPair: Sendable {
    let key: String
    let place: YAMLPlace
    let value: YAMLNode
}

/// A line and a column, from 1; zeros mean no place in particular.
struct YAMLPlace: Sendable, Hashable {
    let line: Int
    let column: Int

    static let none = YAMLPlace(line: 0, column: 0)
}

/// A document, and every mistake of its YAML; without a root there was nothing that could be read.
struct YAMLDocument: Sendable {
    var root: YAMLNode?
    var diagnostics: [PolicyDiagnostic]
}
