public import JailModel

/// Which files mean something else when their lines are indented differently.
public enum IndentationSensitivity {
    private static let extensions: Set<String> = [
        "py", "pyi", "pyx", "yaml", "yml", "mk", "nim", "haml", "sass", "pug", "coffee",
    ]
    private static let names: Set<String> = ["Makefile", "GNUmakefile", "makefile"]

    /// Decides by the file's name; the extension's case does not matter.
    public static func of(path: ByteString) -> Bool {
        let name = String(decoding: path.bytes.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
        if names.contains(name) { return true }
        guard let dot = name.lastIndex(of: ".") else { return false }
        return extensions.contains(name[name.index(after: dot)...].lowercased())
    }
}
