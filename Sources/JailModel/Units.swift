/// A number of bytes.
///
/// Never negative; written as a plain integer in reports.
public struct ByteCount: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public static func < (lhs: ByteCount, rhs: ByteCount) -> Bool { lhs.value < rhs.value }

    /// The largest binary unit that divides the value exactly, as policies write it: `4GiB`, `1536KiB`, `17`.
    public var description: String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
        where value > 0 && value % (1 << shift) == 0 {
            return "\(value >> shift)\(unit)"
        }
        return String(value)
    }

    public static func mebibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 20) }
    public static func gibibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 30) }
}
