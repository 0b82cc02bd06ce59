import JailModel
import Testing

@testable import JailPolicy

private let samples = "Tests/JailPolicyTests/Samples"

@Suite("Sample policies")
struct SampleTests {
    @Test("every valid sample is a policy", arguments: Repository.yamlFiles(in: "\(samples)/valid"))
    func valid(name: String) throws {
        let bytes = try #require(Repository.bytes("\(samples)/valid/\(name)"))
        _ = try Policy.parse(bytes: bytes, name: name)
    }

    /// The same files are refused by the schema (scripts/check-schema.py), except those called `.parser-only.yaml`.
    @Test("every invalid sample is refused, with a place", arguments: Repository.yamlFiles(in: "\(samples)/invalid"))
    func invalid(name: String) throws {
        let bytes = try #require(Repository.bytes("\(samples)/invalid/\(name)"))
        let error = #expect(throws: PolicyError.self) { try Policy.parse(bytes: bytes, name: name) }
        let diagnostics = try #require(error).diagnostics
        #expect(!diagnostics.isEmpty)
        for diagnostic in diagnostics {
            #expect(diagnostic.file == name)
            #expect(diagnostic.line > 0 || name == "empty.yaml", "\(diagnostic)")
            #expect(!diagnostic.message.isEmpty)
        }
    }

    @Test("there are samples")
    func exist() {
        #expect(Repository.yamlFiles(in: "\(samples)/valid").count >= 10)
        #expect(Repository.yamlFiles(in: "\(samples)/invalid").count >= 100)
    }

    @Test("the sample of the contract means what it says")
    func contract() throws {
        let bytes = try #require(Repository.bytes("\(samples)/valid/contract.yaml"))
        let policy = try Policy.parse(bytes: bytes, name: "contract.yaml")
        #expect(policy.workspace.mode == .overlay)
        #expect(policy.budgets[.egress] == 1 << 30)
        #expect(policy.network.allow.map(\.text) == ["api.github.com:443", "*.example.com:443", "127.0.0.1:8765"])
        #expect(policy.secrets.inject.first?.value == "Bearer ${OPENAI_API_KEY}")
        #expect(policy.inputs.count == 2)
        #expect(policy.deferredKeys.count == 13)
    }

    @Test("no bytes crash the parser", arguments: [21, 22, 23, 24] as [UInt64])
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let names = Repository.yamlFiles(in: "\(samples)/valid").map { "\(samples)/valid/\($0)" }
        let texts = try names.map { try #require(Repository.bytes($0)) }
        let pieces = [
            "*", "&a ", "!!x ", "[", "]", "{", "}", ": ", "- ", "\n", "\t", "\"", "'", "~", "|", "\u{0}", "\u{85}", "🙂",
        ]
        .map { Array($0.utf8) }
        for _ in 0..<1000 {
            var bytes = generator.pick(texts)
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let at = Int.random(in: 0..<max(bytes.count, 1), using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0 where !bytes.isEmpty: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 1 where !bytes.isEmpty: bytes.remove(at: at)
                case 2: bytes.insert(contentsOf: generator.pick(pieces), at: min(at, bytes.count))
                case 3 where !bytes.isEmpty: bytes.removeSubrange(at..<min(at + 40, bytes.count))
                default: bytes.insert(contentsOf: generator.pick(texts).prefix(at).suffix(60), at: min(at, bytes.count))
                }
            }
            do throws(PolicyError) {
                let policy = try Policy.parse(bytes: bytes, name: "m.yaml")
                _ = policy.digest
            } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }
}
