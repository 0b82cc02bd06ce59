public import JailModel

/// What is wrong with one value: a message for the user and what to write instead.
struct ValueProblem: Error, Hashable {
    let message: String
    let hint: String

    init(_ message: String, hint: String = "") {
        self.message = message
        self.hint = hint
    }
}

/// Numbers, durations and sizes as policies and flags write them.
enum Quantity {
    /// A plain decimal number without sign, point, separators or leading zeros.
    static func integer(_ text: String) throws(ValueProblem) -> UInt64 {
        if text.utf8.first == UInt8(ascii: "-") { throw ValueProblem("\(shown(text)) is negative") }
        guard isDigits(text) else { throw ValueProblem("\(shown(text)) is not a whole number") }
        if text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "0") {
            throw ValueProblem("\(shown(text)) has a leading zero", hint: "some readers take it for octal")
        }
        guard let value = UInt64(text) else { throw ValueProblem("\(shown(text)) is too large") }
        return value
    }

    /// Seconds: `90`, `90s`, `10m`, `1h30m`.
    static func seconds(_ text: String) throws(ValueProblem) -> UInt64 {
        if isDigits(text) || text.utf8.first == UInt8(ascii: "-") { return try integer(text) }
        let hint = "write seconds, or hours, minutes and seconds as `1h30m`, `10m`, `90s`"
        let units: [(UInt8, UInt64)] = [(UInt8(ascii: "h"), 3600), (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1)]
        var total: UInt64 = 0
        var next = units[...]
        var rest = text.utf8[...]
        while !rest.isEmpty {
            let digits = rest.prefix { isDigit($0) }
            rest = rest[digits.endIndex...]
            guard !digits.isEmpty, let letter = rest.first, let index = next.firstIndex(where: { $0.0 == letter })
            else { throw ValueProblem("\(shown(text)) is not a duration", hint: hint) }
            let count = try integer(String(decoding: digits, as: UTF8.self))
            let (product, overflow) = count.multipliedReportingOverflow(by: next[index].1)
            let (sum, carry) = total.addingReportingOverflow(product)
            guard !overflow, !carry else { throw ValueProblem("\(shown(text)) is too large") }
            total = sum
            next = next[(index + 1)...]
            rest = rest.dropFirst()
        }
        guard !text.isEmpty else { throw ValueProblem("\(shown(text)) is not a duration", hint: hint) }
        return total
    }

    /// Bytes: `1024`, `512MiB`, `2GiB`.
    static func bytes(_ text: String) throws(ValueProblem) -> UInt64 {
        if isDigits(text) || text.utf8.first == UInt8(ascii: "-") { return try integer(text) }
        let hint = "write bytes, or a whole number of `KiB`, `MiB`, `GiB` or `TiB` as in `512MiB`"
        let digits = text.utf8.prefix { isDigit($0) }
        let unit = String(decoding: text.utf8[digits.endIndex...], as: UTF8.self)
        let shifts: [String: UInt64] = ["KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        guard !digits.isEmpty, let shift = shifts[unit] else {
            throw ValueProblem("\(shown(text)) is not a size", hint: hint)
        }
        let count = try integer(String(decoding: digits, as: UTF8.self))
        let (product, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { throw ValueProblem("\(shown(text)) is too large") }
        return product
    }

    static func isDigits(_ text: some StringProtocol) -> Bool { !text.isEmpty && text.utf8.allSatisfy(isDigit) }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension ByteCount {
    /// Reads a size as a policy writes it: `1024`, `512MiB`, `2GiB`; `nil` when it is none.
    public init?(policyText text: String) {
        guard let value = try? Quantity.bytes(text) else { return nil }
        self.init(value)
    }
}
