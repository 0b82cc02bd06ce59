import JailModel

/// Why a file could not be read, in words such as `no such file`.
public struct PolicyReadFailure: Error, Sendable, Hashable {
    public let message: String

    public init(message: String) { self.message = message }
}

/// Gives the bytes of a policy file.
///
/// The caller does the reading, so that this module stays pure.
public typealias PolicyFileReader = (_ path: String) throws(PolicyReadFailure) -> [UInt8]

extension LoadedPolicy {
    /// Reads a policy and what it extends, and reports every mistake of all of them at once.
    ///
    /// - Parameter name: What the policy is called in messages and reports; a relative `extends` starts at its directory.
    /// - Parameter reader: Reads the files that `extends` names; shipped names never reach it.
    /// - Throws: ``PolicyError`` with the mistakes in the order of the file, then those of the files it extends. Exit 2.
    public static func parse(
        bytes: [UInt8], name: String, reader: PolicyFileReader
    ) throws(PolicyError) -> LoadedPolicy {
        var loader = PolicyLoader()
        let loaded = loader.load(bytes, PolicyLoader.Name(text: name, isShipped: false), chain: [], reader)
        guard let loaded, loader.diagnostics.isEmpty else { throw PolicyError(diagnostics: loader.diagnostics) }
        return loaded
    }

    /// Reads the policy that `--policy` names: a shipped name, or a path (it holds a `/` or ends in `.yaml` or `.yml`).
    public static func load(_ reference: String, reader: PolicyFileReader) throws(PolicyError) -> LoadedPolicy {
        var loader = PolicyLoader()
        let place = RuleOrigin(file: "--policy", line: 0, column: 0)
        let loaded = loader.load(reference: reference, from: nil, chain: [], at: place, reader)
        guard let loaded, loader.diagnostics.isEmpty else { throw PolicyError(diagnostics: loader.diagnostics) }
        return loaded
    }
}

extension Policy {
    /// Reads a policy without its origins; see ``LoadedPolicy/parse(bytes:name:reader:)``.
    public static func parse(bytes: [UInt8], name: String, reader: PolicyFileReader) throws(PolicyError) -> Policy {
        try LoadedPolicy.parse(bytes: bytes, name: name, reader: reader).policy
    }

    /// Reads a policy that extends shipped names or nothing.
    public static func parse(bytes: [UInt8], name: String) throws(PolicyError) -> Policy {
        try parse(bytes: bytes, name: name) { _ throws(PolicyReadFailure) in
            throw PolicyReadFailure(message: "only shipped policies can be extended here")
        }
    }

    /// The policy of a shipped name; see ``shippedNames``.
    public static func shipped(_ name: String) throws(PolicyError) -> Policy {
        try LoadedPolicy.load(name) { _ throws(PolicyReadFailure) in
            throw PolicyReadFailure(message: "it is not a shipped name")
        }.policy
    }

    /// The names that `--policy` and `extends` know without a file, sorted.
    public static var shippedNames: [String] { ShippedPolicies.texts.keys.sorted() }

    /// The text of a shipped policy, with its comments.
    public static func shippedText(_ name: String) -> String? { ShippedPolicies.texts[name] }

    /// Whether a `--policy` or `extends` value is a path rather than a name.
    public static func isPath(_ reference: String) -> Bool {
        reference.contains("/") || reference.hasSuffix(".yaml") || reference.hasSuffix(".yml")
    }
}

/// Follows `extends` from one document to the policy at the root of the chain, and builds the policies downwards.
struct PolicyLoader {
    /// A policy in a chain.
    struct Name: Hashable {
        let text: String
        let isShipped: Bool
    }

    static let maximumDepth = 8

    private(set) var diagnostics: [PolicyDiagnostic] = []

    /// Loads a name or a file; nothing when there was a mistake, which has been noted at `place`.
    mutating func load(
        reference: String, from parent: Name?, chain: [Name], at place: RuleOrigin, _ reader: PolicyFileReader
    ) -> LoadedPolicy? {
        guard Policy.isPath(reference) else {
            guard let text = ShippedPolicies.texts[reference] else {
                let near = KeyHint.nearest(to: reference, among: Policy.shippedNames).map { "did you mean `\($0)`? " }
                note(
                    place, "no shipped policy is called \(shown(reference))",
                    (near ?? "")
                        + "shipped: \(Policy.shippedNames.joined(separator: ", ")); a file is named with its `/`")
                return nil
            }
            return load(Array(text.utf8), Name(text: reference, isShipped: true), chain: chain, reader, at: place)
        }
        guard parent?.isShipped != true else {
            note(place, "a shipped policy extends a file", "only names can be extended here")
            return nil
        }
        let path: String
        if let parent {
            guard reference.utf8.first != UInt8(ascii: "/") else {
                note(place, "\(shown(reference)) is absolute", "name the file relative to this one")
                return nil
            }
            path = Self.path(reference, besides: parent.text)
        } else {
            path = reference
        }
        do throws(PolicyReadFailure) {
            let name = Name(text: path, isShipped: false)
            // ORDER: a cycle is found before the file is read again.
            guard isNew(name, chain, at: place) else { return nil }
            return load(try reader(path), name, chain: chain, reader)
        } catch {
            note(place, "cannot read \(shown(path)): \(error.message)", "")
            return nil
        }
    }

    /// Loads the document in `bytes` and everything above it.
    mutating func load(
        _ bytes: [UInt8], _ name: Name, chain: [Name], _ reader: PolicyFileReader, at place: RuleOrigin? = nil
    ) -> LoadedPolicy? {
        if let place, !isNew(name, chain, at: place) { return nil }
        let document = YAMLReader.read(bytes, file: name.text)
        var own = document.diagnostics
        guard let root = document.root else {
            if own.isEmpty {
                own.append(
                    PolicyDiagnostic(
                        file: name.text, line: 0, column: 0, key: "", message: "the file is empty",
                        hint: "begin with `version: 1`"))
            }
            diagnostics += own
            return nil
        }
        var above = PolicyLoader()
        var base: LoadedPolicy? = LoadedPolicy(policy: .builtIn, origins: RuleOrigins())
        if let (reference, place) = Self.extends(root, name) {
            base = above.load(reference: reference, from: name, chain: chain + [name], at: place, reader)
        }
        var decoder = PolicyDecoder(
            file: name.text, base: base ?? LoadedPolicy(policy: .builtIn, origins: RuleOrigins()))
        decoder.policy.name = name.text
        decoder.decode(root)
        own += decoder.diagnostics
        let loaded = LoadedPolicy(policy: decoder.policy, origins: decoder.origins)
        if let base, own.isEmpty {
            own += PolicyChecks.problems(loaded, file: name.text, places: decoder.places)
            if Self.extends(root, name) != nil && !base.policy.isOverridable {
                own += Self.widenings(of: loaded, over: base.policy, decoder)
            }
        }
        // A mistake about `extends` itself stands in this file, those of the files above follow.
        own += above.diagnostics.filter { $0.file == name.text }
        own.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        diagnostics += own + above.diagnostics.filter { $0.file != name.text }
        return diagnostics.isEmpty ? loaded : nil
    }

    private mutating func isNew(_ name: Name, _ chain: [Name], at place: RuleOrigin) -> Bool {
        if chain.contains(name) {
            let names = (chain + [name]).map(\.text).joined(separator: " -> ")
            note(place, "policies extend each other: \(SafeText.escape(names))", "cut the circle")
            return false
        }
        if chain.count > Self.maximumDepth {
            note(place, "more than \(Self.maximumDepth) policies extend each other", "put their keys together")
            return false
        }
        return true
    }

    private mutating func note(_ place: RuleOrigin, _ message: String, _ hint: String) {
        diagnostics.append(
            PolicyDiagnostic(
                file: place.file, line: place.line, column: place.column, key: place.line > 0 ? "extends" : "",
                message: message, hint: hint))
    }

    /// What a document extends, when it says so in text; the decoder reports other values.
    private static func extends(_ root: YAMLNode, _ name: Name) -> (String, RuleOrigin)? {
        guard case .mapping(let pairs) = root.content, let pair = pairs.first(where: { $0.key == "extends" }),
            case .scalar(let text, _) = pair.value.content, !pair.value.isNull, pair.value.numberOrFlag == nil
        else { return nil }
        return (text, RuleOrigin(file: name.text, line: pair.value.line, column: pair.value.column))
    }

    private static func path(_ reference: String, besides file: String) -> String {
        var relative = reference[...]
        while relative.hasPrefix("./") { relative = relative.dropFirst(2) }
        guard let slash = file.lastIndex(of: "/") else { return String(relative) }
        return String(file[...slash] + relative)
    }

    /// What a child allows beyond a parent that is not overridable, at the child's lines.
    private static func widenings(of child: LoadedPolicy, over parent: Policy, _ decoder: PolicyDecoder)
        -> [PolicyDiagnostic]
    {
        PolicyDelta(from: parent, to: child.policy).widenings.map { widening in
            let path = widening.index.map { "\(widening.key)[\($0)]" } ?? widening.key
            let place = child.origins[path] ?? child.origins[widening.key]
            return PolicyDiagnostic(
                file: decoder.file, line: place?.line ?? 0, column: place?.column ?? 0, key: path,
                message: "\(widening.message), which `\(parent.name)` does not allow and does not let others add",
                hint: "narrow it, or extend a policy that is overridable")
        }
    }
}
