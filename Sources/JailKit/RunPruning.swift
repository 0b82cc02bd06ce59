public import JailLedger
public import JailModel
import JailSystem
import JailWorkspace

/// Bounds what the runs of a machine keep on disk, by age and by size.
///
/// Running ones stay, and so does what waits for a decision unless the caller says otherwise. With a run goes the
/// possibility to roll it back. Guarantee L.
public struct RunPruning: Sendable {
    /// Runs that are older go.
    public var age: Duration
    /// The oldest go until the rest is no larger.
    public var size: ByteCount
    /// Whether pending changes may be dropped.
    public var dropsPending: Bool

    public init(age: Duration, size: ByteCount, dropsPending: Bool) {
        self.age = age
        self.size = size
        self.dropsPending = dropsPending
    }

    /// What is to go, the newest first, and what stays although it is over the bounds.
    public struct Selection: Sendable {
        public var removed: [RunEntry] = []
        public var keptPending: [RunEntry] = []
        /// Bytes that the removed ones occupy.
        public var bytes: UInt64 = 0
    }

    /// Chooses among runs that are sorted, newest first.
    public func select(_ runs: [RunEntry]) -> Selection {
        var selection = Selection()
        var total: UInt64 = 0
        let now = Files.fileTime / 1_000_000_000
        for run in runs {
            let bytes = Self.size(run.path)
            let isOld = now - run.created.seconds > age.components.seconds
            guard isOld || total + bytes > size.value, run.state != .running else {
                total += bytes
                continue
            }
            if !dropsPending, RunChanges.currentState(run) == .pending {
                total += bytes
                selection.keptPending.append(run)
            } else {
                selection.removed.append(run)
                selection.bytes += bytes
            }
        }
        return selection
    }

    /// Removes one run with everything in it.
    public static func remove(_ run: RunEntry) throws(StepRefused) {
        guard let slash = run.path.lastIndex(of: "/") else { return }
        do throws(SystemError) {
            let parent = try Files.open(String(run.path[..<slash]), [.read, .directory])
            try TreeRemover.remove(ByteString(String(run.path[run.path.index(after: slash)...])), at: parent.rawValue)
        } catch {
            throw StepRefused(.internal, .evidenceIncomplete, "\(run.name) cannot be removed: \(error)")
        }
    }

    private static func size(_ path: String) -> UInt64 {
        guard let directory = try? Files.open(path, [.read, .directory, .noFollow]),
            let meter = try? UpperMeter(upper: directory.rawValue, isMemory: false), let sample = try? meter.sample()
        else { return 0 }
        return sample.bytes
    }
}
