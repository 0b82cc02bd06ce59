import JailModel
import JailPolicy

/// Compares a change set with what the policy lets change: pure, and the authority where no mount can hold a pattern.
///
/// Guarantee B.
struct ChangeRules: Sendable, Hashable {
    let write: [PathPattern]
    let protect: [PathPattern]
    let untrusted: [PathPattern]

    /// Nothing may change.
    static let nothing = ChangeRules(write: [PathPattern](), protect: [], untrusted: [])

    private init(write: [PathPattern], protect: [PathPattern], untrusted: [PathPattern]) {
        (self.write, self.protect, self.untrusted) = (write, protect, untrusted)
    }

    init(rules: WorkspaceRules) {
        (write, protect, untrusted) = (rules.write, rules.protect, rules.untrusted)
    }

    /// Reads the patterns back that were kept with a run's changes; `nil` when one of them is none.
    init?(keptWrite write: [String], protect: [String], untrusted: [String]) {
        let lists = [write, protect, untrusted].map { $0.compactMap { PathPattern(kept: $0) } }
        guard lists[0].count == write.count, lists[1].count == protect.count, lists[2].count == untrusted.count else {
            return nil
        }
        (self.write, self.protect, self.untrusted) = (lists[0], lists[1], lists[2])
    }

    /// One violation for each path and rule.
    func violations(_ set: ChangeSet) -> [ChangeViolation] {
        var out: [ChangeViolation] = []
        for change in set.paths {
            for path in [change.path, change.from].compactMap({ $0 }) {
                if let violation = violation(path, isDirectory: change.isDirectory) { out.append(violation) }
            }
        }
        for change in set.paths where change.after?.kind == .directory && (change.after?.mode ?? 0) & 0o500 != 0o500 {
            out.append(ChangeViolation(path: change.path, reason: "is a directory that its owner cannot read"))
        }
        for refused in set.refused {
            out.append(
                ChangeViolation(path: refused.path, reason: "can never be published: \(refused.reason.rawValue)"))
        }
        return out
    }

    private func violation(_ path: ByteString, isDirectory: Bool) -> ChangeViolation? {
        let components = path.bytes.split(separator: UInt8(ascii: "/")).map(Self.matchable)
        if let pattern = protect.first(where: { $0.matches(components: components) }) {
            return ChangeViolation(path: path, reason: "is protected by workspace.protect: \(pattern.text)")
        }
        // What replaces or removes a directory above a protected path removes the path with it.
        if !isDirectory,
            let pattern = protect.first(where: { $0.literalPrefix.starts(with: components) })
        {
            return ChangeViolation(path: path, reason: "stands above workspace.protect: \(pattern.text)")
        }
        if let pattern = untrusted.first(where: { $0.matches(components: components) }) {
            return ChangeViolation(path: path, reason: "is inside workspace.untrusted: \(pattern.text)")
        }
        guard !write.contains(where: { $0.matches(components: components) }) else { return nil }
        // The directories on the way to what may be written are made with it.
        if isDirectory, write.contains(where: { $0.literalPrefix.starts(with: components) }) { return nil }
        return ChangeViolation(
            path: path, reason: "is outside workspace.write", remedy: "workspace: {write: [\"\(path)\"]}")
    }
}

extension ChangeRules {
    /// A name as patterns see it: what is no UTF-8 becomes a control character, which no pattern can hold, so no literal
    /// of one is equal to it.
    private static func matchable(_ name: ArraySlice<UInt8>) -> String {
        if let text = String(validating: name, as: UTF8.self) { return text }
        var out = String.UnicodeScalarView()
        var parser = Unicode.UTF8.ForwardParser()
        var rest = name.makeIterator()
        while true {
            switch parser.parseScalar(from: &rest) {
            case .valid(let scalar): out.append(Unicode.UTF8.decode(scalar))
            case .error: out.append("\u{1}")
            case .emptyInput: return String(out)
            }
        }
    }
}

/// What becomes of the changes of a step.
enum Disposal: Sendable, Hashable {
    case nothing
    case commit
    case keep
    case discard

    /// `on_pass` after a pass, `on_fail` otherwise; only a failed command can publish by `on_fail` (contract, section 7).
    static func decide(_ rules: WorkspaceRules, _ record: StepRecord, _ verdict: Verdict) -> Disposal {
        guard let changes = record.changes else { return .nothing }
        // A transaction that is to stay open does so without changes as well.
        if changes.set.isEmpty { return verdict == .pass && rules.onPass == .keep ? .keep : .nothing }
        if record.interruptedBy != nil { return .keep }
        let wanted = verdict == .pass ? rules.onPass : rules.onFail
        switch wanted {
        case .discard: return .discard
        case .keep: return .keep
        case .commit:
            let isEligible = verdict == .pass || verdict == .childFailed || verdict == .external
            return isEligible && changes.isComplete && changes.violations.isEmpty ? .commit : .keep
        }
    }
}
