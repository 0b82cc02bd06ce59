/// One account of /etc/passwd.
///
/// passwd(5).
public struct Account: Sendable, Hashable {
    public let name: String
    public let uid: UInt32
    public let gid: UInt32
    public let home: String

    public init(name: String, uid: UInt32, gid: UInt32, home: String) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
    }

    /// Reads the lines of /etc/passwd; what is not an account is left out.
    ///
    /// The file is read without the C library's name service, which a static program cannot load; an account that only
    /// a directory service knows gets its name and home from the environment.
    static func parse(_ text: [UInt8]) -> [Account] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = KernelText.fields(line)
            guard fields.count >= 6, !fields[0].isEmpty, let uid = KernelText.id(fields[2]),
                let gid = KernelText.id(fields[3])
            else { return nil }
            return Account(
                name: String(decoding: fields[0], as: UTF8.self), uid: uid, gid: gid,
                home: String(decoding: fields[5], as: UTF8.self))
        }
    }
}

/// A range of ids that belongs to somebody, as in /etc/subuid or /proc/self/uid_map.
public struct IDRange: Sendable, Hashable {
    public let first: UInt32
    public let count: UInt32

    public init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }

    public func contains(_ id: UInt32) -> Bool { id >= first && id - first < count }

    /// The ranges of /etc/subuid: `name:first:count`.
    ///
    /// subuid(5).
    static func parseSubordinate(_ text: [UInt8]) -> [IDRange] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = KernelText.fields(line)
            guard fields.count == 3, let first = KernelText.id(fields[1]), let count = KernelText.id(fields[2])
            else { return nil }
            return IDRange(first: first, count: count)
        }
    }

    /// The ids that exist in a user namespace: `inside outside count`.
    ///
    /// user_namespaces(7).
    static func parseMap(_ text: [UInt8]) -> [IDRange] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = KernelText.numbers(line)
            guard fields.count == 3 else { return nil }
            return IDRange(first: UInt32(clamping: fields[0]), count: UInt32(clamping: fields[2]))
        }
    }
}
