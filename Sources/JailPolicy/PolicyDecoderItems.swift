import JailModel

/// The elements of lists that may be mappings.
extension PolicyDecoder {
    /// The fields of a mapping item as the key table has them; nothing when it is no mapping or a field is missing.
    private mutating func item(_ node: YAMLNode, _ key: PolicyKey, _ path: String) -> [String: YAMLNode]? {
        let specs = PolicyKeys.byKey[key]?.shape.fields ?? []
        guard case .mapping(let pairs) = node.content else {
            note(
                node.place, path, "expected a mapping, found \(node.kind)",
                hint: "its keys: \(specs.map(\.name).joined(separator: ", "))")
            return nil
        }
        let before = diagnostics.count
        let known = fields(pairs, of: specs, path)
        // A misspelled key is one mistake, not also a missing one.
        let isMisspelled = diagnostics.count > before
        for spec in specs where spec.isRequired && known[spec.name] == nil && !isMisspelled {
            note(node.place, "\(path).\(spec.name)", "missing", hint: spec.summary)
        }
        return diagnostics.count == before ? known : nil
    }

    // MARK: network

    mutating func egressRule(_ node: YAMLNode, _ path: String) -> EgressRule? {
        guard case .mapping = node.content else {
            return parsed(node, path) { text throws(ValueProblem) in try EgressRule(parsing: text) }
        }
        guard let fields = item(node, .networkAllow, path), let hostNode = fields["host"] else { return nil }
        let before = diagnostics.count
        let host = parsed(hostNode, "\(path).host") { text throws(ValueProblem) in try EgressRule.Host(parsing: text) }
        let port = fields["port"].flatMap { number(.integer(1...65535), $0, "\(path).port") }.map { UInt16($0) }
        let kind: EgressRule.Kind? = fields["kind"].flatMap { word($0, "\(path).kind") }
        let sni: EgressRule.SNI? = fields["sni"].flatMap { word($0, "\(path).sni") }
        let allowsPrivate = fields["private"].flatMap { flag($0, "\(path).private") }
        guard diagnostics.count == before, let host else { return nil }
        if kind == .tcp && port == nil {
            note(node.place, "\(path).port", "missing", hint: "a rule of kind tcp names its port")
            return nil
        }
        let rule = EgressRule(
            host: host, port: port, kind: kind, sni: sni ?? .required, allowsPrivate: allowsPrivate ?? false)
        if let node = fields["sni"], !rule.endpoints.contains(where: { $0.kind == .tls }) {
            note(node.place, "\(path).sni", "means nothing without TLS", hint: "write `kind: tls`, or leave sni out")
            return nil
        }
        return rule
    }

    // MARK: exec

    mutating func execRule(_ node: YAMLNode, _ path: String) -> ExecRule? {
        guard case .mapping = node.content else {
            return parsed(node, path) { text throws(ValueProblem) in try ExecRule(parsing: text) }
        }
        guard let fields = item(node, .execAllow, path), let file = fields["path"], let digest = fields["sha256"] else {
            return nil
        }
        let rule = parsed(file, "\(path).path") { text throws(ValueProblem) in try ExecRule(parsing: text) }
        let value = sha256(digest, "\(path).sha256")
        guard let rule, let value else { return nil }
        guard case .file(let executable) = rule else {
            note(file.place, "\(path).path", "a digest pins one file, not a directory", hint: "name the file")
            return nil
        }
        return .pinned(executable, value)
    }

    private mutating func sha256(_ node: YAMLNode, _ path: String) -> SHA256Value? {
        // Digits alone are a number to YAML, so a digest may need quotes; both forms are read here.
        guard case .scalar(let text, _) = node.content, let value = SHA256Value(hex: text) else {
            note(node.place, path, "\(found(node)) is not a SHA-256 digest", hint: "64 lower-case hexadecimal digits")
            return nil
        }
        if node.numberOrFlag != nil {
            note(node.place, path, "expected text, found a number", hint: "write the digest in quotes")
            return nil
        }
        return value
    }

    // MARK: secrets and gateway

    mutating func injection(_ node: YAMLNode, _ path: String) -> SecretInjection? {
        guard let fields = item(node, .secretsInject, path), let hostNode = fields["host"],
            let headerNode = fields["header"], let valueNode = fields["value"]
        else { return nil }
        let host = parsed(hostNode, "\(path).host") { text throws(ValueProblem) in
            guard case .exact(let name) = try EgressRule.Host(parsing: text) else {
                throw ValueProblem("\(shown(text)) is not one host name", hint: "a secret goes to one named host")
            }
            return name
        }
        let header = parsed(headerNode, "\(path).header", Self.headerName)
        let value = parsed(valueNode, "\(path).value", Self.headerValue)
        guard let host, let header, let value else { return nil }
        return SecretInjection(host: host, header: header, value: value)
    }

    private static func headerName(_ text: String) throws(ValueProblem) -> String {
        let isToken = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        guard isToken, !text.isEmpty else {
            throw ValueProblem("\(shown(text)) is not a header name", hint: "as in `Authorization`")
        }
        return text
    }

    private static func headerValue(_ text: String) throws(ValueProblem) -> String {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw ValueProblem("\(shown(text)) is empty or holds a control character")
        }
        guard SecretInjection.references(text) != nil else {
            throw ValueProblem("\(shown(text)) has a `${` without a name and `}`", hint: "as in `Bearer ${API_KEY}`")
        }
        return text
    }

    mutating func route(_ node: YAMLNode, _ path: String) -> GatewayRoute? {
        guard let fields = item(node, .gateway, path), let nameNode = fields["name"], let urlNode = fields["upstream"],
            let variableNode = fields["env"]
        else { return nil }
        let name = parsed(nameNode, "\(path).name") { text throws(ValueProblem) in
            let isName = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || Quantity.isDigit(byte)
                    || "_-".utf8.contains(byte)
            }
            guard isName, let first = text.utf8.first, !"_-".utf8.contains(first) else {
                throw ValueProblem("\(shown(text)) is not a name", hint: "lower-case letters, digits, `-` and `_`")
            }
            return text
        }
        let upstream = parsed(urlNode, "\(path).upstream", Self.upstream)
        let variable = variable(variableNode, "\(path).env")
        guard let name, let upstream, let variable else { return nil }
        return GatewayRoute(name: name, upstream: upstream, env: variable)
    }

    private static func upstream(_ text: String) throws(ValueProblem) -> String {
        let hint = "as in `https://api.example.com/v1`"
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme else { throw ValueProblem("\(shown(text)) is not an http or https URL", hint: hint) }
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value < 0x7f && !"@?#\\".unicodeScalars.contains($0)
        }
        guard isPlain else { throw ValueProblem("\(shown(text)) holds a user, a query or a space", hint: hint) }
        let rest = text.dropFirst(scheme.count)
        let authority = String(rest.prefix { $0 != "/" })
        let rule = try EgressRule(parsing: authority)
        if case .subdomains = rule.host { throw ValueProblem("\(shown(text)) names no single host", hint: hint) }
        return text
    }

    // MARK: inputs and require

    mutating func input(_ node: YAMLNode, _ path: String) -> PinnedInput? {
        guard let fields = item(node, .inputs, path), let fileNode = fields["path"] else { return nil }
        let file = relativePath(fileNode, "\(path).path")
        switch (fields["sha256"], fields["git_ref"]) {
        case (let digest?, nil):
            guard let value = sha256(digest, "\(path).sha256"), let file else { return nil }
            return PinnedInput(path: file, pin: .sha256(value))
        case (nil, let ref?):
            guard let value = parsed(ref, "\(path).git_ref", Self.gitRef), let file else { return nil }
            return PinnedInput(path: file, pin: .gitRef(value))
        default:
            note(
                node.place, path, "needs exactly one of sha256 and git_ref",
                hint: "a file has a digest, a repository a commit")
            return nil
        }
    }

    private static func gitRef(_ text: String) throws(ValueProblem) -> String {
        let isHex = text.utf8.allSatisfy {
            IPAddress.isHexDigit($0) && !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0)
        }
        guard isHex, [40, 64].contains(text.utf8.count), Set(text.utf8).count > 1 else {
            throw ValueProblem(
                "\(shown(text)) is not a pinned commit",
                hint: "40 or 64 lower-case hexadecimal digits; branches and tags move")
        }
        return text
    }

    mutating func requirements(_ node: YAMLNode, _ path: String) -> [Requirement]? {
        var seen: Set<Guarantee> = []
        return list(node, path) { decoder, item, path in
            guard let requirement = decoder.requirement(item, path) else { return nil }
            guard seen.insert(requirement.guarantee).inserted else {
                decoder.note(item.place, path, "\(requirement.guarantee.rawValue) is required twice")
                return nil
            }
            return requirement
        }
    }

    private mutating func requirement(_ node: YAMLNode, _ path: String) -> Requirement? {
        guard case .mapping(let pairs) = node.content else {
            return word(node, path).map { Requirement(guarantee: $0) }
        }
        guard let pair = pairs.first, pairs.count == 1 else {
            note(node.place, path, "expected one guarantee and its level", hint: "as in `{budgets: kernel}`")
            return nil
        }
        let name = YAMLNode(
            content: .scalar(pair.key, isQuoted: true), line: pair.place.line, column: pair.place.column)
        let guarantee: Guarantee? = word(name, path)
        let level: EnforcementLevel? = word(pair.value, "\(path).\(guarantee?.rawValue ?? "level")")
        guard let guarantee, let level else { return nil }
        guard level != .none else {
            note(pair.value.place, path, "the level `none` requires nothing", hint: "leave the guarantee out")
            return nil
        }
        return Requirement(guarantee: guarantee, level: level)
    }
}

extension ExecRule {
    /// Reads a file, or a directory followed by `/**`.
    init(parsing text: String) throws(ValueProblem) {
        if text == "/**" {
            throw ValueProblem("`/**` is too broad", hint: "leave exec.allow out to allow what is readable")
        }
        if text.hasSuffix("/**") {
            self = .subtree(try AbsolutePath(parsing: String(text.dropLast(3)), mayBeSpecial: true))
        } else if text.hasSuffix("/") {
            throw ValueProblem("\(shown(text)) is a directory", hint: "write `\(text)**` for everything below it")
        } else {
            self = .file(try AbsolutePath(parsing: text, mayBeSpecial: true))
        }
    }

    /// The rule as a policy writes it, without the digest.
    var pathText: String {
        switch self {
        case .file(let path), .pinned(let path, _): path.description
        case .subtree(let path): "\(path)/**"
        }
    }

    /// Whether everything that `other` allows is allowed by this rule.
    func covers(_ other: ExecRule) -> Bool {
        switch (self, other) {
        case (.subtree(let tree), .file(let path)), (.subtree(let tree), .pinned(let path, _)),
            (.subtree(let tree), .subtree(let path)):
            tree.contains(path)
        case (.file(let mine), .file(let path)), (.file(let mine), .pinned(let path, _)): mine == path
        case (.pinned, .pinned): self == other
        case (.file, .subtree), (.pinned, .file), (.pinned, .subtree): false
        }
    }
}

extension SecretInjection {
    /// The names in `${NAME}` of a header value; `nil` when one is malformed.
    static func references(_ text: String) -> [EnvironmentName]? {
        var names: [EnvironmentName] = []
        var rest = text.utf8[...]
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            rest = rest[rest.index(after: dollar)...]
            guard rest.first == UInt8(ascii: "{") else { continue }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
            let inner = String(decoding: rest[rest.index(after: rest.startIndex)..<end], as: UTF8.self)
            guard let name = EnvironmentName(inner) else { return nil }
            names.append(name)
            rest = rest[rest.index(after: end)...]
        }
        return names
    }
}
