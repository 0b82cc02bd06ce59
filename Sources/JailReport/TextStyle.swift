import JailModel

/// Colour for a terminal, or none.
struct TextStyle {
    enum Colour: String { case red = "31", green = "32", yellow = "33", dim = "2", bold = "1" }

    let isColoured: Bool

    func paint(_ text: String, _ colour: Colour) -> String {
        isColoured ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    func paint(_ text: String, _ status: GateStatus) -> String {
        switch status {
        case .pass: paint(text, .green)
        case .fail, .blocked: paint(text, .red)
        case .notApplicable: paint(text, .dim)
        }
    }
}

/// Lines for people, with words wrapped and text from the command made safe.
struct TextLines {
    let style: TextStyle
    /// Columns; long words stand out rather than being cut.
    let width: Int
    private(set) var lines: [String] = []

    init(style: TextStyle, width: Int) {
        self.style = style
        self.width = max(width, 40)
    }

    var text: String { lines.map { $0 + "\n" }.joined() }

    mutating func add(_ line: String = "") { lines.append(line) }

    mutating func heading(_ title: String) {
        add()
        add(style.paint(title, .bold))
    }

    /// A label in a column, and text that is wrapped beside it.
    mutating func field(_ label: String, _ text: String, indent: Int = 2, column: Int = 12) {
        let head = String(repeating: " ", count: indent) + padded(label, to: column - indent)
        wrap(text, head: head, indent: column)
    }

    /// Text that is wrapped after what already stands on its first line.
    mutating func wrap(_ text: String, head: String, indent: Int, headWidth: Int? = nil) {
        let margin = String(repeating: " ", count: indent)
        var line = head
        var used = headWidth ?? head.unicodeScalars.count
        var isStart = true
        for word in text.split(separator: " ") {
            let length = word.unicodeScalars.count
            if !isStart && used + 1 + length > width {
                add(trimmed(line))
                line = margin
                used = indent
                isStart = true
            }
            line += isStart ? String(word) : " " + word
            used += length + (isStart ? 0 : 1)
            isStart = false
        }
        add(trimmed(line))
    }

    private func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}

/// Text with spaces after it up to a column, and at least one.
func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.unicodeScalars.count))
}
