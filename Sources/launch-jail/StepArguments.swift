import ArgumentParser
import JailKit
import JailModel
import JailPolicy
import JailSystem

/// The options that `run` and `plan` share (contract, section 1).
struct StepArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A shipped policy's name or a policy file.", valueName: "name|file"))
    var policy = "default"

    @Option(help: ArgumentHelp("local, ci or prod; a stricter one than the policy's.", valueName: "profile"))
    var profile: String?

    @Option(help: ArgumentHelp("The project's directory. Default: the current one.", valueName: "dir"))
    var workspace: String?

    @Option(
        name: .customLong("run-dir"),
        help: ArgumentHelp("Where the evidence goes. Default: a new folder in the state directory.", valueName: "dir"))
    var runDirectory: String?

    @Option(help: ArgumentHelp("The working directory, inside the workspace.", valueName: "dir"))
    var cwd: String?

    @Option(help: ArgumentHelp("Also show this path, read-only.", valueName: "path"))
    var read: [String] = []

    @Option(help: ArgumentHelp("Also let the command write here.", valueName: "path"))
    var write: [String] = []

    @Option(name: .customLong("allow-host"), help: ArgumentHelp("Also allow this host.", valueName: "host[:port]"))
    var allowHost: [String] = []

    @Option(name: .customLong("env"), help: ArgumentHelp("Pass or set a variable.", valueName: "name[=value]"))
    var environment: [String] = []

    @Option(help: ArgumentHelp("Wall-clock budget, as 90s, 10m, 1h30m.", valueName: "duration"))
    var timeout: String?

    @Option(help: ArgumentHelp("Memory budget of the whole tree, as 512MiB.", valueName: "size"))
    var memory: String?

    @Option(name: .customLong("on-pass"), help: ArgumentHelp("commit, keep or discard.", valueName: "what"))
    var onPass: String?

    @Option(name: .customLong("on-fail"), help: ArgumentHelp("keep, discard or commit.", valueName: "what"))
    var onFail: String?

    @Flag(name: .customLong("tty"), help: "Give the command a terminal of its own.")
    var wantsTerminal = false

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, after --.", valueName: "cmd"))
    var command: [String] = []

    /// The policy with the flags applied, and everything else as it was asked for.
    func options() throws -> StepOptions {
        guard let argv = CurrentProcess.commandArguments, !argv.isEmpty else {
            throw CommandFailure(
                .invalid, "no command was given", hint: "put it after --, as in: launch-jail run -- CMD [ARG…]")
        }
        let loaded = try PolicyFiles.load(policy)
        for path in read + write where (try? Files.statusIfPresent(Self.absolute(path))) ?? nil == nil {
            throw CommandFailure(
                .invalid, "\(SafeText.escape(path)) does not exist, so nothing can be granted there",
                hint: "a directory must be made before the step that writes in it")
        }
        var overrides = PolicyOverrides()
        overrides.profile = try parse(profile, "profile")
        overrides.read = read.map(Self.absolute)
        overrides.write = write.map(Self.absolute)
        overrides.allowHost = allowHost
        overrides.environment = environment
        overrides.timeout = timeout
        overrides.memory = memory
        overrides.onPass = try parse(onPass, "on-pass")
        overrides.onFail = try parse(onFail, "on-fail")
        var options = StepOptions(
            policy: try PolicyFiles.checked { () throws(PolicyError) in try loaded.policy.applying(overrides) },
            argv: argv, environment: CurrentProcess.environment)
        options.workspace = workspace
        options.cwd = cwd
        options.runDirectory = runDirectory
        options.wantsTerminal = wantsTerminal
        return options
    }

    private func parse<Value: RawRepresentable & CaseIterable>(
        _ text: String?, _ flag: String
    ) throws -> Value? where Value.RawValue == String {
        guard let text else { return nil }
        guard let value = Value(rawValue: text) else {
            let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(.invalid, "--\(flag) \(SafeText.escape(text)) is not one of \(words)")
        }
        return value
    }

    /// Flags name paths as the user sees them; policies hold absolute ones.
    static func absolute(_ path: String) -> String {
        guard path.utf8.first != UInt8(ascii: "/"), let current = try? Files.readLink("/proc/self/cwd").string else {
            return path
        }
        var out = current.split(separator: "/").map(String.init)
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = out.popLast() } else { out.append(String(part)) }
        }
        return "/" + out.joined(separator: "/")
    }
}
