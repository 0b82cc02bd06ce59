internal import JailModel

/// The plan of a leg: what the manifest's swaps meet at each path and in each slot.
struct JournalPlan: Sendable, Hashable {
    /// The tree that is there before the leg; a rollback starts from the one after.
    var from: UndoSide
    var place: SlotsPlace
    /// The SHA-256 at the end of the manifest that the plan belongs to.
    var manifest: [UInt8]
    /// The inode at each swap's path, and in its slot, before the swap; `nil` when nothing is there, 0 where the
    /// marks are set in place.
    var steps: [Step]
    /// The directories in which names come or go, in tree order.
    var settles: [Settle]

    struct Step: Sendable, Hashable {
        var here: UInt64?
        var there: UInt64?
    }

    /// A directory with its marks before and after the leg.
    struct Settle: Sendable, Hashable {
        var path: ByteString
        var inode: UInt64
        var mode: (from: UInt32, to: UInt32)
        var modified: (from: Int64, to: Int64)

        static func == (lhs: Settle, rhs: Settle) -> Bool {
            lhs.path == rhs.path && lhs.inode == rhs.inode && lhs.mode == rhs.mode && lhs.modified == rhs.modified
        }

        func hash(into hasher: inout Hasher) { hasher.combine(path) }
    }
}

extension JournalPlan {
    private static let magic = "launch-jail swap plan 1"

    var encoded: [UInt8] {
        var writer = JournalWriter(Self.magic)
        writer.put(from == .before ? UInt64(0) : 1)
        writer.put(place.name)
        writer.put(manifest)
        writer.put(steps.count)
        for step in steps {
            writer.put(step.here)
            writer.put(step.there)
        }
        writer.put(settles.count)
        for settle in settles {
            writer.put(settle.path)
            writer.put(settle.inode)
            writer.put(UInt64(settle.mode.from))
            writer.put(UInt64(settle.mode.to))
            writer.put(settle.modified.from)
            writer.put(settle.modified.to)
        }
        return writer.finish()
    }

    init(decoding bytes: [UInt8], name: String) throws(PublishError) {
        var reader = try JournalReader(bytes, magic: Self.magic, name: name)
        from = try reader.flag() ? .after : .before
        place = try reader.optionalText().map { .workspace($0) } ?? .undo
        manifest = try reader.content()
        steps = []
        for _ in 0..<(try reader.count()) {
            steps.append(Step(here: try reader.optionalNumber(), there: try reader.optionalNumber()))
        }
        settles = []
        for _ in 0..<(try reader.count()) {
            settles.append(
                Settle(
                    path: try reader.text(), inode: try reader.number(),
                    mode: (try reader.word(), try reader.word()), modified: (try reader.time(), try reader.time())))
        }
        guard reader.isAtEnd else { throw reader.malformed }
    }
}
