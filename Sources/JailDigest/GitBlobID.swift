import Crypto

/// The name that git gives to a content in a repository with SHA-1 names.
///
/// SHA-1 serves here for git object ids only; nothing rests on it.
public struct GitBlobID: Hashable, Sendable, CustomStringConvertible {
    /// 40 lower-case hexadecimal digits.
    public let hex: String

    /// What stands for an absent file.
    public static let absent = GitBlobID(hex: String(repeating: "0", count: 40))

    /// The id of a file's content or of a link's text.
    public static func of(_ content: [UInt8]) -> GitBlobID {
        var hasher = Insecure.SHA1()
        hasher.update(data: Array("blob \(content.count)\0".utf8))
        hasher.update(data: content)
        let table = Array("0123456789abcdef".utf8)
        let digits = hasher.finalize().flatMap { [table[Int($0 >> 4)], table[Int($0 & 15)]] }
        return GitBlobID(hex: String(decoding: digits, as: UTF8.self))
    }

    public var description: String { hex }

    private init(hex: String) { self.hex = hex }
}
