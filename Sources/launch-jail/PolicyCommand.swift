import ArgumentParser
import JailModel
import JailPolicy
import JailSystem

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Show, explain, start and compare policies.",
        subcommands: [Show.self, Explain.self, Init.self, Diff.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "The effective policy, with every default filled in.")

        @Argument(help: ArgumentHelp("A shipped policy's name or a file.", valueName: "name|file"))
        var policy = "default"

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let loaded = try PolicyFiles.load(policy)
            if json { Console.show(loaded.policy.canonical()) } else { Console.show(loaded.policy.yaml()) }
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Why a path, host, command or variable is allowed or denied, and the line that would change it.")

        @Option(help: ArgumentHelp("A shipped policy's name or a file.", valueName: "name|file"))
        var policy = "default"

        @Option(help: ArgumentHelp("The workspace. Default: the current directory.", valueName: "dir"))
        var workspace: String?

        @Option(name: .customLong("read"), help: ArgumentHelp("May this path be read?", valueName: "path"))
        var readPath: String?

        @Option(name: .customLong("write"), help: ArgumentHelp("May this path be written?", valueName: "path"))
        var writePath: String?

        @Option(name: .customLong("exec"), help: ArgumentHelp("May this file be executed?", valueName: "path"))
        var execPath: String?

        @Option(name: .customLong("host"), help: ArgumentHelp("May this host be reached?", valueName: "host[:port]"))
        var host: String?

        @Option(name: .customLong("env"), help: ArgumentHelp("Is this variable passed?", valueName: "name"))
        var variable: String?

        func run() throws {
            let loaded = try PolicyFiles.load(policy)
            let current = try Files.readLink("/proc/self/cwd").string ?? "/"
            guard let root = AbsolutePath(workspace ?? current) else {
                throw CommandFailure(.invalid, "--workspace wants an absolute path")
            }
            let explainer = PolicyExplainer(loaded, workspace: root)
            var answers: [PolicyExplanation] = []
            if let readPath { answers.append(explainer.read(try path(readPath, root))) }
            if let writePath { answers.append(explainer.write(try path(writePath, root))) }
            if let execPath { answers.append(explainer.execute(try path(execPath, root))) }
            if let host { answers.append(try connect(host, explainer)) }
            if let variable {
                guard let name = EnvironmentName(variable) else {
                    throw CommandFailure(.invalid, "\(SafeText.escape(variable)) is not a variable's name")
                }
                answers.append(explainer.variable(name))
            }
            guard !answers.isEmpty else {
                throw CommandFailure(
                    .invalid, "nothing was asked", hint: "one of --read, --write, --exec, --host, --env")
            }
            for answer in answers { Console.show(answer.description + "\n") }
        }

        private func path(_ text: String, _ root: AbsolutePath) throws -> AbsolutePath {
            guard let path = AbsolutePath(StepArguments.absolute(text)) else {
                throw CommandFailure(.invalid, "\(SafeText.escape(text)) is not a plain path")
            }
            return path
        }

        private func connect(_ text: String, _ explainer: PolicyExplainer) throws -> PolicyExplanation {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2, let port = UInt16(parts[1]) {
                return explainer.connect(host: String(parts[0]), port: port)
            }
            return explainer.connect(host: text)
        }
    }

    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Write a starter policy to a file, or to standard output.")

        @Option(help: ArgumentHelp("Start from this shipped policy.", valueName: "name"))
        var from = "default"

        @Option(help: ArgumentHelp("The file, which must not exist. Default: standard output.", valueName: "file"))
        var output: String?

        func run() throws {
            guard let text = Policy.shippedText(from) else {
                throw CommandFailure(
                    .invalid, "there is no shipped policy \(SafeText.escape(from))",
                    hint: "one of \(Policy.shippedNames.joined(separator: ", "))")
            }
            guard let output else {
                Console.show(text)
                return
            }
            do throws(SystemError) {
                let file = try Files.open(output, [.write, .create, .exclusive, .noFollow], mode: 0o644)
                try Files.writeAll(file.rawValue, Array(text.utf8))
            } catch {
                throw CommandFailure(.invalid, "the policy cannot be written: \(error)")
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff", abstract: "What policy B allows that policy A does not; exit 3 when there is any.")

        @Argument(help: ArgumentHelp("The older policy.", valueName: "a"))
        var older: String

        @Argument(help: ArgumentHelp("The newer policy.", valueName: "b"))
        var newer: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let delta = PolicyDelta(
                from: try PolicyFiles.load(older).policy, to: try PolicyFiles.load(newer).policy)
            if json {
                Console.show(
                    .array(delta.widenings.map { ["key": .string($0.key), "message": .string($0.message)] }))
            } else if delta.isNarrowing {
                Console.show("B allows nothing that A does not\n")
            } else {
                for widening in delta.widenings { Console.show(widening.description + "\n") }
            }
            if !delta.isNarrowing { throw ExitCode(Verdict.violation.exitCode) }
        }
    }
}
