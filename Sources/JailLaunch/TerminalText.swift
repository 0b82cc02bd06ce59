/// Takes the power out of escape sequences before the command's output reaches a terminal (escape row P8).
///
/// Colours (`ESC [ … m`) and erase-in-line (`ESC [ … K`) pass; every other sequence is shown instead of obeyed: OSC 52
/// writes the clipboard, DCS and title sequences make some terminals type, cursor movement overwrites what launch-jail
/// said. The state survives a chunk boundary; nothing that was complete is held back.
struct TerminalText {
    private enum State {
        case text
        case escape
        /// `ESC [` and the bytes since.
        case control([UInt8])
        /// The first byte of a UTF-8 encoded C1 control character.
        case c1
        /// Inside a longer UTF-8 sequence, with so many bytes to come.
        case continuation(Int)
    }

    private var state = State.text
    private var hasColour = false
    private var isLineStart = true
    private static let longestSequence = 32
    private static let escape: UInt8 = 0x1b

    /// The bytes that may be shown for these.
    mutating func neutralise(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes { step(byte, &out) }
        if let last = out.last { isLineStart = last == UInt8(ascii: "\n") }
        return out
    }

    /// What puts the terminal back for whoever writes next: no colour of the command's, and a line of its own.
    func restoration() -> [UInt8] {
        (hasColour ? Array("\u{1b}[0m".utf8) : []) + (isLineStart ? [] : Array("\r\n".utf8))
    }

    /// What is still held at the end of the stream.
    mutating func finish() -> [UInt8] {
        defer { state = .text }
        switch state {
        case .text: return []
        case .escape: return Array("^[".utf8)
        case .control(let held): return Array("^[[".utf8) + held
        case .c1, .continuation: return []
        }
    }

    private mutating func step(_ byte: UInt8, _ out: inout [UInt8]) {
        switch state {
        case .text: text(byte, &out)
        case .escape:
            if byte == UInt8(ascii: "[") {
                state = .control([])
            } else {
                out += Array("^[".utf8)
                state = .text
                text(byte, &out)
            }
        case .control(var held):
            let isParameter = (0x30...0x3b).contains(byte)
            if isParameter, held.count < Self.longestSequence {
                held.append(byte)
                state = .control(held)
            } else if byte == UInt8(ascii: "m") || byte == UInt8(ascii: "K") {
                out += [Self.escape, UInt8(ascii: "[")] + held + [byte]
                hasColour = hasColour || byte == UInt8(ascii: "m")
                state = .text
            } else {
                out += Array("^[[".utf8) + held
                state = .text
                text(byte, &out)
            }
        case .continuation(let left):
            guard (0x80...0xbf).contains(byte) else {
                state = .text
                text(byte, &out)
                return
            }
            out.append(byte)
            state = left > 1 ? .continuation(left - 1) : .text
        case .c1:
            state = .text
            if (0x80...0x9f).contains(byte) {
                out.append(UInt8(ascii: "?"))
            } else if (0xa0...0xbf).contains(byte) {
                out += [0xc2, byte]
            } else {
                out.append(UInt8(ascii: "?"))
                text(byte, &out)
            }
        }
    }

    private mutating func text(_ byte: UInt8, _ out: inout [UInt8]) {
        switch byte {
        case Self.escape: state = .escape
        case 0xc2: state = .c1
        case 0x07, 0x08, 0x09, 0x0a, 0x0d: out.append(byte)
        case 0..<0x20: out += [UInt8(ascii: "^"), byte + 0x40]
        case 0x7f: out += Array("^?".utf8)
        // A byte of its own above ASCII is a control character to a terminal that is not in UTF-8 mode.
        case 0x80...0xc1, 0xf5...0xff: out.append(UInt8(ascii: "?"))
        case 0xc3...0xdf:
            out.append(byte)
            state = .continuation(1)
        case 0xe0...0xef:
            out.append(byte)
            state = .continuation(2)
        case 0xf0...0xf4:
            out.append(byte)
            state = .continuation(3)
        default: out.append(byte)
        }
    }
}
