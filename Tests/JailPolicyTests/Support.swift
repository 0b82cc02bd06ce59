import Glibc
import JailModel

@testable import JailPolicy

/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }

    mutating func some<Element>(_ elements: [Element], atMost count: Int = 3) -> [Element] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in pick(elements) }
    }
}

/// Files of the repository.
enum Repository {
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    static func bytes(_ path: String) -> [UInt8]? {
        guard let file = fopen("\(root)/\(path)", "r") else { return nil }
        defer { fclose(file) }
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return out }
            out += buffer[..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = fopen("\(root)/\(path)", "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// The names of the YAML files of a directory, sorted.
    static func yamlFiles(in directory: String) -> [String] {
        guard let stream = opendir("\(root)/\(directory)") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".yaml") { names.append(name) }
        }
        return names.sorted()
    }

    static let updatesGolden = getenv("UPDATE_GOLDEN") != nil
}

/// Parses text as the file `p.yaml`, with other files by name.
func load(_ text: String, _ files: [String: String] = [:], name: String = "p.yaml") throws(PolicyError) -> LoadedPolicy
{
    try LoadedPolicy.parse(bytes: Array(text.utf8), name: name) { path throws(PolicyReadFailure) in
        guard let text = files[path] else { throw PolicyReadFailure(message: "no such file") }
        return Array(text.utf8)
    }
}

func policy(_ text: String, _ files: [String: String] = [:]) throws(PolicyError) -> Policy {
    try load(text, files).policy
}

/// The mistakes of a text; empty when there are none.
func mistakes(_ text: String, _ files: [String: String] = [:]) -> [PolicyDiagnostic] {
    do throws(PolicyError) {
        _ = try load(text, files)
        return []
    } catch {
        return error.diagnostics
    }
}

/// The mistakes of a text as `line:column key`.
func places(_ text: String, _ files: [String: String] = [:]) -> [String] {
    mistakes(text, files).map { "\($0.line):\($0.column) \($0.key)" }
}
