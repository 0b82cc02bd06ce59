import JailModel

/// Reads one document over a base: every key that it sets replaces the base's value; every mistake is noted and the
/// reading goes on.
struct PolicyDecoder {
    let file: String
    var policy: Policy
    var origins: RuleOrigins
    var diagnostics: [PolicyDiagnostic] = []
    /// The keys that this document sets, with their places.
    private(set) var places: [PolicyKey: YAMLPlace] = [:]

    init(file: String, base: LoadedPolicy) {
        self.file = file
        policy = base.policy
        origins = base.origins
    }

    // MARK: structure

    mutating func decode(_ root: YAMLNode) {
        guard case .mapping(let pairs) = root.content else {
            note(root.place, "", "a policy is a mapping of keys, this is \(root.kind)", hint: "begin with `version: 1`")
            return
        }
        for pair in pairs {
            if PolicyKey.sections.contains(pair.key) {
                decode(section: pair)
            } else if let key = PolicyKey(rawValue: pair.key), key.section.isEmpty {
                decode(key, pair)
            } else {
                unknown(pair, in: "")
            }
        }
    }

    private mutating func decode(section: YAMLPair) {
        guard case .mapping(let pairs) = section.value.content else {
            note(
                section.value.place, section.key, "expected a mapping, found \(section.value.kind)",
                hint: "indent its keys below it, or leave it out")
            return
        }
        for pair in pairs {
            if let key = PolicyKey(rawValue: "\(section.key).\(pair.key)") {
                decode(key, pair)
            } else {
                unknown(pair, in: section.key)
            }
        }
    }

    private mutating func decode(_ key: PolicyKey, _ pair: YAMLPair) {
        let before = diagnostics.count
        set(key, pair.value)
        places[key] = pair.place
        origins.set(key, origin(pair.place), elements: elementOrigins(pair.value))
        guard diagnostics.count == before, Deferral.table[key] != nil else { return }
        guard let value = policy.value(of: key) else { return }
        for name in Deferral.names(key, value: value) {
            policy.deferredKeys.append(
                DeferredKey(key: name, file: file, line: pair.place.line, column: pair.place.column))
        }
    }

    private func elementOrigins(_ node: YAMLNode) -> [RuleOrigin] {
        guard case .sequence(let nodes) = node.content else { return [] }
        return nodes.map { origin($0.place) }
    }

    private func origin(_ place: YAMLPlace) -> RuleOrigin {
        RuleOrigin(file: file, line: place.line, column: place.column)
    }

    mutating func note(_ place: YAMLPlace, _ path: String, _ message: String, hint: String = "") {
        diagnostics.append(
            PolicyDiagnostic(
                file: file, line: place.line, column: place.column, key: path, message: message, hint: hint))
    }

    // MARK: one key

    private mutating func set(_ key: PolicyKey, _ node: YAMLNode) {
        switch key {
        case .version: _ = number(key, node)
        case .extends: _ = text(node, key.path)
        case .profile: assign(&policy.profile, word(node, key.path))
        case .overridable: assign(&policy.isOverridable, flag(node, key.path))
        case .workspaceMode: assign(&policy.workspace.mode, word(node, key.path))
        case .workspaceWrite: assign(&policy.workspace.write, patterns(node, key.path))
        case .workspaceProtect: assign(&policy.workspace.protect, patterns(node, key.path))
        case .workspaceScratch: assign(&policy.workspace.scratch, patterns(node, key.path))
        case .workspaceUntrusted: assign(&policy.workspace.untrusted, untrusted(node, key.path))
        case .workspaceHandoff: assign(&policy.workspace.handoff, list(node, key.path) { $0.word($1, $2) })
        case .workspaceOnPass: assign(&policy.workspace.onPass, word(node, key.path))
        case .workspaceOnFail: assign(&policy.workspace.onFail, word(node, key.path))
        case .filesystemRead: assign(&policy.filesystem.read, paths(node, key.path, mayBeSpecial: false))
        case .filesystemWrite: assign(&policy.filesystem.write, paths(node, key.path, mayBeSpecial: false))
        case .filesystemHide: assign(&policy.filesystem.hide, paths(node, key.path, mayBeSpecial: true))
        case .filesystemTmp: assign(&policy.filesystem.tmp, number(key, node).map(ByteCount.init))
        case .networkMode: assign(&policy.network.mode, word(node, key.path))
        case .networkAllow: assign(&policy.network.allow, list(node, key.path) { $0.egressRule($1, $2) })
        case .networkAllowlistFile:
            if let file = relativePath(node, key.path) { policy.network.allowlistFile = file }
        case .networkOnDenied: assign(&policy.network.onDenied, word(node, key.path))
        case .execWorkspace: assign(&policy.exec.workspace, word(node, key.path))
        case .execAllow:
            if let rules = list(node, key.path, of: { $0.execRule($1, $2) }) { policy.exec.allow = rules }
        case .execLedger: assign(&policy.exec.ledger, word(node, key.path))
        case .environmentPass: assign(&policy.environment.pass, list(node, key.path) { $0.variable($1, $2) })
        case .environmentSet: assign(&policy.environment.set, variables(node, key.path))
        case .secretsHold: assign(&policy.secrets.hold, list(node, key.path) { $0.variable($1, $2) })
        case .secretsInject: assign(&policy.secrets.inject, list(node, key.path) { $0.injection($1, $2) })
        case .secretsScan: assign(&policy.secrets.scan, list(node, key.path) { $0.word($1, $2) })
        case .gateway: assign(&policy.gateways, list(node, key.path) { $0.route($1, $2) })
        case .maxRuntime, .maxCPU, .maxMemory, .maxProcesses, .maxOpenFiles, .maxOutput, .maxBytesWritten,
            .maxFilesChanged, .maxLinesPerFile, .maxFileWrites, .maxPatchAttempts, .maxLLMCalls, .maxLLMTokens,
            .maxConnections, .maxEgress, .maxDenials:
            if let kind = key.budget, let limit = number(key, node) { policy.budgets.limits[kind] = limit }
        case .breakerFailures: assign(&policy.breaker.failures, number(key, node).map(Int.init))
        case .breakerCooldown: assign(&policy.breaker.cooldownSeconds, number(key, node).map(Int.init))
        case .inputs: assign(&policy.inputs, list(node, key.path) { $0.input($1, $2) })
        case .require: assign(&policy.require, requirements(node, key.path))
        }
    }

    /// Keeps the base's value where the document's was a mistake, which has been noted.
    private func assign<Value>(_ target: inout Value, _ value: Value?) {
        if let value { target = value }
    }

    // MARK: unknown keys

    private mutating func unknown(_ pair: YAMLPair, in section: String) {
        let path = section.isEmpty ? shownKey(pair.key) : "\(section).\(shownKey(pair.key))"
        note(pair.place, path, "unknown key", hint: KeyHint.hint(for: pair.key, in: section))
    }

    /// Reports the fields of a mapping that nothing knows, and gives the others by name.
    mutating func fields(_ pairs: [YAMLPair], of specs: [FieldSpec], _ path: String) -> [String: YAMLNode] {
        var known: [String: YAMLNode] = [:]
        for pair in pairs {
            if specs.contains(where: { $0.name == pair.key }) {
                known[pair.key] = pair.value
            } else {
                let hint = KeyHint.nearest(to: pair.key, among: specs.map(\.name)).map { "did you mean `\($0)`?" }
                note(
                    pair.place, "\(path).\(shownKey(pair.key))", "unknown key",
                    hint: hint ?? "known here: \(specs.map(\.name).joined(separator: ", "))")
            }
        }
        return known
    }

    private func shownKey(_ key: String) -> String { String(shown(key).dropFirst().dropLast()) }
}

/// What the user may have meant by a key that does not exist.
enum KeyHint {
    static func hint(for key: String, in section: String) -> String {
        let keys = PolicyKey.allCases.filter { $0.section == section }.map(\.leaf)
        let names = section.isEmpty ? keys + PolicyKey.sections : keys
        // The same word elsewhere is a likelier mistake than a misspelling.
        if let other = PolicyKey.allCases.first(where: { $0.leaf == key && $0.section != section }) {
            return "did you mean `\(other.path)`?"
        }
        if let name = nearest(to: key, among: names) {
            return "did you mean `\(section.isEmpty ? "" : section + ".")\(name)`?"
        }
        if let other = PolicyKey.allCases.first(where: { nearest(to: key, among: [$0.leaf]) != nil }) {
            return "did you mean `\(other.path)`?"
        }
        return "known here: \(names.joined(separator: ", "))"
    }

    /// The nearest name within two edits, or one for words of less than five letters.
    static func nearest(to word: String, among names: [String]) -> String? {
        let lowered = word.utf8.count <= 64 ? word.lowercased() : word
        let budget = lowered.utf8.count < 5 ? 1 : 2
        var best: (name: String, distance: Int)?
        for name in names {
            guard abs(name.utf8.count - lowered.utf8.count) <= budget else { continue }
            let distance = editDistance(Array(lowered.utf8), Array(name.utf8))
            if distance <= budget, distance < best?.distance ?? Int.max { best = (name, distance) }
        }
        return best?.name
    }

    /// How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other.
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            (before, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
