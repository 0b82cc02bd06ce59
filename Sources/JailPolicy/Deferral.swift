import JailModel

/// What this version parses and cannot enforce yet: the one list of it.
///
/// A policy that sets such a key is refused with exit 6 by planning, so a promise is never silently broken. When the
/// enforcement arrives, its line leaves this table.
enum Deferral {
    /// Which values of a key are not enforced.
    enum Condition: Sendable {
        /// Any value that is written down.
        case whenSet
        /// Any list that is not empty.
        case whenNotEmpty
        /// These words.
        case words([String])
        /// Guarantees other than these.
        case guaranteesOther(than: [Guarantee])
    }

    static let table: [PolicyKey: (condition: Condition, reason: String)] = [
        .networkMode: (.words(["allowlist"]), "needs the egress gateway"),
        .networkAllow: (.whenNotEmpty, "needs the egress gateway"),
        .networkAllowlistFile: (.whenSet, "needs the egress gateway"),
        .execLedger: (.words(["strict"]), "needs the verified execution ledger"),
        .secretsHold: (.whenNotEmpty, "needs the secret store of the supervisor"),
        .secretsInject: (.whenNotEmpty, "needs the egress gateway"),
        .secretsScan: (.whenNotEmpty, "needs the secret scanner"),
        .gateway: (.whenNotEmpty, "needs the egress gateway"),
        .maxLLMCalls: (.whenSet, "needs the egress gateway"),
        .maxLLMTokens: (.whenSet, "needs the egress gateway"),
        .maxConnections: (.whenSet, "needs the egress gateway"),
        .maxEgress: (.whenSet, "needs the egress gateway"),
        .breakerFailures: (.whenSet, "needs the egress gateway"),
        .breakerCooldown: (.whenSet, "needs the egress gateway"),
        .inputs: (.whenNotEmpty, "needs the input verifier"),
        .require: (
            .guaranteesOther(than: [
                .hermeticPaths, .networkEgress, .budgets, .changeBudget, .untrustedExec, .rollback,
            ]),
            "their gates come with later versions"
        ),
    ]

    /// The names of what `value` asks for and nothing enforces: the key path, with the word where only some words are
    /// meant.
    static func names(_ key: PolicyKey, value: JSONValue) -> [String] {
        switch table[key]?.condition {
        case nil: return []
        case .whenSet: return [key.path]
        case .whenNotEmpty:
            guard case .array(let elements) = value, !elements.isEmpty else { return [] }
            return [key.path]
        case .words(let words):
            guard case .string(let word) = value, words.contains(word) else { return [] }
            return ["\(key.path): \(word)"]
        case .guaranteesOther(let enforced):
            guard case .array(let elements) = value else { return [] }
            return elements.compactMap { element in
                guard let name = guaranteeName(element), !enforced.contains(where: { $0.rawValue == name }) else {
                    return nil
                }
                return "\(key.path): \(name)"
            }
        }
    }

    private static func guaranteeName(_ element: JSONValue) -> String? {
        switch element {
        case .string(let name): name
        case .object(let members): members.keys.first
        default: nil
        }
    }

    /// How the reference tells it; `nil` when every value is enforced.
    static func words(_ key: PolicyKey) -> String? {
        guard let (condition, reason) = table[key] else { return nil }
        switch condition {
        case .whenSet: return "not enforced yet, so setting it is exit 6 (\(reason))"
        case .whenNotEmpty: return "not enforced yet, so a list that is not empty is exit 6 (\(reason))"
        case .words(let words):
            let list = words.map { "`\($0)`" }.joined(separator: " and ")
            return "\(list) \(words.count == 1 ? "is" : "are") not enforced yet, so exit 6 (\(reason))"
        case .guaranteesOther(let enforced):
            let list = enforced.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            return "guarantees other than \(list) are exit 6 (\(reason))"
        }
    }
}
