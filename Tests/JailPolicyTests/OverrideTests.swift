import JailModel
import Testing

@testable import JailPolicy

@Suite("Flags of the command line")
struct OverrideTests {
    private let workspace = AbsolutePath(components: ["home", "dev", "w"])

    private func mistakes(_ name: String, _ overrides: PolicyOverrides) -> [String] {
        do throws(PolicyError) {
            _ = try Policy.shipped(name).applying(overrides, workspace: workspace)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }

    @Test("an overridable policy takes all of them")
    func widens() throws {
        let overrides = PolicyOverrides(
            profile: .ci, read: ["/opt/x"], write: ["/srv/out", "/home/dev/w/sub", "docs"],
            allowHost: ["a.example:443"],
            environment: ["HOME", "A=b=c", "EMPTY="], timeout: "2h", memory: "8GiB", onPass: .commit, onFail: .keep)
        let policy = try Policy.shipped("default").applying(overrides, workspace: workspace)
        #expect(policy.profile == .ci)
        #expect(policy.filesystem.read.last?.description == "/opt/x")
        #expect(policy.filesystem.write.map(\.description) == ["/srv/out"])
        #expect(policy.network.mode == .allowlist)
        #expect(policy.network.allow.map(\.text) == ["a.example:443"])
        #expect(policy.environment.pass.map(\.text) == ["LANG", "TERM", "HOME"])
        #expect(
            policy.environment.set.map { "\($0.key)=\($0.value)" }.sorted() == ["A=b=c", "EMPTY=", "PYTHONHASHSEED=0"])
        #expect(policy.budgets[.runtime] == 7200)
        #expect(policy.budgets[.memory] == 8 << 30)
        #expect(policy.deferredKeys.map(\.key) == ["network.mode: allowlist", "network.allow"])
        #expect(policy.deferredKeys.allSatisfy { $0.file == "--allow-host" })
    }

    @Test(
        "a policy that is not overridable refuses what adds",
        arguments: [
            (PolicyOverrides(profile: .local), "--profile"), (PolicyOverrides(read: ["/opt"]), "--read"),
            (PolicyOverrides(write: ["/srv"]), "--write"), (PolicyOverrides(allowHost: ["a.example"]), "--allow-host"),
            (PolicyOverrides(environment: ["HOME"]), "--env"), (PolicyOverrides(environment: ["A=b"]), "--env"),
            (PolicyOverrides(timeout: "31m"), "--timeout"), (PolicyOverrides(memory: "5GiB"), "--memory"),
            (PolicyOverrides(onFail: .commit), "--on-fail"),
        ])
    func refuses(overrides: PolicyOverrides, flag: String) {
        let found = mistakes("ci", overrides)
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.hasPrefix("\(flag): adds to what the policy `ci` grants") }, "\(found)")
    }

    @Test(
        "and takes what narrows or changes nothing",
        arguments: [
            PolicyOverrides(profile: .prod), PolicyOverrides(profile: .ci), PolicyOverrides(read: ["/usr/share"]),
            PolicyOverrides(write: ["src", "/home/dev/w"]), PolicyOverrides(environment: ["LANG", "TZ=UTC"]),
            PolicyOverrides(timeout: "30m", memory: "1GiB"), PolicyOverrides(onPass: .discard),
            PolicyOverrides(onFail: .keep),
        ])
    func narrows(overrides: PolicyOverrides) { #expect(mistakes("ci", overrides).isEmpty) }

    @Test("all wrong flags are reported at once")
    func collects() {
        let overrides = PolicyOverrides(
            read: ["etc", "/proc"], write: ["../x"], allowHost: ["*"], environment: ["1=2", "=x"], timeout: "0",
            memory: "4GB")
        let flags = mistakes("default", overrides).map { String($0.prefix { $0 != ":" }) }
        #expect(flags == ["--read", "--read", "--write", "--allow-host", "--env", "--env", "--timeout", "--memory"])
    }

    @Test("a write flag means nothing in a read-only workspace, and says so")
    func readonly() {
        #expect(mistakes("readonly", PolicyOverrides(write: ["src"])).first?.contains("readonly") == true)
    }

    @Test("a profile that forbids a rule of the policy is refused")
    func profile() throws {
        let policy = try policy("network: {mode: allowlist, allow: [localhost]}")
        #expect(throws: PolicyError.self) { try policy.applying(PolicyOverrides(profile: .ci)) }
        #expect(try policy.applying(PolicyOverrides(profile: .local)).profile == .local)
    }

    @Test("naming a variable passes it, even where the policy gives it a value")
    func passes() throws {
        let policy = try Policy.shipped("default").applying(PolicyOverrides(environment: ["PYTHONHASHSEED"]))
        #expect(policy.environment.set.isEmpty)
        #expect(policy.environment.pass.map(\.text).contains("PYTHONHASHSEED"))
    }
}
