import Glibc
import Testing

/// Compares text with a file of Golden/; `UPDATE_GOLDEN=1` writes the file instead.
func expectGolden(_ text: String, _ name: String, _ location: SourceLocation = #_sourceLocation) {
    let path = String(#filePath.reversed().drop { $0 != "/" }.reversed()) + "Golden/" + name
    if let value = getenv("UPDATE_GOLDEN"), String(cString: value) == "1" {
        guard let file = fopen(path, "w") else {
            Issue.record("cannot write \(path)", sourceLocation: location)
            return
        }
        fputs(text, file)
        fclose(file)
        return
    }
    let expected = String(decoding: fileBytes(path), as: UTF8.self)
    if text != expected {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let other = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let index = zip(lines, other).prefix { $0 == $1 }.count
        let found = index < lines.count ? String(lines[index]) : "(end)"
        let wanted = index < other.count ? String(other[index]) : "(end)"
        Issue.record(
            "\(name) line \(index + 1): found `\(found)`, expected `\(wanted)`; UPDATE_GOLDEN=1 rewrites it",
            sourceLocation: location)
    }
}

/// The whole of a file; nothing when there is none.
func fileBytes(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}
