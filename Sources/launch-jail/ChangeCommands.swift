import ArgumentParser
import JailKit
import JailLedger
import JailModel
import JailReport
import JailSystem

/// The run that a change command is about.
struct RunReference: ParsableArguments {
    @Argument(help: ArgumentHelp("A run id, a unique prefix, a run directory, or latest.", valueName: "run"))
    var reference = "latest"

    @Flag(help: "Print JSON.")
    var json = false

    func entry() throws -> RunEntry {
        let store = try ReportFiles.store()
        return try ReportFiles.ledger { () throws(LedgerError) in try store.resolve(reference) }
    }

    func changes() throws -> RunChanges {
        let entry = try entry()
        return try Self.refusing { () throws(StepRefused) in
            try RunChanges(entry, CurrentProcess.environment)
        }
    }

    static func refusing<Value: ~Copyable>(_ body: () throws(StepRefused) -> Value) throws -> Value {
        do throws(StepRefused) { return try body() } catch { throw CommandFailure(error) }
    }

    /// Tells what a command came to.
    func tell(_ result: RunChanges.Result) throws {
        switch result {
        case .done(let state, let isRepeated, let paths):
            if json {
                Console.show([
                    "paths": .integer(Int64(paths)), "repeated": .bool(isRepeated), "state": .string(state.rawValue),
                ])
            } else {
                let words = state.rawValue.split(separator: "_").joined(separator: " ")
                Console.show(isRepeated ? "already \(words)\n" : "\(words)\(paths > 0 ? ": \(paths) paths" : "")\n")
            }
        case .conflict(let paths):
            if json {
                Console.show(["conflicts": .array(paths.map { .string($0.description) }), "state": "conflict"])
            }
            Console.complain(
                "launch-jail: nothing was written: these paths were changed by somebody else\n"
                    + paths.map { "  \($0)\n" }.joined())
            throw ExitCode(Verdict.violation.exitCode)
        case .checked(let problems):
            if json {
                Console.show(["problems": .array(problems.map { .string($0) }), "verified": .bool(problems.isEmpty)])
            } else if problems.isEmpty {
                Console.show("the undo data is whole: a rollback gives the tree that stood before\n")
            } else {
                Console.show("not proven:\n" + problems.map { "  \(SafeText.escape($0))\n" }.joined())
            }
            if !problems.isEmpty { throw ExitCode(Verdict.violation.exitCode) }
        }
    }
}

struct CommitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Publish the pending changes of a run, or finish a commit that was cut off.")

    @OptionGroup var target: RunReference

    @Flag(help: "Also what an interrupted run, or one that failed a gate, left behind; recorded.")
    var force = false

    func run() throws {
        var changes = try target.changes()
        let isForced = force
        try target.tell(RunReference.refusing { () throws(StepRefused) in try changes.commit(isForced: isForced) })
    }
}

struct DiscardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Drop the pending changes of a run.")

    @OptionGroup var target: RunReference

    func run() throws {
        var changes = try target.changes()
        try target.tell(RunReference.refusing { () throws(StepRefused) in try changes.discard() })
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Put the workspace back as it was before a run's changes were committed.")

    @OptionGroup var target: RunReference

    @Flag(name: .customLong("verify-only"), help: "Write nothing: prove that the rollback would give the tree before.")
    var onlyVerify = false

    @Flag(
        name: .customLong("tree-hash"),
        help: "Also print one digest over the whole workspace, which takes as long as reading it.")
    var hashesTree = false

    func run() throws {
        var changes = try target.changes()
        let onlyVerify = onlyVerify
        // ORDER: a conflict ends the command, and the digest of what is there is wanted all the same.
        if hashesTree, onlyVerify { try tellHash(changes) }
        defer { if hashesTree, !onlyVerify { try? tellHash(changes) } }
        try target.tell(
            RunReference.refusing { () throws(StepRefused) in try changes.rollback(onlyVerify: onlyVerify) })
    }

    private func tellHash(_ changes: borrowing RunChanges) throws {
        do throws(StepRefused) {
            Console.complain("tree sha256 \(try changes.treeHash().hex)\n")
        } catch {
            throw CommandFailure(error)
        }
    }
}

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "What a run changed, as a patch for `git apply` and `patch -p1`.")

    @OptionGroup var target: RunReference

    @Flag(help: "A line for each file instead.")
    var stat = false

    func run() throws {
        let found = try ReportFiles.document(target.reference)
        if target.json {
            Console.show(found.document.json["changes"] ?? [])
        } else if stat {
            Console.show(found.document.changes.summary(width: Console.width(1)))
        } else {
            let store = try ReportFiles.store()
            let bytes = try ReportFiles.ledger { () throws(LedgerError) in
                try store.readIfPresent(.patch, of: found.entry)
            }
            try? Files.writeAll(1, bytes ?? [])
        }
    }
}
