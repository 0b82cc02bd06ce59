public import JailModel
package import JailSystem

/// The event log of a run: one line for each event, written as it happens, never changed afterwards.
///
/// The descriptor is append-only and the file was made by this process (O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW).
/// Guarantee E: an event that could not be written is told to the caller, and from then on nothing is written any more,
/// so that the file stays an intact prefix.
public final class EventLog {
    private let file: OwnedFD
    private let path: String
    private let clock: () -> WallTime
    private var chain: HashChain
    private var line: [UInt8] = []
    /// The error that ended the log, when one did.
    public private(set) var failure: LedgerError?

    /// Creates `events.ndjson` in a run directory.
    public init(
        in directory: borrowing RunDirectory, runID: RunID, clock: @escaping () -> WallTime = WallTime.now
    ) throws(LedgerError) {
        file = try directory.create(.events)
        path = directory.path + "/" + RunFile.events.path
        self.clock = clock
        chain = HashChain(runID: runID)
    }

    /// Writes to a descriptor that somebody else opened; tests give one whose disk is full.
    package init(writingTo file: consuming OwnedFD, path: String, runID: RunID, clock: @escaping () -> WallTime) {
        self.file = file
        self.path = path
        self.clock = clock
        chain = HashChain(runID: runID)
    }

    /// How many events are in the file.
    public var count: UInt64 { chain.count }

    /// The hash of the last event; it goes to the report.
    public var head: String { chain.head }

    /// Writes one event with one write(2).
    public func append(_ event: Event) throws(LedgerError) {
        if let failure { throw failure }
        line.removeAll(keepingCapacity: true)
        var next = chain
        do {
            try next.append(event, at: clock(), to: &line)
        } catch {
            throw fail(error)
        }
        do {
            try Files.writeAll(file.rawValue, line)
        } catch {
            throw fail(LedgerError(error, path: path))
        }
        chain = next
    }

    private func fail(_ error: LedgerError) -> LedgerError {
        failure = error
        return error
    }
}
