internal import JailModel
internal import JailSystem

/// The files in the undo directory that say how far a commit or a rollback has come.
///
/// A file is there whole or not at all: it is written beside its name, fsynced, renamed, and the directory is fsynced.
enum Journal {
    static let manifest = "manifest"
    /// The directory of the slots, below the undo directory.
    static let slots = "slots"

    /// Reads a file; `nil` when there is none.
    static func read(_ name: String, _ undo: Int32) throws(PublishError) -> [UInt8]? {
        try onDisk { () throws(SystemError) in
            guard try Files.statusIfPresent(name, at: undo) != nil else { return nil }
            let file = try Files.open(name, [.read, .noFollow], at: undo)
            return try Files.readAll(file.rawValue, limit: 1 << 34, subject: name)
        }
    }

    static func has(_ name: String, _ undo: Int32) throws(PublishError) -> Bool {
        try onDisk { () throws(SystemError) in try Files.statusIfPresent(name, at: undo) != nil }
    }

    /// Writes a file and waits until it is on disk.
    static func write(_ name: String, _ bytes: [UInt8], _ undo: Int32, _ faults: FaultPoint) throws(PublishError) {
        let draft = name + ".tmp"
        try faults(.record, ByteString(draft))
        try onDisk { () throws(SystemError) in
            let file = try Files.open(draft, [.write, .create, .truncate, .noFollow], mode: 0o600, at: undo)
            try Files.writeAll(file.rawValue, bytes, subject: name)
            try Files.sync(file.rawValue, subject: name)
        }
        try faults(.record, ByteString(name))
        try onDisk { () throws(SystemError) in
            // ORDER: the content is on disk before the name is, and the name before the caller goes on.
            try Files.rename(draft, at: undo, to: name, at: undo, .replace)
            try Files.sync(undo, subject: name)
        }
    }

    /// Removes files in this order, each for good before the next; absent ones are fine.
    static func remove(_ names: [String], _ undo: Int32, _ faults: FaultPoint) throws(PublishError) {
        for name in names where try has(name, undo) {
            try faults(.forget, ByteString(name))
            try onDisk { () throws(SystemError) in
                try Files.remove(name, at: undo)
                try Files.sync(undo)
            }
        }
    }
}

/// The names of a commit's or a rollback's own journal files.
struct JournalLeg: Sendable, Hashable {
    /// Where the slots are about to be made; before anything else.
    let staging: String
    /// The swaps with the identity of every object: from here on the work is finished, not dropped.
    let plan: String
    /// Every swap is done and on disk; only used where slots in the workspace are still to be dropped.
    let swapped: String
    /// The swaps are being taken back.
    let abort: String
    /// They are taken back and on disk; only leftovers are to be dropped.
    let aborted: String
    let done: String

    static let commit = JournalLeg(
        staging: "STAGING", plan: "PLAN", swapped: "SWAPPED", abort: "ABORT", aborted: "ABORTED", done: "DONE")
    static let rollback = JournalLeg(
        staging: "ROLLBACK-STAGING", plan: "ROLLBACK", swapped: "ROLLBACK-SWAPPED", abort: "ROLLBACK-ABORT",
        aborted: "ROLLBACK-ABORTED", done: "UNDONE")

    /// What an aborted leg leaves, in the order in which it may go: `aborted` last.
    var leftovers: [String] { [plan, swapped, abort, staging, aborted] }
}

/// Where the slots are while paths are swapped.
enum SlotsPlace: Sendable, Hashable {
    /// In the undo directory, on the workspace's mount.
    case undo
    /// In a directory of this name at the workspace's top, which is gone when the work is done.
    case workspace(ByteString)

    var name: ByteString? {
        switch self {
        case .undo: nil
        case .workspace(let name): name
        }
    }
}

/// The first record of a leg: enough to drop what was staged, and to give the workspace's top its time back.
struct JournalStaging: Sendable, Hashable {
    var place: SlotsPlace
    /// The workspace that the record is about.
    var workspaceInode: UInt64
    /// The time of the workspace's top, in nanoseconds since 1970.
    var topModified: Int64
    private static let magic = "launch-jail staging 1"

    init(place: SlotsPlace, workspaceInode: UInt64, topModified: Int64) {
        self.place = place
        self.workspaceInode = workspaceInode
        self.topModified = topModified
    }

    var encoded: [UInt8] {
        var writer = JournalWriter(Self.magic)
        writer.put(place.name)
        writer.put(workspaceInode)
        writer.put(topModified)
        return writer.finish()
    }

    init(decoding bytes: [UInt8], name: String) throws(PublishError) {
        var reader = try JournalReader(bytes, magic: Self.magic, name: name)
        place = try reader.optionalText().map { .workspace($0) } ?? .undo
        workspaceInode = try reader.number()
        topModified = try reader.time()
        guard reader.isAtEnd else { throw reader.malformed }
    }
}
