import JailModel

/// The names of a file in the places of a patch, quoted where a byte needs it.
struct PatchNames {
    private let from: [UInt8]
    private let path: [UInt8]
    private let hasOld: Bool
    private let hasNew: Bool

    init(_ file: FilePatch, isRenamed: Bool) {
        path = file.path.bytes
        from = isRenamed ? file.from?.bytes ?? path : path
        hasOld = file.old != nil
        hasNew = file.new != nil
    }

    /// The two names of the first line.
    ///
    /// GNU patch reads them only where no line names follow, and then splits them at spaces: those names are quoted
    /// although git would not.
    func git(withLines hasLines: Bool) -> [UInt8] {
        Self.quoted("a/".utf8 + from, quotesSpace: !hasLines || Self.hasSpaceAtEnd(from)) + " ".utf8
            + Self.quoted("b/".utf8 + path, quotesSpace: !hasLines || Self.hasSpaceAtEnd(path))
    }

    var renamedFrom: [UInt8] { Self.quoted(from, quotesSpace: Self.hasSpaceAtEnd(from)) }
    var renamedTo: [UInt8] { Self.quoted(path, quotesSpace: Self.hasSpaceAtEnd(path)) }
    var oldName: [UInt8] { hasOld ? Self.side("a/", from) : Array("/dev/null".utf8) }
    var newName: [UInt8] { hasNew ? Self.side("b/", path) : Array("/dev/null".utf8) }
    var oldLine: [UInt8] { hasOld ? Self.ended(oldName) : oldName }
    var newLine: [UInt8] { hasNew ? Self.ended(newName) : newName }

    private static func side(_ prefix: String, _ name: [UInt8]) -> [UInt8] {
        quoted(prefix.utf8 + name, quotesSpace: hasSpaceAtEnd(name))
    }

    /// Whether GNU patch would drop a part of the name when it stands unquoted at the end of a line.
    private static func hasSpaceAtEnd(_ name: [UInt8]) -> Bool {
        name.first == UInt8(ascii: " ") || name.last == UInt8(ascii: " ")
    }

    /// A tab ends a name with a space, as git writes it: what follows would be a date.
    private static func ended(_ name: [UInt8]) -> [UInt8] {
        name.contains(UInt8(ascii: " ")) ? name + [UInt8(ascii: "\t")] : name
    }

    /// The name in C's notation within quotes when it holds a control character, a quote, a backslash or a byte
    /// outside ASCII (git's core.quotePath).
    static func quoted(_ name: some Sequence<UInt8>, quotesSpace: Bool = false) -> [UInt8] {
        var out: [UInt8] = []
        var needsQuotes = false
        for byte in name {
            if byte == UInt8(ascii: " "), quotesSpace { needsQuotes = true }
            if let escape = escape(byte) {
                needsQuotes = true
                out += escape
            } else {
                out.append(byte)
            }
        }
        let quote = UInt8(ascii: "\"")
        return needsQuotes ? [quote] + out + [quote] : out
    }

    private static func escape(_ byte: UInt8) -> [UInt8]? {
        let backslash = UInt8(ascii: "\\")
        switch byte {
        case 0x07: return [backslash, UInt8(ascii: "a")]
        case 0x08: return [backslash, UInt8(ascii: "b")]
        case 0x09: return [backslash, UInt8(ascii: "t")]
        case 0x0a: return [backslash, UInt8(ascii: "n")]
        case 0x0b: return [backslash, UInt8(ascii: "v")]
        case 0x0c: return [backslash, UInt8(ascii: "f")]
        case 0x0d: return [backslash, UInt8(ascii: "r")]
        case UInt8(ascii: "\""), backslash: return [backslash, byte]
        case 0x20..<0x7f: return nil
        default: return [backslash, 0x30 + (byte >> 6), 0x30 + (byte >> 3 & 7), 0x30 + (byte & 7)]
        }
    }
}
