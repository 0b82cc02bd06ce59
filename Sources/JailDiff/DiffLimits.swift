/// The bounds that keep a diff of hostile files cheap.
public struct DiffLimits: Sendable, Hashable {
    /// Differences after which the rest of a file is told as removed and added whole.
    public var differences = 20_000

    public init() {}
}
