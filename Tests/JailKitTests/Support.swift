import Glibc
import JailModel
import JailPolicy
import Testing

func policy(_ text: String) throws -> Policy {
    try Policy.parse(bytes: Array(("version: 1\n" + text).utf8), name: "test.yaml")
}

func path(_ text: String) throws -> AbsolutePath { try #require(AbsolutePath(text)) }

/// A path that is no UTF-8.
func bytes(_ head: String, _ byte: UInt8, _ tail: String = "") throws -> ByteString {
    try #require(ByteString(Array(head.utf8) + [byte] + Array(tail.utf8)))
}

/// A fresh directory that is removed with its files when the value goes.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/launch-jail-kit-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    /// What lies in it, sorted.
    var names: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { found.append(name) }
        }
        return found.sorted()
    }

    func write(_ text: String, to name: String) throws {
        let file = try #require(fopen(path + "/" + name, "w"))
        fputs(text, file)
        fclose(file)
    }

    func read(_ name: String) throws -> String {
        let file = try #require(fopen(path + "/" + name, "r"))
        defer { fclose(file) }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { out += chunk[..<count] }
        return String(decoding: out, as: UTF8.self)
    }
}
