internal import JailModel
internal import JailSystem

/// The largest number of open files of one process: since Linux 6.2 the size of /proc/PID/fd says it (proc(5)).
struct OpenFileMeter: ~Copyable {
    private let proc: OwnedFD

    init(proc: consuming OwnedFD) { self.proc = proc }

    /// The most that one process holds; `nil` when nothing could be read.
    borrowing func largest() -> UInt64? {
        var listing = DirectoryListing(proc.rawValue)
        guard (try? listing.rewind()) != nil else { return nil }
        var most: UInt64?
        // A process that ends while it is looked at holds nothing any more.
        while let name = (try? listing.next()) ?? nil {
            guard let first = name.bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
                let status = try? Files.status("\(name)/fd", at: proc.rawValue)
            else { continue }
            most = max(most ?? 0, status.size)
        }
        return most
    }
}
