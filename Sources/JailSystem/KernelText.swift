/// Reads the kernel's text files: pure, from bytes to numbers and words.
enum KernelText {
    /// Every run of decimal digits that stands alone between white space, in order; other words are left out.
    static func numbers(_ text: some Sequence<UInt8>) -> [UInt64] {
        var found: [UInt64] = []
        var value: UInt64?
        var isWord = false
        for byte in text {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), 0:
                if let value, !isWord { found.append(value) }
                value = nil
                isWord = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let (scaled, over) = (value ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, carry) = scaled.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                value = over || carry ? .max : sum
            default:
                isWord = true
            }
        }
        if let value, !isWord { found.append(value) }
        return found
    }

    /// The first number in the line that starts with a key, as `RssShmem:` in /proc/PID/status or `max` in pids.events.
    static func value(of key: String, in text: some Collection<UInt8>) -> UInt64? {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let rest = line.dropFirst(key.utf8.count)
            guard line.starts(with: key.utf8), let next = rest.first else { continue }
            guard next == UInt8(ascii: ":") || next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") else { continue }
            return numbers(rest.drop { $0 == UInt8(ascii: ":") }).first
        }
        return nil
    }

    /// The fields of a line of /etc/passwd and the like, by colons, empty ones included.
    static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    }

    /// A user or group id: decimal digits and nothing else.
    static func id(_ text: ArraySlice<UInt8>) -> UInt32? {
        let found = numbers(text)
        return found.count == 1 ? UInt32(exactly: found[0]) : nil
    }

    /// A path as mountinfo writes it: `\040` and the like stand for white space and the backslash.
    static func unescapeMountPath(_ text: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        guard bytes.contains(UInt8(ascii: "\\")) else { return bytes }
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count {
                let digits = bytes[(index + 1)...(index + 3)]
                if digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") }) {
                    out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - UInt8(ascii: "0")) }))
                    index += 4
                    continue
                }
            }
            out.append(bytes[index])
            index += 1
        }
        return out
    }
}

/// One line of /proc/PID/mountinfo.
///
/// proc_pid_mountinfo(5).
struct MountEntry: Hashable {
    let root: String
    let mountPoint: String
    let filesystem: String
    let superOptions: [String]

    /// Reads the lines whose file system is wanted; a line that does not have the documented form is left out.
    static func parse(
        _ text: [UInt8], where isWanted: (_ filesystem: String) -> Bool = { _ in true }
    ) -> [MountEntry] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard let dash = fields.dropFirst(6).firstIndex(where: { $0.elementsEqual("-".utf8) }),
                fields.count > dash + 1
            else { return nil }
            let filesystem = String(decoding: fields[dash + 1], as: UTF8.self)
            guard isWanted(filesystem) else { return nil }
            let options = fields.count > dash + 3 ? fields[dash + 3] : []
            return MountEntry(
                root: String(decoding: KernelText.unescapeMountPath(fields[3]), as: UTF8.self),
                mountPoint: String(decoding: KernelText.unescapeMountPath(fields[4]), as: UTF8.self),
                filesystem: filesystem,
                superOptions: options.split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) })
        }
    }
}
