import JailDigest
import JailModel
import Testing

@testable import JailPolicy

@Suite("Rendering")
struct RenderingTests {
    @Test("parsing what was rendered gives the same policy", arguments: [31, 32, 33] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<300 {
            let original = generator.policy()
            let text = original.yaml()
            var parsed = try policy(text)
            // What is deferred depends on what was written down; the rest is the policy.
            parsed.deferredKeys = []
            #expect(parsed == original, "seed \(seed), round \(round):\n\(text)")
            #expect(parsed.digest == original.digest)
        }
    }

    @Test("the defaults render to a policy with nothing deferred")
    func defaults() throws {
        let parsed = try policy(Policy.builtIn.yaml())
        #expect(parsed.deferredKeys.isEmpty)
        #expect(parsed.canonical() == Policy.builtIn.canonical())
    }

    @Test("the digest depends on what is granted and on nothing else")
    func digest() throws {
        let one = try policy("workspace: {write: [a, b/]}\nenv: {pass: [A, B]}\nbudgets: {max_memory: 1GiB}")
        let two = try policy(
            "# x\nbudgets: {max_memory: 1073741824}\nenv: {pass: [B, A, B]}\nworkspace: {write: [b/**, a]}")
        let other = try policy("workspace: {write: [a, b, c]}\nenv: {pass: [A, B]}\nbudgets: {max_memory: 1GiB}")
        #expect(one.digest == two.digest)
        #expect(one.digest != other.digest)
        #expect(one.digest == SHA256Value.of(one.canonical().encoded()))
    }

    @Test("the canonical form is complete")
    func complete() throws {
        let canonical = Policy.builtIn.canonical()
        for key in PolicyKey.allCases
        where ![.extends, .networkAllowlistFile, .execAllow].contains(key) && key.budget == nil {
            let section = key.section.isEmpty ? canonical : canonical[key.section]
            #expect(section?[key.leaf] != nil, "\(key.path)")
        }
        #expect(canonical["budgets"]?["max_memory"] == .integer(4 << 30))
    }
}

@Suite("The key table and what is made from it")
struct KeyTableTests {
    @Test("every key has one row, in an order that keeps sections together")
    func rows() {
        #expect(PolicyKeys.table.map(\.key) == PolicyKey.allCases)
        #expect(Set(PolicyKey.allCases.map(\.section)).subtracting([""]) == Set(PolicyKey.sections))
        #expect(Set(BudgetKind.allCases) == Set(PolicyKey.allCases.compactMap(\.budget)))
        #expect(Set(PolicyKeys.paths).count == PolicyKeys.paths.count)
    }

    @Test("every example can be pasted", arguments: PolicyKey.allCases)
    func examples(key: PolicyKey) throws {
        let spec = try #require(PolicyKeys.byKey[key])
        let line = "\(key.leaf): \(spec.example)"
        let rest = key == .secretsInject ? "\n  hold: [OPENAI_API_KEY]" : ""
        _ = try policy(key.section.isEmpty ? line : "\(key.section):\n  \(line)\(rest)")
    }

    @Test(
        "the copies in docs/ are up to date (UPDATE_GOLDEN=1 writes them)",
        arguments: ["docs/policy-reference.md", "docs/policy.schema.json"])
    func copies(path: String) {
        let expected =
            path.hasSuffix(".md")
            ? Array(PolicyReference.markdown().utf8) : PolicySchema.json().encoded(.indented) + [UInt8(ascii: "\n")]
        if Repository.updatesGolden { Repository.write(expected, to: path) }
        #expect(Repository.bytes(path) == expected, "\(path) is not up to date")
    }
}

@Suite("Shipped policies")
struct ShippedPolicyTests {
    @Test("the names are those of the files")
    func names() {
        #expect(Repository.yamlFiles(in: "policies").map { String($0.dropLast(5)) } == Policy.shippedNames)
        for name in ["default", "ci", "prod", "python", "node", "build", "readonly"] {
            #expect(Policy.shippedNames.contains(name))
        }
    }

    @Test("each is valid, enforceable in this version, and the same inside the program", arguments: Policy.shippedNames)
    func each(name: String) throws {
        #expect(Repository.bytes("policies/\(name).yaml") == Policy.shippedText(name).map { Array($0.utf8) })
        let policy = try Policy.shipped(name)
        #expect(policy.name == name)
        #expect(policy.deferredKeys.isEmpty)
        #expect(policy.network.mode == .none)
        #expect(policy.isOverridable == !["ci", "prod"].contains(name))
        #expect(policy.require.map(\.guarantee) == [.hermeticPaths, .networkEgress, .budgets, .untrustedExec])
    }

    @Test("the starter file is a policy that can be used as it is")
    func starter() throws {
        let starter = try policy(Policy.starter)
        #expect(starter.deferredKeys.isEmpty)
        #expect(PolicyDelta(from: try Policy.shipped("default"), to: starter).isNarrowing)
    }

    @Test("under the default policy a commit works, and what git would run later does not change")
    func git() throws {
        let explainer = PolicyExplainer(
            try LoadedPolicy.load("default") { _ throws(PolicyReadFailure) in throw PolicyReadFailure(message: "") },
            workspace: AbsolutePath(components: ["w"]))
        func write(_ path: String) throws -> PolicyExplanation.Decision {
            explainer.write(try #require(AbsolutePath("/w/\(path)"))).decision
        }
        for path in [".git/objects/ab/cd", ".git/refs/heads/main", ".git/index", ".git/HEAD", "src/a", ".github/x"] {
            #expect(try write(path) == .allow, "\(path)")
        }
        for path in [".git/hooks/pre-commit", ".git/config", ".github/workflows/ci.yml"] {
            #expect(try write(path) == .deny, "\(path)")
        }
    }

    @Test("prod allows nothing that ci does not, ci nothing that default does not, apart from what it sets")
    func ordered() throws {
        let names = try ["default", "ci", "prod"].map { try Policy.shipped($0) }
        let toCI = PolicyDelta(from: names[0], to: names[1]).widenings.map(\.key)
        #expect(Set(toCI) == ["env.pass", "env.set"])
        #expect(Set(PolicyDelta(from: names[1], to: names[2]).widenings.map(\.key)) == ["env.set"])
        #expect(PolicyDelta(from: names[0], to: try Policy.shipped("readonly")).isNarrowing)
    }
}
