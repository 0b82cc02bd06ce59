import Glibc
import JailModel
import JailPlan
import JailPolicy
import Testing

/// A plan whose text is a file of its own: what the jail will do, readable by a reviewer.
struct GoldenPlan: Sendable, CustomTestStringConvertible {
    let name: String
    let policy: String
    let facts: HostFacts
    /// Where changes land; memory, when the policy wants a layer and this is `nil`.
    var layer: WorkspaceLayer?
    var submounts: [String] = []
    var testDescription: String { name }
}

@Suite("plans are stable text")
struct GoldenPlanTests {
    static let plans: [GoldenPlan] = [
        GoldenPlan(name: "default-user", policy: "extends: default", facts: Fixture.facts()),
        GoldenPlan(name: "default-root", policy: "extends: default", facts: Fixture.facts(mapped: true)),
        GoldenPlan(
            name: "default-cgroup1", policy: "extends: default",
            facts: Fixture.facts(cgroup: .v1(["memory": "/c/m", "pids": "/c/p", "cpuacct": "/c/a"]))),
        GoldenPlan(name: "ci-user", policy: "extends: ci", facts: Fixture.facts()),
        GoldenPlan(name: "readonly-user", policy: "extends: readonly", facts: Fixture.facts()),
        GoldenPlan(name: "default-masked-proc", policy: "extends: default", facts: Fixture.facts(tier: .t2)),
        GoldenPlan(
            name: "landlock-only", policy: "workspace: {mode: direct}\nrequire: []", facts: Fixture.facts(tier: .t3)),
        GoldenPlan(
            name: "seccomp-only", policy: "workspace: {mode: direct}\nrequire: []",
            facts: Fixture.facts(tier: .t4, abi: 0)),
        GoldenPlan(
            name: "lists",
            policy: """
                workspace: {write: [src, "out/"], protect: [src/generated], untrusted: [work/repo]}
                filesystem: {read: [/usr, /bin, /etc], write: [/opt/tools], hide: [/etc/shadow]}
                exec: {workspace: deny, allow: ["/usr/bin/**"]}
                network: {mode: host}
                require: []
                """, facts: Fixture.facts()),
        GoldenPlan(
            name: "lists-direct",
            policy: """
                workspace: {mode: direct, write: [src, "out/"], protect: [src/generated], untrusted: [work/repo]}
                filesystem: {read: [/usr, /bin, /etc], write: [/opt/tools], hide: [/etc/shadow]}
                exec: {workspace: deny, allow: ["/usr/bin/**"]}
                network: {mode: host}
                require: []
                """, facts: Fixture.facts()),
        GoldenPlan(
            name: "overlay-disk", policy: "extends: default", facts: Fixture.facts(),
            layer: .disk(AbsolutePath(components: ["state", "runs", "r1", "pending"]))),
        GoldenPlan(
            name: "overlay-disk-root", policy: "extends: default", facts: Fixture.facts(mapped: true),
            layer: .disk(AbsolutePath(components: ["state", "runs", "r1", "pending"]))),
        GoldenPlan(
            name: "copy", policy: "extends: default", facts: Fixture.facts(),
            layer: .copy(AbsolutePath(components: ["state", "runs", "r1", "pending", "copy"]))),
        GoldenPlan(
            name: "scratch", policy: "workspace: {scratch: [src, build/out]}", facts: Fixture.facts()),
        GoldenPlan(
            name: "submount", policy: "extends: default", facts: Fixture.facts(), submounts: ["/work/project/src"]),
        GoldenPlan(
            name: "patterns",
            policy: """
                workspace: {write: ["src/*.swift", "docs/**/*.md"], protect: ["**/*.key", ".git/hooks"]}
                """, facts: Fixture.facts()),
    ]

    @Test("golden", arguments: plans)
    func matchesFile(plan: GoldenPlan) throws {
        let policy = try Fixture.policy(plan.policy)
        var request = try Fixture.request()
        request.layer = plan.layer
        request.submounts = try plan.submounts.map { try Fixture.path($0) }
        let compiled = try Fixture.plan(policy, plan.facts, request)
        try expectGolden(compiled.description, name: plan.name)
    }

    @Test("equal inputs give equal bytes")
    func isDeterministic() throws {
        let policy = try Policy.shipped("default")
        let first = try Fixture.plan(policy)
        let second = try Fixture.plan(policy)
        #expect(first == second)
        #expect(first.digest == second.digest)
        let filters = [CompiledFilter(instructions: [UInt8](repeating: 6, count: 16), hasListener: true)]
        #expect(
            first.encoded(filters: filters, pidNamespace: 1, lastCapability: 40)
                == second.encoded(filters: filters, pidNamespace: 1, lastCapability: 40))
    }

    private func expectGolden(_ text: String, name: String) throws {
        let file =
            #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/") + "/Golden/\(name).txt"
        if getenv("UPDATE_GOLDEN") != nil {
            let output = try #require(fopen(file, "w"))
            fputs(text, output)
            fclose(output)
            return
        }
        let input = try #require(fopen(file, "r"), "missing \(file); UPDATE_GOLDEN=1 writes it")
        defer { fclose(input) }
        var expected: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, input)
            if count == 0 { break }
            expected += buffer[..<count]
        }
        #expect(text == String(decoding: expected, as: UTF8.self))
    }
}
