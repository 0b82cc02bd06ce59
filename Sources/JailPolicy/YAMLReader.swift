import CLibYAML
import JailModel

/// Reads the bytes of one YAML document into a tree, through libyaml's event interface.
///
/// The only place of this module that calls C. What YAML offers beyond plain data is refused: anchors and aliases
/// (walking a shared tree can be exponential), explicit tags, duplicate keys, a second document. Size, depth and node
/// count are bounded before anything is built from them.
struct YAMLReader {
    static let maximumBytes = 1 << 20
    static let maximumDepth = 32
    static let maximumNodes = 20_000

    private let file: String
    private var builder: YAMLTreeBuilder
    private var nodes = 0
    private var depth = 0
    private var documents = 0

    private init(file: String) {
        self.file = file
        builder = YAMLTreeBuilder(file: file)
    }

    /// The document in `bytes`; mistakes carry `file` as their file.
    static func read(_ bytes: [UInt8], file: String) -> YAMLDocument {
        if bytes.count > maximumBytes {
            return failure(file, .none, "the file has more than \(maximumBytes) bytes", "a policy is a page or two")
        }
        if let index = bytes.firstIndex(of: 0) {
            return failure(file, place(of: index, in: bytes), "a NUL byte", "a policy is text in UTF-8")
        }
        if let index = firstInvalidUTF8(in: bytes) {
            return failure(file, place(of: index, in: bytes), "a byte that is not UTF-8", "save the file as UTF-8")
        }
        var reader = YAMLReader(file: file)
        if let fatal = reader.run(bytes) { reader.builder.diagnostics.append(fatal) }
        return YAMLDocument(root: reader.builder.root, diagnostics: reader.builder.diagnostics)
    }

    /// Feeds every event of `bytes` to the builder; the mistake that ended the reading, if one did.
    private mutating func run(_ bytes: [UInt8]) -> PolicyDiagnostic? {
        // SAFETY: libyaml keeps the address of its parser inside itself, so the parser lives in one allocation from
        // initialisation to deletion; both are released on every way out of this function.
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { return diagnostic(.none, "not enough memory to read it") }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        // SAFETY: libyaml reads the buffer only inside the loop, which ends before the buffer's scope does.
        return bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
            while true {
                var event = yaml_event_t()
                guard yaml_parser_parse(parser, &event) == 1 else { return syntaxError(parser.pointee) }
                // ORDER: the event owns its strings until it is deleted, after it has been consumed.
                defer { yaml_event_delete(&event) }
                if event.type == YAML_STREAM_END_EVENT { return nil }
                if let fatal = consume(event) { return fatal }
            }
        }
    }

    private mutating func consume(_ event: yaml_event_t) -> PolicyDiagnostic? {
        let place = YAMLPlace(line: event.start_mark.line + 1, column: event.start_mark.column + 1)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            if documents > 1 {
                return diagnostic(place, "a second document", "keep one policy per file, without a second `---`")
            }
            return nil
        case YAML_ALIAS_EVENT:
            builder.refuse(
                place, "an alias (`*`)", "aliases are not supported; write the value out, quoted if it is text")
            builder.add(YAMLNode(content: .scalar("", isQuoted: true), line: place.line, column: place.column))
            return count(place)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            refuse(anchor: scalar.anchor, tag: scalar.tag, place)
            let text = string(scalar.value, scalar.length)
            if text.utf8.contains(0) { builder.refuse(place, "a NUL character", "remove the `\\0`") }
            let isQuoted = scalar.style != YAML_PLAIN_SCALAR_STYLE
            builder.add(
                YAMLNode(content: .scalar(text, isQuoted: isQuoted), line: place.line, column: place.column))
            return count(place)
        case YAML_SEQUENCE_START_EVENT:
            refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag, place)
            builder.open(isMapping: false, place)
            return count(place) ?? deepen(place)
        case YAML_MAPPING_START_EVENT:
            refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag, place)
            builder.open(isMapping: true, place)
            return count(place) ?? deepen(place)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            depth -= 1
            builder.close()
            return nil
        default:
            return nil
        }
    }

    private mutating func refuse(
        anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?, _ place: YAMLPlace
    ) {
        if anchor != nil { builder.refuse(place, "an anchor (`&`)", "anchors are not supported; write the value out") }
        if tag != nil {
            builder.refuse(place, "a tag (`!`)", "tags are not supported; quote text that begins with `!`")
        }
    }

    private mutating func count(_ place: YAMLPlace) -> PolicyDiagnostic? {
        nodes += 1
        return nodes > Self.maximumNodes ? diagnostic(place, "more than \(Self.maximumNodes) values") : nil
    }

    private mutating func deepen(_ place: YAMLPlace) -> PolicyDiagnostic? {
        depth += 1
        return depth > Self.maximumDepth ? diagnostic(place, "nested deeper than \(Self.maximumDepth) levels") : nil
    }

    private func string(_ start: UnsafeMutablePointer<yaml_char_t>?, _ length: Int) -> String {
        // SAFETY: libyaml says that `length` bytes follow `start`; they are copied before the event is deleted.
        String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    private func syntaxError(_ parser: yaml_parser_t) -> PolicyDiagnostic {
        guard parser.error != YAML_MEMORY_ERROR, let problem = parser.problem else {
            return diagnostic(.none, "not enough memory to read it")
        }
        // SAFETY: `problem` is one of libyaml's constant strings.
        let words = String(cString: problem)
        if parser.error == YAML_READER_ERROR {
            let line = parser.mark.line + 1
            return diagnostic(YAMLPlace(line: line, column: 1), "not valid YAML: \(words)", "remove control characters")
        }
        let mark = parser.problem_mark
        return diagnostic(
            YAMLPlace(line: mark.line + 1, column: mark.column + 1), "not valid YAML: \(words)", Self.hint(for: words))
    }

    private static func hint(for problem: String) -> String {
        if problem.contains("cannot start any token") {
            return "indent with spaces, and quote text that begins with `@`, a backquote, `%` or a tab"
        }
        if problem.contains("alphabetic or numeric") { return "quote text that begins with `*` or `&`" }
        if problem.contains("mapping values are not allowed") { return "quote text that holds `: `" }
        return "check the indentation and the quotes around this line"
    }

    private func diagnostic(_ place: YAMLPlace, _ message: String, _ hint: String = "") -> PolicyDiagnostic {
        PolicyDiagnostic(file: file, line: place.line, column: place.column, key: "", message: message, hint: hint)
    }

    private static func failure(_ file: String, _ place: YAMLPlace, _ message: String, _ hint: String) -> YAMLDocument {
        let reader = YAMLReader(file: file)
        return YAMLDocument(root: nil, diagnostics: [reader.diagnostic(place, message, hint)])
    }

    private static func firstInvalidUTF8(in bytes: [UInt8]) -> Int? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var index = 0
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded): index += encoded.count
            case .error: return index
            case .emptyInput: return nil
            }
        }
    }

    private static func place(of index: Int, in bytes: [UInt8]) -> YAMLPlace {
        let before = bytes[..<index]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return YAMLPlace(line: line, column: index - lineStart + 1)
    }
}
