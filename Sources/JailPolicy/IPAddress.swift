/// IP addresses in text form.
enum IPAddress {
    /// Four decimal numbers without leading zeros.
    ///
    /// Octal, hexadecimal and short forms, which some libraries read as other addresses, are not addresses here.
    static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard Quantity.isDigits(part), part.utf8.count <= 3, let value = UInt8(part) else { return nil }
            guard part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0") else { return nil }
            bytes.append(value)
        }
        return bytes
    }

    /// The text forms of RFC 4291 section 2.2, without a zone.
    static func ipv6(_ text: some StringProtocol) -> [UInt8]? {
        let halves = splitAtGap(String(text))
        guard let halves else { return nil }
        guard let head = groups(halves.head, mayEndInIPv4: halves.tail == nil) else { return nil }
        guard let tailText = halves.tail else { return head.count == 8 ? bytes(head) : nil }
        guard let tail = groups(tailText, mayEndInIPv4: true), head.count + tail.count <= 7 else { return nil }
        return bytes(head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    /// The text before and after `::`; no tail without one, nothing at all when there are two.
    private static func splitAtGap(_ text: String) -> (head: String, tail: String?)? {
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        let gaps = bytes.indices.dropLast().filter { bytes[$0] == colon && bytes[$0 + 1] == colon }
        guard gaps.count <= 1 else { return nil }
        guard let gap = gaps.first else { return (text, nil) }
        return (String(decoding: bytes[..<gap], as: UTF8.self), String(decoding: bytes[(gap + 2)...], as: UTF8.self))
    }

    private static func groups(_ text: String, mayEndInIPv4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var out: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.contains("."), let last = ipv4(part) {
                out += [UInt16(last[0]) << 8 | UInt16(last[1]), UInt16(last[2]) << 8 | UInt16(last[3])]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit),
                let value = UInt16(part, radix: 16)
            else { return nil }
            out.append(value)
        }
        return out
    }

    private static func bytes(_ groups: [UInt16]) -> [UInt8] { groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }

    static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// The IPv4 address that an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) stands for.
    static func mappedIPv4(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 255, bytes[11] == 255 else {
            return nil
        }
        return Array(bytes[12...])
    }

    /// The form of RFC 5952: lower case, no leading zeros, the first longest run of zero groups as `::`.
    static func text(ipv6 bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var best = 0..<0
        var index = 0
        while index < groups.count {
            let run = groups[index...].prefix { $0 == 0 }
            if run.count > max(best.count, 1) { best = run.startIndex..<run.endIndex }
            index = max(run.endIndex, index + 1)
        }
        func join(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if best.isEmpty { return join(groups) }
        return join(groups[..<best.lowerBound]) + "::" + join(groups[best.upperBound...])
    }

    static func text(ipv4 bytes: [UInt8]) -> String { bytes.map { String($0) }.joined(separator: ".") }
}
