import JailModel

/// Builds the tree from events, and notes what YAML allows and a policy does not.
struct YAMLTreeBuilder {
    private struct Frame {
        let isMapping: Bool
        let place: YAMLPlace
        var items: [YAMLNode] = []
        var pairs: [YAMLPair] = []
        /// The line of each key of this mapping.
        var lines: [String: Int] = [:]
        var key: Key?
    }
    /// What is known of a pair whose value has not come yet.
    private enum Key {
        case text(String, YAMLPlace)
        /// A key that has been reported; its value is dropped.
        case refused
    }

    private let file: String
    private var frames: [Frame] = []
    private(set) var root: YAMLNode?
    var diagnostics: [PolicyDiagnostic] = []

    init(file: String) { self.file = file }

    mutating func refuse(_ place: YAMLPlace, _ what: String, _ hint: String) {
        diagnostics.append(
            PolicyDiagnostic(file: file, line: place.line, column: place.column, key: "", message: what, hint: hint))
    }

    mutating func open(isMapping: Bool, _ place: YAMLPlace) {
        frames.append(Frame(isMapping: isMapping, place: place))
    }

    mutating func close() {
        guard let frame = frames.popLast() else { return }
        let content: YAMLNode.Content = frame.isMapping ? .mapping(frame.pairs) : .sequence(frame.items)
        add(YAMLNode(content: content, line: frame.place.line, column: frame.place.column))
    }

    mutating func add(_ node: YAMLNode) {
        guard var frame = frames.popLast() else {
            root = node
            return
        }
        if !frame.isMapping {
            frame.items.append(node)
        } else if let key = frame.key {
            if case .text(let text, let place) = key {
                frame.pairs.append(YAMLPair(key: text, place: place, value: node))
            }
            frame.key = nil
        } else {
            frame.key = self.key(node, in: &frame)
        }
        frames.append(frame)
    }

    private mutating func key(_ node: YAMLNode, in frame: inout Frame) -> Key {
        guard case .scalar(let text, _) = node.content else {
            refuse(node.place, "a key that is \(node.kind)", "a key is one word")
            return .refused
        }
        if let line = frame.lines[text] {
            refuse(node.place, "the key \(shown(text)) is set twice", "line \(line) has it already; keep one of them")
            return .refused
        }
        frame.lines[text] = node.line
        return .text(text, node.place)
    }
}

/// Text of a user as it may stand in a message: escaped, in backquotes, and not longer than a line.
func shown(_ text: String) -> String {
    let prefix = text.unicodeScalars.prefix(80)
    let isCut = prefix.endIndex != text.unicodeScalars.endIndex
    return "`" + SafeText.escape(String(String.UnicodeScalarView(prefix))) + (isCut ? "…" : "") + "`"
}
