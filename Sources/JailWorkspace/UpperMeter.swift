internal import JailModel
public import JailSystem

/// Tells how much a layer holds while a step is running.
///
/// Guarantee G, as the live half of the change budget: what counts in the end is the change set.
public struct UpperMeter: Sendable {
    /// Objects, without the top, and bytes.
    public struct Sample: Sendable, Hashable {
        public var inodes: UInt64
        public var bytes: UInt64

        public init(inodes: UInt64, bytes: UInt64) {
            self.inodes = inodes
            self.bytes = bytes
        }
    }

    private let upper: Int32
    private let isMemory: Bool
    private let limit: UInt64
    private let start: Sample

    /// Borrows the descriptor of a layer, which must stay open as long as this value is used.
    ///
    /// - Parameters:
    ///   - isMemory: Whether the layer is a tmpfs of its own, which the kernel counts; what it holds now is the zero.
    ///     Otherwise each sample walks the layer.
    ///   - limit: A walk ends when it has seen that many objects.
    public init(upper: Int32, isMemory: Bool, limit: UInt64 = 1_000_000) throws(SystemError) {
        self.upper = upper
        self.isMemory = isMemory
        self.limit = limit
        start = isMemory ? try Self.filesystem(upper) : Sample(inodes: 0, bytes: 0)
    }

    /// Counts now: for a tmpfs its inodes and pages (fstatfs(2), a few microseconds), else objects and the sizes of
    /// files as stat(2) gives them, a name that goes away meanwhile being none.
    public func sample() throws(SystemError) -> Sample {
        guard isMemory else {
            var sum = Sample(inodes: 0, bytes: 0)
            try count(upper, depth: 0, &sum)
            return sum
        }
        let now = try Self.filesystem(upper)
        return Sample(
            inodes: now.inodes - min(now.inodes, start.inodes), bytes: now.bytes - min(now.bytes, start.bytes))
    }

    private static func filesystem(_ fd: Int32) throws(SystemError) -> Sample {
        let status = try Files.filesystem(fd)
        return Sample(inodes: status.inodesUsed, bytes: status.used.value)
    }

    private func count(_ directory: Int32, depth: Int, _ sum: inout Sample) throws(SystemError) {
        var listing = DirectoryListing(directory)
        try listing.rewind()
        while sum.inodes < limit, let name = try listing.next() {
            guard let status = try Files.statusIfPresent(name, at: directory) else { continue }
            sum.inodes += 1
            if status.kind == .file { sum.bytes &+= status.size }
            // What is closed to us for the moment, or gone, is counted without what is in it.
            guard status.kind == .directory, depth < ChangeScanner.depthLimit,
                let inner = try? Files.open(name, [.read, .directory, .noFollow], at: directory)
            else { continue }
            try count(inner.rawValue, depth: depth + 1, &sum)
        }
    }
}
