import JailModel

/// One thing that a policy allows and another does not.
public struct Widening: Sendable, Hashable, CustomStringConvertible {
    /// The key path, such as `workspace.write`.
    public let key: String
    /// What is allowed, in words: `may also change "src"`.
    ///
    /// Text of the policy in it is escaped.
    public let message: String
    /// The element of the list that allows it, where one does.
    let index: Int?

    init(_ key: PolicyKey, _ message: String, index: Int? = nil) {
        self.key = key.path
        self.message = message
        self.index = index
    }

    /// `workspace.write: may also change "src"`.
    public var description: String { "\(key): \(message)" }
}

/// What one policy allows that another does not, in the order of the file format.
///
/// Guarantees B, D, F, J.
///
/// Careful rather than exact: where two lists of patterns cannot be compared, the newer one is taken to be wider.
public struct PolicyDelta: Sendable, Hashable {
    public let widenings: [Widening]

    /// What `newer` allows beyond `older`.
    public init(from older: Policy, to newer: Policy) {
        var comparison = PolicyComparison(older: older, newer: newer)
        comparison.run()
        widenings = comparison.widenings
    }

    /// Whether the newer policy allows nothing that the older does not.
    public var isNarrowing: Bool { widenings.isEmpty }
}

private struct PolicyComparison {
    let older: Policy
    let newer: Policy
    var widenings: [Widening] = []

    mutating func run() {
        general()
        workspace()
        filesystem()
        network()
        exec()
        environment()
        secrets()
        budgets()
        rest()
    }

    private mutating func general() {
        ordered(.profile, older.profile, newer.profile, [.prod, .ci, .local])
        if newer.isOverridable && !older.isOverridable {
            widenings.append(Widening(.overridable, "lets flags and children add to it"))
        }
    }

    private mutating func workspace() {
        let (old, new) = (older.workspace, newer.workspace)
        ordered(.workspaceMode, old.mode, new.mode, [.readonly, .overlay, .direct])
        grants(.workspaceWrite, old.write, new.write, covers: { $0.covers($1) }) { "may also change \(shown($0.text))" }
        grants(.workspaceScratch, old.scratch, new.scratch, covers: { $0.covers($1) }) {
            "may also use \(shown($0.text)) as scratch"
        }
        keeps(.workspaceProtect, old.protect, new.protect, covers: { $0.covers($1) }) {
            "no longer protects \(shown($0.text))"
        }
        keeps(.workspaceUntrusted, old.untrusted, new.untrusted, covers: { $0.covers($1) }) {
            "trusts \(shown($0.text))"
        }
        grants(.workspaceHandoff, old.handoff, new.handoff, covers: { $0 == $1 }) {
            "may also hand over changes to \($0.rawValue)"
        }
        let dispositions: [Disposition] = [.discard, .keep, .commit]
        ordered(.workspaceOnPass, old.onPass, new.onPass, dispositions)
        ordered(.workspaceOnFail, old.onFail, new.onFail, dispositions)
    }

    private mutating func filesystem() {
        let (old, new) = (older.filesystem, newer.filesystem)
        // What may be written may also be read.
        grants(.filesystemRead, old.read + old.write, new.read, covers: { $0.contains($1) }) {
            "may also read \(shown($0.description))"
        }
        grants(.filesystemWrite, old.write, new.write, covers: { $0.contains($1) }) {
            "may also write \(shown($0.description))"
        }
        let visible = new.read + new.write
        let hidden = old.hide.filter { path in visible.contains { $0.contains(path) || path.contains($0) } }
        keeps(.filesystemHide, hidden, new.hide, covers: { $0.contains($1) }) {
            "no longer hides \(shown($0.description))"
        }
        if new.tmp > old.tmp { widenings.append(Widening(.filesystemTmp, "is \(new.tmp), up from \(old.tmp)")) }
    }

    private mutating func network() {
        let (old, new) = (older.network, newer.network)
        ordered(.networkMode, old.mode, new.mode, [.none, .allowlist, .host])
        // The host's own network includes every host.
        if old.mode != .host {
            grants(.networkAllow, old.allow, new.allow, covers: { $0.covers($1) }) { "may also reach `\($0.text)`" }
            if let file = new.allowlistFile, file != old.allowlistFile {
                widenings.append(Widening(.networkAllowlistFile, "takes hosts from \(shown(file))"))
            }
        }
        ordered(.networkOnDenied, old.onDenied, new.onDenied, [.fail, .warn])
    }

    private mutating func exec() {
        let (old, new) = (older.exec, newer.exec)
        ordered(.execWorkspace, old.workspace, new.workspace, [.deny, .allow])
        if let allowed = old.allow {
            if let wanted = new.allow {
                grants(.execAllow, allowed, wanted, covers: { $0.covers($1) }) {
                    "may also execute \(shown($0.pathText))"
                }
            } else {
                widenings.append(Widening(.execAllow, "may execute everything that is readable"))
            }
        }
        ordered(.execLedger, old.ledger, new.ledger, [.strict, .log, .off])
    }

    private mutating func environment() {
        grants(.environmentPass, older.environment.pass, newer.environment.pass, covers: { $0 == $1 }) {
            "also passes \($0)"
        }
        for (name, value) in newer.environment.set.sorted(by: { $0.key < $1.key })
        where older.environment.set[name]?.utf8.elementsEqual(value.utf8) != true {
            widenings.append(Widening(.environmentSet, "sets \(name) to \(shown(value))"))
        }
    }

    private mutating func secrets() {
        keeps(.secretsHold, older.secrets.hold, newer.secrets.hold, covers: { $0 == $1 }) { "no longer holds \($0)" }
        grants(.secretsInject, older.secrets.inject, newer.secrets.inject, covers: { $0 == $1 }) {
            "also sends the header \(shown($0.header)) to `\($0.host)`"
        }
        keeps(.secretsScan, older.secrets.scan, newer.secrets.scan, covers: { $0 == $1 }) {
            "no longer scans \($0.rawValue)"
        }
        grants(.gateway, older.gateways, newer.gateways, covers: { $0 == $1 }) {
            "also offers \(shown($0.upstream)) as `\($0.name)`"
        }
    }

    private mutating func budgets() {
        for key in PolicyKey.allCases {
            guard let kind = key.budget, let limit = older.budgets[kind] else { continue }
            guard let wanted = newer.budgets[kind] else {
                widenings.append(Widening(key, "has no limit, it was \(limit)"))
                continue
            }
            if wanted > limit { widenings.append(Widening(key, "is \(wanted), up from \(limit)")) }
        }
        if newer.breaker.failures > older.breaker.failures {
            widenings.append(
                Widening(.breakerFailures, "is \(newer.breaker.failures), up from \(older.breaker.failures)"))
        }
        if newer.breaker.cooldownSeconds < older.breaker.cooldownSeconds {
            let (new, old) = (newer.breaker.cooldownSeconds, older.breaker.cooldownSeconds)
            widenings.append(Widening(.breakerCooldown, "is \(new), down from \(old)"))
        }
    }

    private mutating func rest() {
        keeps(.inputs, older.inputs, newer.inputs, covers: { $0 == $1 }) { "no longer pins \(shown($0.path))" }
        keeps(
            .require, older.require, newer.require,
            covers: { $0.guarantee == $1.guarantee && $0.level >= $1.level }
        ) { "no longer requires \($0.guarantee.rawValue) by the \($0.level.rawValue)" }
    }

    // MARK: kinds of rules

    /// A word of a list from the strictest to the loosest.
    private mutating func ordered<Word: RawRepresentable & Equatable>(
        _ key: PolicyKey, _ old: Word, _ new: Word, _ order: [Word]
    ) where Word.RawValue == String {
        guard let before = order.firstIndex(of: old), let after = order.firstIndex(of: new), after > before else {
            return
        }
        widenings.append(Widening(key, "is `\(new.rawValue)` instead of `\(old.rawValue)`"))
    }

    /// A list of what is allowed: each element must be covered by one of the older list.
    private mutating func grants<Rule>(
        _ key: PolicyKey, _ old: [Rule], _ new: [Rule], covers: (Rule, Rule) -> Bool, words: (Rule) -> String
    ) {
        for (index, rule) in new.enumerated() where !old.contains(where: { covers($0, rule) }) {
            widenings.append(Widening(key, words(rule), index: index))
        }
    }

    /// A list of what is restricted: each element of the older list must be covered by one of the newer.
    private mutating func keeps<Rule>(
        _ key: PolicyKey, _ old: [Rule], _ new: [Rule], covers: (Rule, Rule) -> Bool, words: (Rule) -> String
    ) {
        for rule in old where !new.contains(where: { covers($0, rule) }) {
            widenings.append(Widening(key, words(rule)))
        }
    }
}
