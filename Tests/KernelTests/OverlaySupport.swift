import RunSupport
import Testing

extension Policies {
    /// A policy whose changes land in a layer first; budgets far above what a test needs, unless it names them.
    ///
    /// - Parameter budgets: lines of `budgets`; they replace the wide ones of the same name.
    static func overlay(
        write: String = "[\"**\"]", workspace: [String] = [], read: [String] = [], budgets: [String] = [],
        more: [String] = []
    ) -> String {
        let wide = [
            "max_files_changed: 1000000", "max_file_writes: 1000000", "max_lines_per_file: 1000000",
            "max_bytes_written: 64MiB",
        ]
        let named = Set(budgets.compactMap { $0.split(separator: ":").first })
        let kept = wide.filter { line in !named.contains(line.split(separator: ":")[0]) }
        return direct(
            mode: "overlay", write: write, workspace: workspace, read: read,
            more: ["budgets:"] + (kept + budgets).map { "  " + $0 } + more)
    }
}

/// Where the changes of a step may land, and the policy line that makes it so.
enum Layer: String, CaseIterable, CustomTestStringConvertible {
    case memory, disk

    var testDescription: String { rawValue }

    /// What reports call it.
    var word: String {
        switch self {
        case .memory: "overlay on tmpfs"
        case .disk: "overlay on disk"
        }
    }

    var budget: String {
        switch self {
        case .memory: "max_bytes_written: 64MiB"
        case .disk: "max_bytes_written: 4TiB"
        }
    }
}

extension Stage {
    /// Runs a Python program beside the jail.
    func python(_ program: String, _ words: [String] = [], in directory: String? = nil) throws -> String {
        let result = try execute(
            ProcessRequest(
                ["/usr/bin/python3", "-c", program] + words, environment: ["PATH": "/usr/bin:/bin", "HOME": home],
                directory: directory ?? workspace))
        guard result.code == 0 else { throw MissingHere("python: \(result.err.suffix(600))") }
        return result.out
    }

    /// A line for each object of a tree.
    func describe(_ directory: String? = nil) throws -> [Substring] {
        try python(OperationScripts.describe, in: directory ?? workspace).split(separator: "\n")
    }

    /// Runs a shell script in the jail.
    func step(
        _ script: String, _ policy: String, options: [String] = [], name: String = "run"
    ) throws -> JailResult {
        var run = JailRun(["/bin/sh", "-c", script], policy: policy)
        run.options = options
        run.runName = name
        return try launch(run)
    }

    /// `launch-jail WORD RUN-DIRECTORY`.
    func decide(_ word: String, _ result: JailResult, _ options: [String] = []) throws -> ProcessResult {
        try tool([word, result.runDirectory] + options)
    }
}

/// The lines that only one of two trees has, short enough to read.
func differences(_ one: [Substring], _ two: [Substring]) -> String {
    let (left, right) = (Set(one), Set(two))
    let gone = one.filter { !right.contains($0) }.prefix(8).map { "- \($0)" }
    let come = two.filter { !left.contains($0) }.prefix(8).map { "+ \($0)" }
    return (gone + come).joined(separator: "\n")
}

extension JailResult {
    var changes: JSON { report?["changes"] ?? .null }
    var state: String? { changes["state"].text }
    /// The paths of the change set.
    var changed: Set<String> { Set(changes["files"].items.compactMap { $0["path"].text }) }
}
