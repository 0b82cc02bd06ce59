import JailModel
import JailPlan
import JailPolicy
import JailSystem

/// What protected paths were before the step, to be compared after it: the mounts hold them, and this is the proof.
///
/// A symbolic link cannot be a mount point, so for links the comparison is the only guard (guarantee B).
struct ProtectedState {
    private let before: [String: Look]

    /// What one path was.
    ///
    /// Inode numbers come back, so the times and the size are compared as well.
    private struct Look: Equatable {
        let fact: PathFact
        let size: UInt64
        let changed: Int64
        /// Nothing, or what a run puts in the place of nothing: an empty directory, an empty file, or one with `.`.
        let isAbsentOrHeld: Bool
    }

    init(_ policy: Policy, _ planned: PlannedStep) {
        before = Self.look(at: Self.paths(policy, planned))
    }

    /// A sentence for each path that is not what it was.
    func differences(_ policy: Policy, _ planned: PlannedStep) -> [String] {
        let after = Self.look(at: Self.paths(policy, planned))
        return before.keys.sorted().compactMap { path in
            guard let old = before[path], let new = after[path], old != new else { return nil }
            // Another run may have held the place, or given it up, while this one ran.
            if old.isAbsentOrHeld, new.isAbsentOrHeld { return nil }
            let name = SafeText.escape(path)
            if old.fact == new.fact { return "\(name) was written to while the step ran" }
            return "\(name) was \(Self.words(old.fact)) before the step and is \(Self.words(new.fact)) after it"
        }
    }

    private static func paths(_ policy: Policy, _ planned: PlannedStep) -> [String] {
        policy.workspace.protect.compactMap { pattern in
            pattern.literalComponents.map {
                planned.request.workspace.appending(contentsOf: $0).description
            }
        }
    }

    private static func look(at paths: [String]) -> [String: Look] {
        guard let facts = try? HostFactsReader.pathFacts(paths) else { return [:] }
        var out: [String: Look] = [:]
        for path in paths {
            guard let fact = facts[path] else { continue }
            let status = (try? Files.statusIfPresent(path)) ?? nil
            out[path] = Look(
                fact: fact, size: status?.size ?? 0, changed: status?.changed ?? 0,
                isAbsentOrHeld: isAbsentOrHeld(path, fact))
        }
        return out
    }

    private static func isAbsentOrHeld(_ path: String, _ fact: PathFact) -> Bool {
        if looksHeld(path, fact) { return true }
        // Given up by another run between the two looks: then it was held.
        return ((try? Files.statusIfPresent(path)) ?? nil) == nil
    }

    private static func looksHeld(_ path: String, _ fact: PathFact) -> Bool {
        switch fact.kind {
        case .absent: return true
        case .directory:
            guard let directory = try? Files.open(path, [.read, .directory, .noFollow]) else { return false }
            return (try? Files.names(directory.rawValue))?.isEmpty ?? false
        case .file:
            guard let status = try? Files.status(path), status.size <= 1 else { return false }
            let content = try? Files.read(path, limit: 1)
            return content == [] || content == Array(".".utf8)
        case .link, .other: return false
        }
    }

    private static func words(_ fact: PathFact) -> String {
        switch fact.kind {
        case .absent: "absent"
        case .directory: "a directory"
        case .file: "a file"
        case .other: "a special file"
        case .link(let text): "a link to \(SafeText.escape(text))"
        }
    }
}
