/// Host names with letters beyond ASCII, in the form that DNS and TLS carry.
enum Punycode {
    /// The `xn--` form of one label, in lower case; an ASCII label is only lowered.
    ///
    /// Maps what needs no more than lower-casing. A label whose canonical form would need normalisation (combining
    /// marks, compatibility letters, final forms) is refused: two spellings of one name must not become two rules.
    static func label(_ text: String) throws(ValueProblem) -> String {
        let hint = "write the name in its `xn--` form"
        var lowered: [Unicode.Scalar] = []
        for scalar in text.unicodeScalars {
            lowered += scalar.isASCII ? [lowerASCII(scalar)] : Array(scalar.properties.lowercaseMapping.unicodeScalars)
        }
        if lowered.allSatisfy(\.isASCII) { return String(String.UnicodeScalarView(lowered)) }
        for scalar in lowered where !scalar.isASCII && !isStable(scalar) {
            throw ValueProblem("the host label \(shown(text)) holds a character that cannot be mapped", hint: hint)
        }
        if lowered.starts(with: "xn--".unicodeScalars) {
            throw ValueProblem("the host label \(shown(text)) mixes `xn--` with other letters", hint: hint)
        }
        guard lowered.count < 64, let encoded = encode(lowered.map(\.value)) else {
            throw ValueProblem("the host label \(shown(text)) is too long", hint: hint)
        }
        return "xn--" + encoded
    }

    private static func lowerASCII(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
    }

    /// Whether a scalar is a letter or digit that no normalisation or case folding changes, in any context.
    private static func isStable(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        // Conjoining Jamo compose with their neighbours, so alone they are not stable.
        if (0x1100...0x11ff).contains(scalar.value) { return false }
        switch properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber:
            return !properties.changesWhenNFKCCaseFolded && !properties.isFullCompositionExclusion
        default:
            return false
        }
    }

    /// The encoding of RFC 3492 section 6.3, without the `xn--`; `nil` when the delta overflows.
    static func encode(_ scalars: [UInt32]) -> String? {
        let basic = scalars.filter { $0 < 0x80 }
        var output = basic.map { UInt8($0) }
        if !basic.isEmpty { output.append(UInt8(ascii: "-")) }
        var next: UInt32 = 0x80
        var delta: UInt32 = 0
        var bias: UInt32 = 72
        var handled = UInt32(basic.count)
        while handled < scalars.count {
            guard let smallest = scalars.filter({ $0 >= next }).min() else { return nil }
            let (step, overflow) = (smallest - next).multipliedReportingOverflow(by: handled + 1)
            let (sum, carry) = delta.addingReportingOverflow(step)
            guard !overflow, !carry else { return nil }
            delta = sum
            next = smallest
            for scalar in scalars {
                if scalar < next {
                    guard delta < UInt32.max else { return nil }
                    delta += 1
                }
                guard scalar == next else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapt(delta, points: handled + 1, isFirst: handled == basic.count)
                delta = 0
                handled += 1
            }
            guard delta < UInt32.max, next < UInt32.max else { return nil }
            delta += 1
            next += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static let base: UInt32 = 36
    private static let (tMin, tMax): (UInt32, UInt32) = (1, 26)

    /// Writes a delta as a generalised variable-length integer.
    private static func append(_ delta: UInt32, bias: UInt32, to output: inout [UInt8]) {
        var rest = delta
        var position = base
        while true {
            let threshold = position <= bias ? tMin : min(position - bias, tMax)
            if rest < threshold { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        output.append(digit(rest))
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        value < 26 ? UInt8(ascii: "a") + UInt8(value) : UInt8(ascii: "0") + UInt8(value - 26)
    }

    private static func adapt(_ delta: UInt32, points: UInt32, isFirst: Bool) -> UInt32 {
        var rest = isFirst ? delta / 700 : delta / 2
        rest += rest / points
        var steps: UInt32 = 0
        while rest > (base - tMin) * tMax / 2 {
            rest /= base - tMin
            steps += base
        }
        return steps + (base - tMin + 1) * rest / (rest + 38)
    }
}
