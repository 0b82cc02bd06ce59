import JailModel
import JailPlan
import JailPolicy
import JailSystem

/// What protected paths were before the step, to be compared after it: the mounts hold them, and this is the proof.
///
/// A symbolic link cannot be a mount point, so for links the comparison is the only guard (guarantee B).
struct ProtectedState {
    private let before: [String: PathFact]

    init(_ policy: Policy, _ planned: PlannedStep) {
        before = Self.read(Self.paths(policy, planned))
    }

    /// A sentence for each path that is not what it was.
    func differences(_ policy: Policy, _ planned: PlannedStep) -> [String] {
        let after = Self.read(Self.paths(policy, planned))
        return before.keys.sorted().compactMap { path in
            guard let old = before[path], let new = after[path], old != new else { return nil }
            return "\(SafeText.escape(path)) was \(Self.words(old)) before the step and is \(Self.words(new)) after it"
        }
    }

    private static func paths(_ policy: Policy, _ planned: PlannedStep) -> [String] {
        policy.workspace.protect.compactMap { pattern in
            pattern.literalComponents.map {
                planned.request.workspace.appending(contentsOf: $0).description
            }
        }
    }

    private static func read(_ paths: [String]) -> [String: PathFact] {
        guard let facts = try? HostFactsReader.pathFacts(paths) else { return [:] }
        let wanted = Set(paths)
        return facts.filter { wanted.contains($0.key) }
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
