/// The type of a value in a policy file: what the parser accepts, the reference says and the JSON Schema checks.
indirect enum KeyShape: Sendable {
    case integer(ClosedRange<UInt64>)
    /// `true` or `false`.
    case boolean
    case word([String])
    /// Seconds, or text such as `1h30m`.
    case duration(ClosedRange<UInt64>)
    /// Bytes, or text such as `512MiB`.
    case size(ClosedRange<UInt64>)
    case text(TextForm)
    case list(KeyShape)
    /// A mapping with these fields and no others; of each group in `oneOf` exactly one is there.
    case fields([FieldSpec], oneOf: [String] = [])
    /// A mapping of any size.
    case dictionary(keys: TextForm, values: TextForm)
    /// A mapping with exactly one entry, of these names to one of these words.
    case choice([String], of: [String])
    case either([KeyShape])

    /// The type in the words of the reference.
    var words: String {
        switch self {
        case .integer: "integer"
        case .boolean: "`true` or `false`"
        case .word(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .duration: "duration"
        case .size: "size"
        case .text(let form): form.words
        case .list(let element): "list of: \(element.words)"
        case .fields(let fields, _): "mapping of \(fields.map { "`\($0.name)`" }.joined(separator: ", "))"
        case .dictionary(let keys, let values): "mapping of \(keys.words) to \(values.words)"
        case .choice(let names, let words):
            if names.count > 4 {
                "mapping of one name to \(words.map { "`\($0)`" }.joined(separator: ", "))"
            } else {
                "mapping of one of \(names.joined(separator: ", ")) to \(words.joined(separator: ", "))"
            }
        case .either(let shapes): shapes.map(\.words).joined(separator: "; or ")
        }
    }

    /// The fields of the mappings that this value may hold, for key paths such as `network.allow[].host`.
    var fields: [FieldSpec] {
        switch self {
        case .fields(let fields, _): fields
        case .list(let element): element.fields
        case .either(let shapes): shapes.flatMap(\.fields)
        default: []
        }
    }
}

/// One key of a mapping inside a list.
struct FieldSpec: Sendable {
    let name: String
    let shape: KeyShape
    let isRequired: Bool
    let summary: String

    init(_ name: String, _ shape: KeyShape, required: Bool = false, _ summary: String) {
        self.name = name
        self.shape = shape
        isRequired = required
        self.summary = summary
    }
}

/// A form of text: its words for people, and a regular expression (ECMA 262) for the schema.
///
/// The expression may admit more than the parser does, never less.
struct TextForm: Sendable {
    let words: String
    let pattern: String

    static let reference = TextForm(
        words: "name of a shipped policy, or relative path of a file",
        pattern: #"^[^/\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$"#)
    static let pathPattern = TextForm(
        words: "path pattern",
        pattern: #"^(?![/!])(?!(.*/)?\.{1,2}(/|$))(?!.*[^/]\*\*)(?!.*\*\*[^/])[^~%$?\[\]{}\\\u0000-\u001f\u007f]+$"#)
    static let relativePath = TextForm(
        words: "relative path", pattern: #"^(?!/)(?!(.*/)?\.{1,2}(/|$))[^~$*\u0000-\u001f\u007f]+$"#)
    static let readablePath = TextForm(
        words: "absolute path",
        pattern: #"^(?!/+$)(?!/+(proc|sys|dev)(/|$))/(?!(.*/)?\.{1,2}(/|$))[^*$\u0000-\u001f\u007f]+$"#)
    static let absolutePath = TextForm(
        words: "absolute path", pattern: #"^(?!/+$)/(?!(.*/)?\.{1,2}(/|$))[^*$\u0000-\u001f\u007f]+$"#)
    static let executable = TextForm(
        words: "absolute path of a file, or a directory followed by `/**`",
        pattern: #"^(?!/+(\*\*)?$)/(?!(.*/)?\.{1,2}(/|$))[^*$\u0000-\u001f\u007f]*([^*$/\u0000-\u001f\u007f]|/\*\*)$"#)
    static let hostAndPort = TextForm(
        words: "`host`, `host:port`, `*.domain` or `*.domain:port`",
        pattern: #"^((\*\.[^\s/@?#*:\[\]]+\.[^\s/@?#*:\[\]]+|[^\s/@?#*:\[\]]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?"#
            + #"|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$"#)
    static let host = TextForm(
        words: "host, address or `*.domain`",
        pattern:
            #"^(\*\.[^\s/@?#*:\[\]]+\.[^\s/@?#*:\[\]]+|[^\s/@?#*:\[\]]+|\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]?)$"#
    )
    static let hostName = TextForm(words: "host name", pattern: #"^[^\s/@?#*:\[\]]+$"#)
    static let environmentName = TextForm(words: "variable name", pattern: "^[A-Za-z_][A-Za-z0-9_]*$")
    static let environmentValue = TextForm(words: "text", pattern: #"^[^\u0000]*$"#)
    static let headerName = TextForm(words: "header name", pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    static let headerValue = TextForm(
        words: "text with `${NAME}` for a held value", pattern: #"^[^\u0000-\u001f\u007f]+$"#)
    static let routeName = TextForm(words: "name", pattern: "^[a-z0-9][a-z0-9_-]*$")
    static let url = TextForm(words: "`http` or `https` URL", pattern: #"^https?://[^\s/@?#][^\s@?#]*$"#)
    static let sha256 = TextForm(words: "64 lower-case hexadecimal digits", pattern: "^[0-9a-f]{64}$")
    static let gitRef = TextForm(
        words: "commit: 40 or 64 lower-case hexadecimal digits, not all the same",
        pattern: #"^(?!(.)\1*$)([0-9a-f]{40}|[0-9a-f]{64})$"#)
}
