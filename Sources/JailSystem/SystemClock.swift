internal import CJail

/// The two clocks that a run uses: one that only moves forward, one for dates.
public enum SystemClock {
    /// Time since boot, including suspend, so that a sleeping laptop does not stretch a budget.
    ///
    /// clock_gettime(2) CLOCK_BOOTTIME. Guarantee F: `max_runtime_s`.
    public static func now() -> Duration { .nanoseconds(cj_boot_time_ns()) }

    /// Seconds and nanoseconds since 1970 (UTC).
    ///
    /// It may jump; never measure with it. CLOCK_REALTIME.
    public static func wall() -> (seconds: Int64, nanoseconds: Int32) {
        let (seconds, rest) = cj_wall_time_ns().quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds, Int32(rest))
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to what 64 bits hold (292 years).
    public var wholeNanoseconds: Int64 {
        let parts = components
        let (scaled, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return parts.seconds < 0 ? .min : .max }
        let (sum, over) = scaled.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        return over ? (parts.seconds < 0 ? .min : .max) : sum
    }
}
