/// In which form two lines are compared.
enum LineForm: Sendable, Hashable {
    /// Every byte counts.
    case exact
    /// A CR before the LF is left out.
    case unifiedEnding
    /// Without CR, line feed and white space at the ends; runs of white space become one space.
    case collapsed(keepsIndentation: Bool)

    /// Appends the line's form to the bytes.
    func append(_ line: Range<Int>, of content: [UInt8], to out: inout [UInt8]) {
        switch self {
        case .exact:
            out.append(contentsOf: content[line])
        case .unifiedEnding:
            out.append(contentsOf: content[line])
            if line.count >= 2, content[line.upperBound - 1] == newline, content[line.upperBound - 2] == carriageReturn
            {
                out.removeLast(2)
                out.append(newline)
            }
        case .collapsed(let keepsIndentation):
            Self.appendCollapsed(content[line], keepsIndentation: keepsIndentation, to: &out)
        }
    }

    private static func appendCollapsed(_ line: ArraySlice<UInt8>, keepsIndentation: Bool, to out: inout [UInt8]) {
        let start = out.count
        // Indentation is kept back until something follows it: a line of blanks only is an empty line.
        var indentation: [UInt8] = []
        var isBlankOpen = false
        for byte in line where byte != carriageReturn && byte != newline {
            if isBlank(byte) {
                isBlankOpen = true
                if keepsIndentation, out.count == start { indentation.append(byte) }
                continue
            }
            if out.count == start {
                out.append(contentsOf: indentation)
            } else if isBlankOpen {
                out.append(UInt8(ascii: " "))
            }
            isBlankOpen = false
            out.append(byte)
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == 0x0b || byte == 0x0c
    }
}

let newline = UInt8(ascii: "\n")
let carriageReturn = UInt8(ascii: "\r")
