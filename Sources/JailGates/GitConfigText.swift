/// One line of git's configuration.
struct GitConfigEntry: Sendable, Hashable {
    /// Section and key in lower case, joined by points, with the subsection as written between: `filter.Lfs.clean`.
    let name: [UInt8]
    /// `nil` for a key without `=`, which git reads as true.
    let value: [UInt8]?
}

/// Git's configuration, read as git reads it (config.c); what git refuses is refused here.
struct GitConfigText {
    private let bytes: [UInt8]
    private var index = 0
    private var isAtEnd = false
    private var entries: [GitConfigEntry] = []

    /// What the text sets, in its order; `nil` when git would not parse it.
    static func entries(_ bytes: [UInt8]) -> [GitConfigEntry]? {
        var reader = GitConfigText(bytes)
        return reader.read() ? reader.entries : nil
    }

    private init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    }

    /// The next byte; CR LF is LF, and the end is LF too.
    private mutating func next() -> UInt8 {
        guard index < bytes.count else {
            isAtEnd = true
            return Self.newline
        }
        defer { index += 1 }
        if bytes[index] == UInt8(ascii: "\r"), index + 1 < bytes.count, bytes[index + 1] == Self.newline { index += 1 }
        return bytes[index]
    }

    private mutating func read() -> Bool {
        var section: [UInt8] = []
        while true {
            let byte = next()
            if byte == Self.newline {
                if isAtEnd { return true }
                continue
            }
            if Self.isSpace(byte) { continue }
            if Self.startsComment(byte) {
                while next() != Self.newline {}
                if isAtEnd { return true }
                continue
            }
            if byte == UInt8(ascii: "[") {
                guard let name = sectionName() else { return false }
                section = name + [UInt8(ascii: ".")]
                continue
            }
            guard Self.isLetter(byte), key(section + [Self.lowered(byte)]) else { return false }
            if isAtEnd { return true }
        }
    }

    private mutating func sectionName() -> [UInt8]? {
        var name: [UInt8] = []
        while true {
            let byte = next()
            if isAtEnd { return nil }
            if byte == UInt8(ascii: "]") { return name.isEmpty ? nil : name }
            if Self.isSpace(byte) { return subsection(after: byte).map { name + [UInt8(ascii: ".")] + $0 } }
            guard Self.isKeyByte(byte) || byte == UInt8(ascii: ".") else { return nil }
            name.append(Self.lowered(byte))
        }
    }

    private mutating func subsection(after space: UInt8) -> [UInt8]? {
        var byte = space
        repeat {
            if byte == Self.newline { return nil }
            byte = next()
        } while Self.isSpace(byte)
        guard byte == UInt8(ascii: "\"") else { return nil }
        var name: [UInt8] = []
        while true {
            byte = next()
            if byte == Self.newline { return nil }
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                byte = next()
                if byte == Self.newline { return nil }
            }
            name.append(byte)
        }
        return next() == UInt8(ascii: "]") ? name : nil
    }

    private mutating func key(_ start: [UInt8]) -> Bool {
        var name = start
        var byte = next()
        while !isAtEnd, Self.isKeyByte(byte) {
            name.append(Self.lowered(byte))
            byte = next()
        }
        while byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { byte = next() }
        if byte == Self.newline {
            entries.append(GitConfigEntry(name: name, value: nil))
            return true
        }
        guard byte == UInt8(ascii: "="), let value = value() else { return false }
        entries.append(GitConfigEntry(name: name, value: value))
        return true
    }

    private mutating func value() -> [UInt8]? {
        var value: [UInt8] = []
        var isQuoted = false
        var isComment = false
        // Where white space begins that is dropped when nothing follows it.
        var tail: Int?
        while true {
            let byte = next()
            if byte == Self.newline {
                if isQuoted { return nil }
                return tail.map { Array(value[..<$0]) } ?? value
            }
            if isComment { continue }
            if Self.isSpace(byte), !isQuoted {
                if tail == nil { tail = value.count }
                if !value.isEmpty { value.append(byte) }
                continue
            }
            if !isQuoted, Self.startsComment(byte) {
                isComment = true
                continue
            }
            tail = nil
            switch byte {
            case UInt8(ascii: "\\"):
                switch next() {
                case Self.newline: if isAtEnd { return isQuoted ? nil : value }
                case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
                case UInt8(ascii: "b"): value.append(0x08)
                case UInt8(ascii: "n"): value.append(Self.newline)
                case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "\""): value.append(UInt8(ascii: "\""))
                default: return nil
                }
            case UInt8(ascii: "\""): isQuoted.toggle()
            default: value.append(byte)
            }
        }
    }

    // MARK: bytes, as git's own table has them

    private static let newline = UInt8(ascii: "\n")

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == newline || byte == UInt8(ascii: "\r")
    }

    private static func startsComment(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowered(byte))
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }
}
