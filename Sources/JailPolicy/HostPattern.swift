extension EgressRule.Host {
    /// Reads a host as a rule may name it: a name, `*.domain`, an IPv4 address, or an IPv6 address with or without
    /// brackets.
    ///
    /// Names come out in lower case, in `xn--` form and without a trailing dot. Guarantee D.
    init(parsing text: String) throws(ValueProblem) {
        try Self.refuseForeignForms(text)
        if text.utf8.first == UInt8(ascii: "[") || text.utf8.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
            self = try Self.ipv6(text)
            return
        }
        if text.contains(":") { throw ValueProblem("\(shown(text)) holds `:`", hint: "write the port in `port`") }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        let isWildcard = labels.first == "*"
        if isWildcard { labels.removeFirst() }
        if labels.contains(where: { $0.contains("*") }) || labels.isEmpty {
            throw ValueProblem(
                "\(shown(text)) is too broad or has `*` where it cannot stand",
                hint: "write `*.example.com`, or the names")
        }
        if let address = try Self.ipv4(labels, text) {
            if isWildcard { throw ValueProblem("\(shown(text)) puts `*` before an address") }
            self = address
            return
        }
        var canonical: [String] = []
        for label in labels { canonical.append(try Self.label(label, in: text)) }
        let name = canonical.joined(separator: ".")
        if name.utf8.count > 253 { throw ValueProblem("\(shown(text)) is longer than a host name can be") }
        if isWildcard && Self.isTooBroad(canonical) {
            throw ValueProblem(
                "\(shown(text)) is too broad: it covers names of many owners",
                hint: "name a domain that one owner registered, as `*.example.com`")
        }
        self = isWildcard ? .subdomains(name) : .exact(name)
    }

    /// Whether the host is this machine itself.
    var isLoopback: Bool {
        switch self {
        case .exact(let name): name == "localhost" || name.hasSuffix(".localhost")
        case .subdomains(let name): name == "localhost" || name.hasSuffix(".localhost")
        case .ipv4(let bytes): bytes.first == 127
        case .ipv6(let bytes): bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        }
    }

    /// The host as a rule writes it, an IPv6 address without brackets.
    var canonicalText: String {
        switch self {
        case .exact(let name): name
        case .subdomains(let name): "*." + name
        case .ipv4(let bytes): IPAddress.text(ipv4: bytes)
        case .ipv6(let bytes): IPAddress.text(ipv6: bytes)
        }
    }

    /// Whether every host of `other` is one of this.
    func covers(_ other: EgressRule.Host) -> Bool {
        switch (self, other) {
        case (.subdomains(let domain), .exact(let name)): name.hasSuffix("." + domain)
        case (.subdomains(let domain), .subdomains(let name)): name == domain || name.hasSuffix("." + domain)
        default: self == other
        }
    }

    private static func refuseForeignForms(_ text: String) throws(ValueProblem) {
        if text.isEmpty { throw ValueProblem("an empty host") }
        if text == "*" {
            throw ValueProblem(
                "`*` is too broad: it covers every host", hint: "name the hosts, or use `network.mode: host`")
        }
        if text.contains("://") { throw ValueProblem("\(shown(text)) is a URL", hint: "write `host` or `host:port`") }
        if text.contains("@") { throw ValueProblem("\(shown(text)) holds `@`", hint: "a rule names no user") }
        if text.contains("/") {
            throw ValueProblem(
                "\(shown(text)) holds `/`", hint: "a rule has no path, and address ranges are not supported")
        }
        for scalar in text.unicodeScalars {
            if "?[]{}\\#%".unicodeScalars.contains(scalar), !isBracketOfAddress(scalar, text) {
                throw ValueProblem(
                    "\(shown(text)) holds `\(scalar)`",
                    hint: "the only wildcard is a leading `*.`, as in `*.example.com`")
            }
            if scalar.value <= 0x20 || scalar.value == 0x7f || scalar.properties.isWhitespace {
                throw ValueProblem("\(shown(text)) holds a space or a control character")
            }
        }
    }

    /// Whether a bracket is the first or the last character of `[…]`.
    private static func isBracketOfAddress(_ scalar: Unicode.Scalar, _ text: String) -> Bool {
        (scalar == "[" || scalar == "]") && text.hasPrefix("[") && text.hasSuffix("]")
            && text.utf8.count(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }) == 2
    }

    private static func ipv6(_ text: String) throws(ValueProblem) -> Self {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let inner = isBracketed ? String(text.dropFirst().dropLast()) : text
        guard let bytes = IPAddress.ipv6(inner) else { throw ValueProblem("\(shown(text)) is not an IPv6 address") }
        if bytes.allSatisfy({ $0 == 0 }) { throw ValueProblem("\(shown(text)) is no host", hint: "name the address") }
        return IPAddress.mappedIPv4(bytes).map { .ipv4($0) } ?? .ipv6(bytes)
    }

    /// An IPv4 address; `nil` for a name.
    ///
    /// What ends in a number is an address or an error, as URL parsers have it.
    private static func ipv4(_ labels: [String], _ text: String) throws(ValueProblem) -> Self? {
        guard let last = labels.last else { return nil }
        let isHexadecimal =
            (last.hasPrefix("0x") || last.hasPrefix("0X")) && last.utf8.dropFirst(2).allSatisfy(IPAddress.isHexDigit)
        guard Quantity.isDigits(last) || isHexadecimal else { return nil }
        guard let bytes = IPAddress.ipv4(labels.joined(separator: ".")) else {
            throw ValueProblem(
                "\(shown(text)) is not an IPv4 address",
                hint: "write four decimal numbers from 0 to 255 without leading zeros, as `127.0.0.1`")
        }
        if bytes.allSatisfy({ $0 == 0 }) { throw ValueProblem("\(shown(text)) is no host", hint: "name the address") }
        return .ipv4(bytes)
    }

    private static func label(_ label: String, in text: String) throws(ValueProblem) -> String {
        if label.isEmpty { throw ValueProblem("\(shown(text)) has an empty label", hint: "one dot between two labels") }
        let name = try Punycode.label(label)
        let isWord = name.utf8.allSatisfy { byte in
            IPAddress.isHexDigit(byte) || (UInt8(ascii: "g")...UInt8(ascii: "z")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        if !isWord || name.hasPrefix("-") || name.hasSuffix("-") {
            throw ValueProblem("\(shown(text)) is not a host name", hint: "labels hold letters, digits and inner `-`")
        }
        if name.utf8.count > 63 { throw ValueProblem("\(shown(text)) has a label of more than 63 characters") }
        return name
    }

    /// Whether everything below these labels belongs to many owners: a top-level domain, or a registry under a
    /// country's (`co.uk`, `com.au`).
    private static func isTooBroad(_ labels: [String]) -> Bool {
        if labels.count == 1 { return true }
        let registries: Set<String> = ["ac", "co", "com", "edu", "go", "gov", "mil", "ne", "net", "or", "org"]
        return labels.count == 2 && labels[1].utf8.count == 2 && registries.contains(labels[0])
    }
}

extension EgressRule {
    /// Reads `host`, `host:port`, `[address]:port` or a bare IPv6 address.
    init(parsing text: String) throws(ValueProblem) {
        var hostText = text
        var port: UInt16?
        let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
        let isBare = colons > 1 && text.utf8.first != UInt8(ascii: "[")
        if let colon = text.lastIndex(of: ":"), !isBare, !text.hasSuffix("]"), !text.contains("://") {
            hostText = String(text[..<colon])
            port = try Self.port(String(text[text.index(after: colon)...]), in: text)
        }
        self.init(host: try Host(parsing: hostText), port: port, kind: nil, sni: .required, allowsPrivate: false)
    }

    /// A rule with its canonical text.
    init(host: Host, port: UInt16?, kind: Kind?, sni: SNI, allowsPrivate: Bool) {
        var text = host.canonicalText
        if let port {
            if case .ipv6 = host { text = "[\(text)]" }
            text += ":\(port)"
        }
        self.init(text: text, host: host, port: port, kind: kind, sni: sni, allowsPrivate: allowsPrivate)
    }

    private static func port(_ digits: String, in text: String) throws(ValueProblem) -> UInt16 {
        let hint = "a port is a number from 1 to 65535"
        guard Quantity.isDigits(digits), digits.utf8.first != UInt8(ascii: "0"), let port = UInt16(digits) else {
            throw ValueProblem("\(shown(text)) has no valid port", hint: hint)
        }
        return port
    }

    /// A port and what may be spoken there.
    public struct Endpoint: Sendable, Hashable {
        public let port: UInt16
        public let kind: Kind
    }

    /// The ports that this rule opens: without one, 443 as tls and 80 as http; without a kind, what the port is known
    /// for and tcp otherwise.
    public var endpoints: [Endpoint] {
        if let port {
            let known: Kind = port == 443 ? .tls : port == 80 ? .http : .tcp
            return [Endpoint(port: port, kind: kind ?? known)]
        }
        let both = [Endpoint(port: 443, kind: .tls), Endpoint(port: 80, kind: .http)]
        return kind.map { only in both.filter { $0.kind == only } } ?? both
    }

    /// Whether everything that `other` allows is allowed by this rule.
    ///
    /// A raw connection includes every protocol.
    func covers(_ other: EgressRule) -> Bool {
        guard host.covers(other.host), allowsPrivate || !other.allowsPrivate else { return false }
        guard sni == .optional || other.sni == .required else { return false }
        return other.endpoints.allSatisfy { wanted in
            endpoints.contains { $0.port == wanted.port && ($0.kind == wanted.kind || $0.kind == .tcp) }
        }
    }
}
