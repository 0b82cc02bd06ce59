internal import JailSystem

/// A moment by the calendar's clock, with microseconds; written without a formatter.
///
/// The civil-date arithmetic is exact for the years 1970 to 9999; a moment outside them is clamped, so that a broken
/// clock changes a date in the evidence but never its form.
public struct WallTime: Sendable, Hashable, Comparable {
    /// Since 1970-01-01T00:00:00Z, without leap seconds.
    public let seconds: Int64
    /// 0 to 999 999.
    public let microseconds: Int32

    /// The last second of the year 9999.
    private static let last: Int64 = 253_402_300_799

    public init(seconds: Int64, microseconds: Int32 = 0) {
        self.seconds = min(max(seconds, 0), Self.last)
        self.microseconds = min(max(microseconds, 0), 999_999)
    }

    /// The host's clock (CLOCK_REALTIME); it may jump, so nothing is ever measured with it.
    public static func now() -> WallTime {
        let time = SystemClock.wall()
        return WallTime(seconds: time.seconds, microseconds: time.nanoseconds / 1000)
    }

    public static func < (lhs: WallTime, rhs: WallTime) -> Bool {
        (lhs.seconds, lhs.microseconds) < (rhs.seconds, rhs.microseconds)
    }
}

extension WallTime {
    /// Appends `2026-01-01T00:00:00.000000+00:00` (RFC 3339).
    public func appendRFC3339(to bytes: inout [UInt8]) {
        let date = civil
        bytes.appendDecimal(date.year, digits: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDecimal(date.month, digits: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDecimal(date.day, digits: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.appendDecimal(secondOfDay / 3600, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDecimal(secondOfDay / 60 % 60, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDecimal(secondOfDay % 60, digits: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.appendDecimal(Int64(microseconds), digits: 6)
        bytes.append(contentsOf: "+00:00".utf8)
    }

    /// Appends `20260101000000`, with `separator` between date and time.
    public func appendCompact(to bytes: inout [UInt8], separator: Unicode.Scalar? = nil) {
        let date = civil
        bytes.appendDecimal(date.year, digits: 4)
        bytes.appendDecimal(date.month, digits: 2)
        bytes.appendDecimal(date.day, digits: 2)
        if let separator { bytes.append(UInt8(ascii: separator)) }
        bytes.appendDecimal(secondOfDay / 3600, digits: 2)
        bytes.appendDecimal(secondOfDay / 60 % 60, digits: 2)
        bytes.appendDecimal(secondOfDay % 60, digits: 2)
    }

    /// The moment of a calendar date (UTC); `nil` when there is no such date.
    public init?(year: Int64, month: Int64, day: Int64, hour: Int64 = 0, minute: Int64 = 0, second: Int64 = 0) {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        // Years are counted from March, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - Self.epoch
        self.init(seconds: days * 86400 + hour * 3600 + minute * 60 + second)
        guard civil == (year, month, day) else { return nil }
    }

    /// Days from 0000-03-01 to 1970-01-01.
    private static let epoch: Int64 = 719_468

    private var secondOfDay: Int64 { seconds % 86400 }

    /// Year, month and day of the proleptic Gregorian calendar.
    private var civil: (year: Int64, month: Int64, day: Int64) {
        let days = seconds / 86400 + Self.epoch
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}

extension [UInt8] {
    /// Appends a number that is not negative with leading zeros.
    mutating func appendDecimal(_ value: Int64, digits: Int) {
        let start = count
        for _ in 0..<digits { append(UInt8(ascii: "0")) }
        var rest = value
        var index = count - 1
        while index >= start, rest > 0 {
            self[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            index -= 1
        }
    }

    /// Appends a number in as many digits as it needs.
    mutating func appendDecimal(_ value: UInt64) {
        let start = count
        var rest = value
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// Appends lower-case hexadecimal digits.
    mutating func appendHex(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            append(hexDigit(byte >> 4))
            append(hexDigit(byte & 15))
        }
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
