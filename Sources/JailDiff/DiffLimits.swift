/// The bounds that keep a diff of hostile files cheap.
///
/// A diff that meets one of them is still correct: applied to the old file it gives the new one. It only tells more
/// lines than the fewest possible, never fewer.
public struct DiffLimits: Sendable, Hashable {
    /// A file with at most so many added and removed lines is told with the fewest lines possible.
    public var differences = 10_000
    /// Comparisons of lines spent on one file; after them, the regions that are left are told as removed and added whole.
    public var steps = 150_000_000
    /// Lines of both sides between the first and the last difference; above, all of them are told as removed and
    /// added, and no pairs that differ in formatting only are sought.
    public var lines = 2_000_000

    public init() {}
}
