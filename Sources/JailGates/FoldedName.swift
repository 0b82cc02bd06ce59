import JailModel

/// One name of a path, and what file systems that fold names may take it for.
///
/// Row F18: the commit may land on such a file system, or the tree may be copied to one. What they ignore: case, the
/// form of composed characters, the invisible characters that HFS+ drops, and on NTFS a stream's name, dots and spaces
/// at the end, and the short form `git~1`.
struct FoldedName: Sendable, Hashable {
    let bytes: [UInt8]
    let folded: [UInt8]
    /// Whether it holds the mark of a short form, which no table of names can list.
    let mayBeShort: Bool

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        folded = Self.trimmed(Self.fold(self.bytes))
        mayBeShort = folded.contains(UInt8(ascii: "~"))
    }

    /// The names of a path, without empty ones.
    static func names(of path: ByteString) -> [FoldedName] {
        path.bytes.split(separator: UInt8(ascii: "/")).map { FoldedName($0) }
    }

    /// Whether some file system opens this name when a program asks for `name`, which is in lower case.
    func mayBe(_ name: [UInt8]) -> Bool { folded == name || (mayBeShort && isShortForm(of: name)) }

    func mayBe(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { folded.elementsEqual($0) || (mayBeShort && isShortForm(of: Array($0))) }
    }

    // MARK: folding

    private static func fold(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.map(lowered) }
        // Bytes that are no text are nobody's alias except by case.
        guard let text = String(validating: bytes, as: UTF8.self) else { return bytes.map(lowered) }
        var visible = String.UnicodeScalarView()
        visible.append(contentsOf: text.unicodeScalars.filter { !isIgnorable($0) })
        // Upper case first: it spells out ligatures and joins letters such as the long s with their plain form.
        return Array(String(visible).uppercased().lowercased().utf8)
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
    }

    /// The characters that HFS+ ignores in names.
    private static func isIgnorable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200c...0x200f, 0x202a...0x202e, 0x206a...0x206f, 0xfeff: true
        default: false
        }
    }

    /// Without a stream (`.git::$INDEX_ALLOCATION`), and without dots and spaces at the end.
    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var out = bytes[...]
        if let colon = out.firstIndex(of: UInt8(ascii: ":")), colon > 0 { out = out[..<colon] }
        while let last = out.last, last == UInt8(ascii: ".") || last == UInt8(ascii: " ") { out.removeLast() }
        return out.isEmpty ? bytes : Array(out)
    }

    // MARK: short forms

    /// Whether this is a form such as `git~1` or `settin~1.jso`, or the hashed one after four like it (`gi7d29~1`).
    private func isShortForm(of name: [UInt8]) -> Bool {
        guard let tilde = folded.firstIndex(of: UInt8(ascii: "~")), tilde > 0 else { return false }
        let dot = UInt8(ascii: ".")
        let parts = folded[(tilde + 1)...].split(separator: dot, maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = parts.first, !number.isEmpty, number.allSatisfy(Self.isDigit) else { return false }
        let plain = name.drop { $0 == dot }
        let end = plain.lastIndex(of: dot) ?? plain.endIndex
        let base = plain[..<end].filter { $0 != dot }
        let suffix = end < plain.endIndex ? plain[(end + 1)...].prefix(3) : []
        guard plain.startIndex > 0 || base.count > 8 || plain.endIndex - end > 4 else { return false }
        guard (parts.count > 1 ? Array(parts[1]) : []) == Array(suffix) else { return false }
        let stem = folded[..<tilde]
        if base.starts(with: stem) { return stem.count == base.count || stem.count + number.count == 7 }
        return stem.count == 6 && base.starts(with: stem.prefix(2)) && stem.dropFirst(2).allSatisfy(Self.isHex)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
