import JailModel

extension Policy {
    /// The effective policy as a policy file: every key in the order of the reference.
    ///
    /// Parsing it gives an equal policy.
    ///
    /// Left out are keys that are not set and have no default, and those that this version cannot enforce as long as
    /// they have their built-in value: written down they would count as a wish.
    public func yaml() -> String {
        var lines: [String] = []
        var section = ""
        for spec in PolicyKeys.table {
            guard let value = value(of: spec.key), !isSilentDefault(spec.key, value) else { continue }
            if spec.key.section != section {
                section = spec.key.section
                if !section.isEmpty { lines.append("\(section):") }
            }
            let indent = section.isEmpty ? "" : "  "
            lines.append("\(indent)\(spec.key.leaf): \(PolicyYAML.flow(value, shape: spec.shape))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func isSilentDefault(_ key: PolicyKey, _ value: JSONValue) -> Bool {
        guard case .whenSet? = Deferral.table[key]?.condition else { return false }
        return Policy.builtIn.value(of: key) == value
    }
}

/// Values as YAML on one line.
enum PolicyYAML {
    static func flow(_ value: JSONValue, shape: KeyShape? = nil) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number):
            if case .size? = shape, number > 0 { return ByteCount(UInt64(number)).description }
            return String(number)
        case .decimal(let units, _): return String(units)
        case .string(let text): return isPlain(text) ? text : quoted(text)
        case .array(let elements): return "[" + elements.map { flow($0) }.joined(separator: ", ") + "]"
        case .object(let members):
            let pairs = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return "{" + pairs.map { "\(flow(.string($0.key))): \(flow($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    /// Whether text is safe without quotes for every YAML reader: a word that no version takes for anything else.
    private static func isPlain(_ text: String) -> Bool {
        let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard let first = text.utf8.first, !Quantity.isDigit(first), first != UInt8(ascii: "-") else { return false }
        let isWord = text.utf8.allSatisfy { byte in
            Quantity.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        return isWord && !words.contains(text.lowercased())
    }

    /// Double quotes with YAML's escapes; what is neither ASCII nor a letter is escaped.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                let isShown =
                    (0x20...0x7e).contains(scalar.value) || (!scalar.isASCII && scalar.properties.isAlphabetic)
                if isShown { out.unicodeScalars.append(scalar) } else { out += escape(scalar.value) }
            }
        }
        return out + "\""
    }

    private static func escape(_ value: UInt32) -> String {
        let (letter, width) = value <= 0xff ? ("x", 2) : value <= 0xffff ? ("u", 4) : ("U", 8)
        let digits = String(value, radix: 16)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }
}
