internal import JailModel
internal import JailPlan
internal import JailSystem
internal import JailWorkspace

/// What the layer of a running step may hold, and what tells that it holds more (guarantees F and G).
///
/// The exact budgets are judged on the change set when the step is over: a temporary file that is gone by then does not
/// count. While it runs, only what can no longer be meant well stops it, far enough above the budget.
struct LayerLimits {
    let bytes: UInt64?
    let files: UInt64?
    /// What a private copy held before the step.
    private let baseline: UpperMeter.Sample
    /// The kernel's own ceiling, where there is one.
    let ceiling: (bytes: UInt64, inodes: UInt64)?

    /// - Parameter copy: The top of a private copy, before the step begins; `nil` for an overlay's layer, which is empty.
    init(budgets: [BudgetKind: UInt64], layer: WorkspaceLayer, copy: Int32? = nil) {
        let meter = copy.flatMap { try? UpperMeter(upper: $0, isMemory: false, limit: Self.walkLimit) }
        baseline = (try? meter?.sample()) ?? UpperMeter.Sample(inodes: 0, bytes: 0)
        bytes = budgets[.bytesWritten]
        files = [budgets[.filesChanged], budgets[.fileWrites]].compactMap { $0 }.min()
        if case .memory(let bytes, let inodes) = layer {
            ceiling = (bytes, inodes)
        } else {
            ceiling = nil
        }
    }

    /// A walk ends after so many objects.
    private static let walkLimit: UInt64 = 1_000_000

    var isMemory: Bool { ceiling != nil }

    /// Reads the layer once; a few microseconds on a tmpfs.
    ///
    /// fstatfs(2).
    func breaches(of layer: Int32) -> [BudgetBreach] {
        guard let ceiling else { return walk(layer) }
        guard let now = try? Files.filesystem(layer) else { return [] }
        var found: [BudgetBreach] = []
        if let bytes, let seen = bytesOver(bytes, now, ceiling.bytes, in: layer) {
            found.append(BudgetBreach(kind: .bytesWritten, limit: bytes, observed: seen, meter: "the layer's tmpfs"))
        }
        if let files, now.inodesUsed + 1 >= ceiling.inodes {
            found.append(
                BudgetBreach(
                    kind: .filesChanged, limit: files, observed: now.inodesUsed,
                    meter: "the layer's tmpfs, all its objects"))
        }
        return found
    }

    /// How many bytes a tmpfs holds when that is more than the budget; `nil` while it is not.
    private func bytesOver(
        _ limit: UInt64, _ now: FilesystemStatus, _ ceiling: UInt64, in layer: Int32
    ) -> UInt64? {
        if now.used.value + 4096 > ceiling { return max(now.used.value, limit + 1) }
        guard now.used.value > limit else { return nil }
        // Every object may waste the rest of its last page, which is none of the step's bytes.
        if now.used.value > limit + (now.inodesUsed + 1) * 4096 { return now.used.value }
        // So near the limit only the sizes tell: one file with a byte too many is a breach, whoever wrote it.
        guard let meter = try? UpperMeter(upper: layer, isMemory: false, limit: Self.walkLimit),
            let sizes = try? meter.sample(), sizes.bytes > limit
        else { return nil }
        return sizes.bytes
    }

    /// A layer on disk has no ceiling of its own: its objects are counted, as far as a budget of files allows.
    private func walk(_ layer: Int32) -> [BudgetBreach] {
        // Directories and what is gone at the end count here as well, so only a multiple is beyond doubt.
        let most = files.map { $0.multipliedReportingOverflow(by: 8).overflow ? .max : $0 * 8 + 512 }
        let (end, isHuge) = (most ?? Self.walkLimit).addingReportingOverflow(baseline.inodes)
        guard
            let meter = try? UpperMeter(
                upper: layer, isMemory: false, limit: isHuge ? Self.walkLimit : min(end, Self.walkLimit)),
            var now = try? meter.sample()
        else { return [] }
        now.inodes -= min(now.inodes, baseline.inodes)
        now.bytes -= min(now.bytes, baseline.bytes)
        var found: [BudgetBreach] = []
        if let bytes, now.bytes > bytes {
            found.append(
                BudgetBreach(kind: .bytesWritten, limit: bytes, observed: now.bytes, meter: "a walk of the layer"))
        }
        if let files, let most, now.inodes >= most {
            found.append(
                BudgetBreach(
                    kind: .filesChanged, limit: files, observed: now.inodes,
                    meter: "a walk of the layer, all its objects"))
        }
        return found
    }
}
