import JailModel
import JailPlan
import JailPolicy
import Testing

@Suite("a plan holds what the policy says")
struct EnforcementTests {
    private func plan(_ policy: String, _ facts: HostFacts = Fixture.facts()) throws -> Plan {
        try Fixture.plan(Fixture.policy(policy), facts)
    }

    private func text(_ plan: Plan) -> [String] { plan.description.split(separator: "\n").map(String.init) }

    @Test("secrets of the environment stay outside")
    func passesOnlyListedVariables() throws {
        let environment = try plan("env: {pass: [LANG], set: {A: b}}").tail.environment.map(\.description)
        #expect(environment.contains("LANG=de_DE.UTF-8"))
        #expect(environment.contains("A=b"))
        #expect(!environment.contains { $0.hasPrefix("SECRET=") })
    }

    @Test("every writable directory above a protected path is pinned, so that it cannot be renamed away")
    func pinsAncestors() throws {
        let plan = try plan("extends: default")
        let mounts = plan.steps.compactMap { step in
            if case .attach(_, let target, let attributes, _, _) = step { (target, attributes) } else { nil }
        }
        let git = try #require(mounts.first { $0.0 == "work/project/.git" })
        #expect(!git.1.contains(.readOnly))
        let hooks = try #require(mounts.first { $0.0 == "work/project/.git/hooks" })
        #expect(hooks.1.contains(.readOnly))
        let place = try #require(mounts.firstIndex { $0.0 == "work/project/.git" })
        let inner = try #require(mounts.firstIndex { $0.0 == "work/project/.git/hooks" })
        #expect(place < inner)
    }

    @Test("an absent protected path is held by a place of its own, topmost first")
    func holdsAbsentPaths() throws {
        let held = try plan("workspace: {protect: [.github/workflows]}").heldPlaces
        #expect(held.map { $0.path.joined(separator: "/") }.contains(".github/workflows"))
        #expect(held.first?.path == [".github"])
    }

    @Test("an untrusted tree is read-only and noexec even where nothing is writable")
    func untrustedNeverExecutes() throws {
        let plan = try plan("workspace: {mode: readonly, untrusted: [src]}\nexec: {workspace: allow}")
        #expect(
            plan.steps.contains { step in
                if case .attach(_, "work/project/src", let attributes, _, _) = step {
                    attributes.isSuperset(of: [.readOnly, .noExec])
                } else {
                    false
                }
            })
    }

    @Test("every mount that the command can write is noexec where the workspace may not execute")
    func writableMountsAreNoexec() throws {
        let plan = try plan("exec: {workspace: deny}\nfilesystem: {write: [/opt/tools]}")
        let stage = ".launch-jail-stage/"
        var staged: Set<String> = []
        for step in plan.steps {
            switch step {
            // The staging directory is empty again before the command starts.
            case .attach(_, let target, _, _, _) where target.hasPrefix(stage): staged.insert(target)
            case .tmpfs(let target, _, _) where target.hasPrefix(stage): staged.insert(target)
            case .unmount(let target): staged.remove(target)
            case .overlay(let target, _, let attributes): #expect(attributes.contains(.noExec), "\(target)")
            case .attach(_, let target, let attributes, _, _) where !attributes.contains(.readOnly):
                #expect(attributes.contains(.noExec), "\(target)")
            case .tmpfs(let target, _, let attributes) where target != "/tmp" && !attributes.contains(.readOnly):
                #expect(attributes.contains(.noExec), "\(target)")
            default: break
            }
        }
        #expect(staged.isEmpty)
        #expect(plan.filter.rules.contains { $0.name == "memfd_create" })
    }

    @Test("the network namespace goes with every mode but host")
    func keepsNetworkNamespace() throws {
        #expect(try plan("network: {mode: none}").namespaces.contains(.network))
        #expect(try !plan("network: {mode: host}\nrequire: []").namespaces.contains(.network))
        let shared = try plan("workspace: {mode: direct}\nrequire: []", Fixture.facts(tier: .t3))
        #expect(
            shared.filter.rules.contains { rule in
                rule.name == "socket"
                    && rule.conditions == [SyscallFilter.Condition(argument: 0, comparison: .greater(1))]
            })
    }

    @Test("each claimed guarantee has a canary", arguments: [Tier.t1, .t2, .t3])
    func claimsHaveCanaries(tier: Tier) throws {
        let plan = try plan("workspace: {mode: direct}\nrequire: []", Fixture.facts(tier: tier))
        let proven = Set(plan.tail.canaries.map(\.guarantee))
        for guarantee in [Guarantee.hermeticPaths, .networkEgress, .untrustedExec] {
            #expect(proven.contains(guarantee), "\(guarantee)")
        }
        #expect(plan.tail.canaries.count <= 10)
    }

    @Test("the run directory is hidden when it lies in the workspace")
    func hidesRunDirectory() throws {
        var request = try Fixture.request()
        request.runDirectory = try Fixture.path("/work/project/out/run")
        let plan = try Fixture.plan(Policy.shipped("default"), Fixture.facts(), request)
        let place = try #require(
            plan.steps.firstIndex {
                if case .tmpfs("work/project/out/run", _, let attributes) = $0 {
                    attributes.contains(.readOnly)
                } else {
                    false
                }
            })
        let pin = try #require(
            plan.steps.firstIndex {
                if case .attach(_, "work/project/out", _, _, _) = $0 { true } else { false }
            })
        #expect(pin < place)
    }

    @Test("a link in the workspace that leads out of it is told, and never mounted on")
    func warnsOfLinks() throws {
        let plan = try plan("workspace: {protect: [notes/x]}")
        #expect(plan.warnings.contains { $0.contains("notes/x") })
        #expect(!text(plan).contains { $0.contains("work/project/notes") })
    }
}
