public import Glibc

/// A place to run launch-jail in: a workspace, a home, a state directory and something outside that must stay as it is.
public final class Stage: Sendable {
    public let scratch: Scratch
    /// The workspace, an empty directory at first.
    public let workspace: String
    /// The caller's home directory.
    public let home: String
    /// A directory beside the workspace that no policy grants.
    public let outside: String
    public let state: String

    public init() throws {
        scratch = try Scratch()
        workspace = try scratch.directory("work")
        home = try scratch.directory("home")
        outside = try scratch.directory("outside")
        state = try scratch.directory("state")
    }

    /// The path of something in the workspace.
    public func work(_ name: String) -> String { workspace + "/" + name }

    @discardableResult
    public func file(_ name: String, _ text: String = "original\n", mode: mode_t = 0o644) throws -> String {
        try scratch.file("work/" + name, text, mode: mode)
    }
}

/// One run of `launch-jail run`, as a user would type it.
public struct JailRun: Sendable {
    public var command: [String]
    /// The policy's text; `nil` leaves the choice to launch-jail.
    public var policy: String?
    public var options: [String] = []
    public var environment: [String: String] = [:]
    public var input: [UInt8] = []
    public var stdin = StreamSource.usual
    public var stdout = StreamSource.usual
    public var stderr = StreamSource.usual
    public var extra: [Int32: Int32] = [:]
    /// Words before launch-jail itself: `degrade MODE --`, `ptyrun … --`.
    public var wrapper: [String] = []
    /// The directory that launch-jail is started in; the workspace by default.
    public var directory: String?
    public var limit = 60.0
    /// The name of the run directory below the state directory.
    public var runName = "run"

    public init(_ command: [String], policy: String? = Policies.direct()) {
        self.command = command
        self.policy = policy
    }
}

/// What a run came to.
public struct JailResult: Sendable {
    public let process: ProcessResult
    public let report: JSON?
    public let runDirectory: String
    /// Kept, because its directories go with it.
    public let stage: Stage

    public var code: Int32? { process.code }
    public var verdict: String? { report?["verdict"].text }
    /// The exit code of the command inside, when it was started and left by itself.
    public var childCode: Int? { report?["child"]["exit_code"].int }
    public var hasStarted: Bool { report?["child"]["started"].bool ?? false }
    public var issueCodes: [String] { report?["issues"].items.compactMap { $0["error_code"].text } ?? [] }

    public func gate(_ name: String) -> JSON {
        report?["gates"].items.first { $0["name"].text == name } ?? .null
    }

    /// Everything that helps to understand a failed expectation.
    public var account: String {
        var lines = ["\(process.end) after \(process.seconds) s"]
        lines.append("stdout: \(process.out.prefix(1500))")
        lines.append("stderr: \(process.err.prefix(3000))")
        if let report {
            lines.append("verdict: \(report["verdict"]) child: \(report["child"])")
            for issue in report["issues"].items {
                lines.append("issue \(issue["error_code"].text ?? "?"): \(issue["message"].text ?? "?")")
            }
            for denial in report["denials"].items { lines.append("denial \(denial)") }
        } else {
            lines.append("no report")
        }
        return lines.joined(separator: "\n")
    }
}

extension Stage {
    /// Where the run directory of a run is.
    public func runDirectory(_ run: JailRun) -> String { state + "/" + run.runName }

    /// The command line and surroundings of a run.
    public func request(_ run: JailRun) throws -> ProcessRequest {
        var argv = run.wrapper + [Environment.launchJail, "run"]
        if let policy = run.policy {
            argv += ["--policy", try scratch.file("policies/\(run.runName).yaml", policy)]
        }
        if !run.options.contains("--workspace") { argv += ["--workspace", workspace] }
        if !run.options.contains("--run-dir") { argv += ["--run-dir", runDirectory(run)] }
        argv += run.options + ["--"] + run.command
        var environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "XDG_STATE_HOME": state, "LANG": "C.UTF-8",
            "TERM": "xterm", "USER": Environment.isRoot ? "root" : "tester",
        ]
        environment.merge(run.environment) { $1 }
        var request = ProcessRequest(argv, environment: environment, directory: run.directory ?? workspace)
        request.input = run.input
        request.stdin = run.stdin
        request.stdout = run.stdout
        request.stderr = run.stderr
        request.extra = run.extra
        request.limit = run.limit
        return request
    }

    /// Reads what a finished run left.
    public func result(_ run: JailRun, _ process: ProcessResult) throws -> JailResult {
        var directory = runDirectory(run)
        if let at = run.options.firstIndex(of: "--run-dir"), at + 1 < run.options.count {
            directory = run.options[at + 1]
        }
        let path = directory + "/report.json"
        let report = Files.exists(path) ? try JSON(parsing: try Files.read(path)) : nil
        return JailResult(process: process, report: report, runDirectory: directory, stage: self)
    }

    /// Runs launch-jail to its end.
    public func launch(_ run: JailRun) throws -> JailResult {
        try result(run, try execute(try request(run)))
    }

    /// Runs launch-jail with other words than `run`.
    public func tool(_ words: [String], environment: [String: String] = [:]) throws -> ProcessResult {
        var all = ["PATH": "/usr/bin:/bin", "HOME": home, "XDG_STATE_HOME": state, "LANG": "C.UTF-8"]
        all.merge(environment) { $1 }
        return try execute(
            ProcessRequest([Environment.launchJail] + words, environment: all, directory: workspace))
    }
}
