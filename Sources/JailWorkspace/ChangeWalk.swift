internal import JailModel
internal import JailSystem

/// The walk over a step's layer: which names there are, and what is gone.
///
/// One descriptor for each level and side, at most 2 × ``ChangeScanner/depthLimit``.
struct ChangeWalk {
    /// Where the layer comes from, and so how it tells what is unchanged and what is gone.
    enum Source {
        /// An upper layer: it names only what was touched, and marks what is gone.
        case layer(OverlayMarks)
        /// A whole copy, with what it was at the start.
        case copy(CopyBaseline)
    }

    /// A directory of both sides.
    struct Level {
        var path: ByteString
        var layer: Int32
        /// The workspace's directory at this path; `nil` where there is none.
        var original: Int32?
        var mode: UInt32
        var depth: Int
        /// Whether nothing of the original shows through.
        var isOpaque = false
    }

    /// A name in a directory of the layer.
    struct Entry {
        var path: ByteString
        var name: ByteString
        var status: FileStatus
        var level: Level
        /// What stands in the workspace at this path.
        var before: FileStatus?
        /// What a private copy had here at the start.
        var mark: CopyBaseline.Mark?
    }

    let source: Source
    let request: ScanRequest
    var findings: ChangeFindings

    init(_ source: Source, _ request: ScanRequest) {
        self.source = source
        self.request = request
        findings = ChangeFindings(source, request)
    }

    mutating func top(layer: Int32, original: Int32) throws(SystemError) {
        let mode = try Files.status(layer).mode
        try walk(Level(path: "", layer: layer, original: original, mode: mode, depth: 0))
    }

    consuming func finish() -> ScanResult { findings.finish() }

    private mutating func walk(_ level: Level) throws(SystemError) {
        let names = try Files.names(level.layer)
        let known: [ByteString: CopyBaseline.Mark] =
            if case .copy(let baseline) = source { baseline.entries(of: level.path) } else { [:] }
        for name in names {
            let path = level.path.appending(name)
            if request.excluded.contains(path) { continue }
            let status = try Files.status(name, at: level.layer)
            var before: FileStatus?
            if let original = level.original { before = try Files.statusIfPresent(name, at: original) }
            try visit(
                Entry(path: path, name: name, status: status, level: level, before: before, mark: known[name]))
        }
        guard let original = level.original else { return }
        let present = Set(names)
        switch source {
        case .layer:
            guard level.isOpaque else { return }
            for name in try Files.names(original) where !present.contains(name) {
                try findings.delete(name, level.path.appending(name), at: original, depth: level.depth + 1)
            }
        case .copy:
            for name in known.keys where !present.contains(name) {
                try findings.delete(name, level.path.appending(name), at: original, depth: level.depth + 1)
            }
        }
    }

    private mutating func visit(_ entry: Entry) throws(SystemError) {
        guard entry.level.depth < ChangeScanner.depthLimit else { return findings.refuse(entry.path, .tooDeep) }
        if entry.status.kind != .directory, let mark = entry.mark, mark.isOf(entry.status) {
            findings.unchanged(entry)
            return
        }
        switch entry.status.kind {
        case .directory: try visitDirectory(entry)
        case .file:
            if try isUntouchedPlace(entry) { return }
            try findings.file(entry)
        case .link: try findings.link(entry)
        case .characterDevice where isWhiteout(entry.status): try findings.delete(entry)
        case .fifo, .characterDevice, .blockDevice: try findings.special(entry)
        case .socket: try findings.socket(entry)
        }
    }

    /// In a copy the same node is a device that the step made.
    private func isWhiteout(_ status: FileStatus) -> Bool {
        if case .layer = source { return status.deviceNumber == 0 }
        return false
    }

    private mutating func visitDirectory(_ entry: Entry) throws(SystemError) {
        let isPlace = entry.before == nil && request.heldPlaces[entry.path] == .emptyDirectory
        let recorded = findings.changes.count
        do throws(SystemError) {
            let folder = try PrivateObject(entry.name, entry.status, at: entry.level.layer)
            try enter(entry, folder.descriptor)
        } catch {
            guard error.errno == ErrorNumber.access else { throw error }
            findings.refuse(entry.path, .unreadable)
        }
        // ORDER: a held place is as it was made when nothing was recorded below it, which is known only now.
        if isPlace, findings.changes.count == recorded + 1 { findings.changes.removeLast() }
    }

    private mutating func enter(_ entry: Entry, _ folder: Int32) throws(SystemError) {
        let marks = try LayerMarks(of: folder, source)
        if marks.isForeign { throw Self.foreign(entry.path) }
        let isSame = entry.mark?.isOf(entry.status) ?? false
        if !isSame { try findings.directory(entry, marks) }
        var level = Level(
            path: entry.path, layer: folder, mode: entry.status.mode, depth: entry.level.depth + 1,
            // Below an opaque directory the overlay looks at no lower one, and marks no directory.
            isOpaque: marks.isOpaque || entry.level.isOpaque)
        guard let original = entry.level.original, entry.before?.kind == .directory else { return try walk(level) }
        let below = try Files.open(entry.name, [.read, .directory, .noFollow], at: original)
        level.original = below.rawValue
        try walk(level)
    }

    /// Whether this is a file that the supervisor made, and as it was made.
    private func isUntouchedPlace(_ entry: Entry) throws(SystemError) -> Bool {
        guard entry.before == nil, case .file(let content) = request.heldPlaces[entry.path],
            entry.status.size == UInt64(content.count)
        else { return false }
        let file = try PrivateObject(entry.name, entry.status, at: entry.level.layer)
        return try Files.readAll(file.descriptor, limit: content.count) == content
    }

    static func foreign(_ path: ByteString) -> SystemError {
        SystemError(
            "read the layer at", errno: ErrorNumber.notSupported, subject: path.description,
            hint: "mount the overlay with redirect_dir=nofollow and metacopy=off")
    }
}
