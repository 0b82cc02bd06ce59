internal import JailDigest
internal import JailModel
internal import JailSystem

/// Compares what stands at a path on both sides, and gathers what comes of it.
struct ChangeFindings {
    struct FileID: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    let source: ChangeWalk.Source
    let request: ScanRequest
    var changes: [ChangedPath] = []
    var refused: [RefusedObject] = []
    var conflicts: Set<ByteString> = []
    private var sockets: [ByteString] = []
    private var names: [FileID: [LinkGrouping.Member]] = [:]
    private var linkDigests: [FileID: SHA256Value] = [:]
    private var writes: UInt64 = 0
    private var isComplete = true
    private var left: UInt64
    private var reader = ContentReader()

    init(_ source: ChangeWalk.Source, _ request: ScanRequest) {
        self.source = source
        self.request = request
        left = request.readLimit ?? .max
    }

    // MARK: what stands in the layer

    /// A regular file of the layer.
    mutating func file(_ entry: ChangeWalk.Entry) throws(SystemError) {
        let status = entry.status
        let file: PrivateObject
        do throws(SystemError) {
            file = try PrivateObject(entry.name, status, at: entry.level.layer)
        } catch {
            guard error.errno == ErrorNumber.access else { throw error }
            return refuse(entry.path, .unreadable)
        }
        let marks = try LayerMarks(of: file.descriptor, source)
        if marks.isForeign { throw ChangeWalk.foreign(entry.path) }
        var after = state(status, request.owners)
        after.attributes = marks.attributes
        var before: ObjectState?
        var hadCapability = false
        if let old = entry.before, old.kind == .file, let directory = entry.level.original {
            (before, hadCapability) = try compare(
                file.descriptor, &after, marks, with: entry.name, old, entry.path, at: directory)
        } else {
            before = try originalBefore(entry)
            after.digest = try layerDigest(file.descriptor, status)
        }
        if marks.capability != nil, !hadCapability || before?.digest != after.digest {
            return refuse(entry.path, .fileCapability)
        }
        guard !ChangeClassifier.hasNewSetID(before: before, after: after, parentMode: entry.level.mode) else {
            return refuse(entry.path, .setID)
        }
        let kind = ChangeClassifier.kind(before: before, after: after)
        if status.links > 1 { note(entry, isChanged: kind != nil) }
        guard let kind else { return }
        try record(entry, kind, before, after, hasOrigin: marks.hasOrigin)
    }

    /// A file that is as it was when the copy was made.
    mutating func unchanged(_ entry: ChangeWalk.Entry) {
        if entry.status.kind == .file, entry.status.links > 1 { note(entry, isChanged: false) }
    }

    /// A symbolic link of the layer.
    mutating func link(_ entry: ChangeWalk.Entry) throws(SystemError) {
        var after = state(entry.status, request.owners)
        try fillLink(&after, entry.name, at: entry.level.layer)
        let before = try originalBefore(entry)
        guard let kind = ChangeClassifier.kind(before: before, after: after) else { return }
        try record(entry, kind, before, after, hasOrigin: false)
    }

    /// A directory of the layer, without its entries.
    mutating func directory(_ entry: ChangeWalk.Entry, _ marks: LayerMarks) throws(SystemError) {
        var after = state(entry.status, request.owners)
        after.attributes = marks.attributes
        let before = try originalBefore(entry)
        guard !ChangeClassifier.hasNewSetID(before: before, after: after, parentMode: entry.level.mode) else {
            return refuse(entry.path, .setID)
        }
        guard let kind = ChangeClassifier.kind(before: before, after: after) else { return }
        try record(entry, kind, before, after, hasOrigin: marks.hasOrigin)
    }

    /// A FIFO or a device node; one that stood there before and was only touched is nothing.
    mutating func special(_ entry: ChangeWalk.Entry) throws(SystemError) {
        if let before = entry.before, before.kind == entry.status.kind,
            before.deviceNumber == entry.status.deviceNumber,
            ChangeClassifier.kind(before: state(before), after: state(entry.status, request.owners)) == nil
        {
            return
        }
        refuse(entry.path, entry.status.kind == .fifo ? .fifo : .device)
    }

    /// A socket of the layer is nothing; what stood in its place is gone.
    mutating func socket(_ entry: ChangeWalk.Entry) throws(SystemError) {
        if entry.before?.kind == .socket { return }
        sockets.append(entry.path)
        try delete(entry)
    }

    mutating func refuse(_ path: ByteString, _ reason: RefusedObject.Reason) {
        refused.append(RefusedObject(path: path, reason: reason))
    }

    // MARK: what is gone

    /// What stood in the workspace in the place of an entry is gone.
    mutating func delete(_ entry: ChangeWalk.Entry) throws(SystemError) {
        guard let before = entry.before, let original = entry.level.original else { return }
        try delete(entry.name, before, entry.path, at: original, depth: entry.level.depth + 1)
    }

    /// A name of the workspace is gone, with everything below it; nothing when it is not there anyway.
    mutating func delete(
        _ name: ByteString, _ path: ByteString, at directory: Int32, depth: Int
    ) throws(SystemError) {
        guard !request.excluded.contains(path),
            let status = try Files.statusIfPresent(name, at: directory)
        else { return }
        try delete(name, status, path, at: directory, depth: depth)
    }

    private mutating func delete(
        _ name: ByteString, _ status: FileStatus, _ path: ByteString, at directory: Int32, depth: Int
    ) throws(SystemError) {
        guard depth <= ChangeScanner.depthLimit else { return refuse(path, .tooDeep) }
        let before = try original(name, status, path, at: directory)
        changes.append(ChangedPath(path: path, kind: .deleted, before: before, after: nil))
        judgeFence(path, status)
        if status.kind == .directory { try deleteContents(name, path, at: directory, depth: depth) }
    }

    private mutating func deleteContents(
        _ name: ByteString, _ path: ByteString, at directory: Int32, depth: Int
    ) throws(SystemError) {
        do throws(SystemError) {
            let folder = try Files.open(name, [.read, .directory, .noFollow], at: directory)
            for entry in try Files.names(folder.rawValue) {
                try delete(entry, path.appending(entry), at: folder.rawValue, depth: depth + 1)
            }
        } catch {
            // It may not be listed, or nothing in it may be looked up.
            guard error.errno == ErrorNumber.access else { throw error }
            refuse(path, .unreadable)
        }
    }

    // MARK: the result

    private mutating func record(
        _ entry: ChangeWalk.Entry, _ kind: ChangeKind, _ before: ObjectState?, _ after: ObjectState, hasOrigin: Bool
    ) throws(SystemError) {
        changes.append(ChangedPath(path: entry.path, kind: kind, before: before, after: after))
        let isWrite = after.kind != .directory && kind != .mode
        if isWrite, entry.status.changed > request.since ?? .min { writes += 1 }
        if let old = entry.before {
            judgeFence(entry.path, old)
        } else if let fence = request.fence, let directory = entry.level.original,
            // Something that was there when the step began, and is not any more, was deleted by somebody else. An
            // origin alone does not tell: a file that the step moved here has one too.
            entry.mark != nil || hasOrigin, try Files.status(directory).modified > fence
        {
            conflicts.insert(entry.path)
        }
        if let directory = entry.level.original, before?.kind == .directory, after.kind != .directory {
            try deleteContents(entry.name, entry.path, at: directory, depth: entry.level.depth + 1)
        }
    }

    private mutating func judgeFence(_ path: ByteString, _ status: FileStatus) {
        if let fence = request.fence, status.changed > fence { conflicts.insert(path) }
    }

    private mutating func note(_ entry: ChangeWalk.Entry, isChanged: Bool) {
        let id = FileID(device: entry.status.device, inode: entry.status.inode)
        names[id, default: []].append(
            LinkGrouping.Member(path: entry.path, wasThere: entry.before?.kind == .file, isChanged: isChanged))
    }

    consuming func finish() -> ScanResult {
        var links: [ByteString: ByteString] = [:]
        for members in names.values {
            links.merge(LinkGrouping.links(members)) { first, _ in first }
        }
        if !links.isEmpty {
            for index in changes.indices { changes[index].linkedTo = links[changes[index].path] }
        }
        var notes = sockets.sorted().prefix(20).map { "The socket \($0) is left out." }
        if sockets.count > 20 { notes.append("\(sockets.count - 20) more sockets are left out.") }
        return ScanResult(
            changes: ChangeSet(
                paths: RenamePairing.pair(changes).sorted { $0.path < $1.path },
                refused: refused.sorted { $0.path < $1.path }, conflicts: conflicts.sorted(), notes: notes),
            writes: writes, isComplete: isComplete)
    }

    // MARK: states

    private func state(_ status: FileStatus, _ owners: OwnerMap = .identity) -> ObjectState {
        ObjectState(
            kind: ObjectReader.kind(status), mode: status.mode, uid: owners.uid(status.uid),
            gid: owners.gid(status.gid), modified: status.modified, size: status.kind == .file ? status.size : 0)
    }

    private func fillLink(_ state: inout ObjectState, _ name: ByteString, at directory: Int32) throws(SystemError) {
        let text = try Files.readLink(name, at: directory)
        state.size = UInt64(text.bytes.count)
        state.digest = SHA256Value.of(text.bytes)
    }

    private mutating func originalBefore(_ entry: ChangeWalk.Entry) throws(SystemError) -> ObjectState? {
        guard let before = entry.before, let directory = entry.level.original else { return nil }
        return try original(entry.name, before, entry.path, at: directory)
    }

    /// The state of an object of the workspace with its digest.
    private mutating func original(
        _ name: ByteString, _ status: FileStatus, _ path: ByteString, at directory: Int32
    ) throws(SystemError) -> ObjectState {
        var out = state(status)
        switch status.kind {
        case .link: try fillLink(&out, name, at: directory)
        case .file:
            guard let file = try openOriginal(name, path, at: directory) else { break }
            out.attributes = try ObjectReader.attributes(file.rawValue)
            out.digest = try reader.digest(file.rawValue)
        case .directory:
            // A directory that may not be listed has no attributes that we could compare; its mode tells enough.
            guard let folder = try? Files.open(name, [.read, .directory, .noFollow], at: directory) else { break }
            out.attributes = try ObjectReader.attributes(folder.rawValue)
        case .fifo, .socket, .characterDevice, .blockDevice: break
        }
        return out
    }

    /// `nil` for what its owner may not read, and for what is another object meanwhile, which is a conflict.
    private mutating func openOriginal(
        _ name: ByteString, _ path: ByteString, at directory: Int32
    ) throws(SystemError) -> OwnedFD? {
        do throws(SystemError) {
            return try Files.open(name, [.read, .noFollow, .nonBlocking], at: directory)
        } catch {
            if error.errno == ErrorNumber.access { return nil }
            guard error.errno == ErrorNumber.noEntry || error.errno == ErrorNumber.tooManyLinks else { throw error }
            conflicts.insert(path)
            return nil
        }
    }

    /// Fills the digest of the layer's file and gives the state of the workspace's, and whether that has the same
    /// file capability.
    private mutating func compare(
        _ file: Int32, _ after: inout ObjectState, _ marks: LayerMarks, with name: ByteString, _ status: FileStatus,
        _ path: ByteString, at directory: Int32
    ) throws(SystemError) -> (ObjectState, hasCapability: Bool) {
        var before = state(status)
        guard let original = try openOriginal(name, path, at: directory) else {
            after.digest = try limitedDigest(file, after.size)
            return (before, false)
        }
        let old = try LayerMarks(of: original.rawValue, source)
        before.attributes = old.attributes
        if before.size == after.size {
            (after.digest, before.digest) = try reader.digests(file, original.rawValue)
        } else {
            after.digest = try limitedDigest(file, after.size)
            before.digest = try reader.digest(original.rawValue)
        }
        return (before, old.capability != nil && old.capability == marks.capability)
    }

    /// The digest of a new file; several names of one are read once.
    private mutating func layerDigest(_ file: Int32, _ status: FileStatus) throws(SystemError) -> SHA256Value? {
        if status.links < 2 { return try limitedDigest(file, status.size) }
        let id = FileID(device: status.device, inode: status.inode)
        if let known = linkDigests[id] { return known }
        let digest = try limitedDigest(file, status.size)
        linkDigests[id] = digest
        return digest
    }

    private mutating func limitedDigest(_ file: Int32, _ size: UInt64) throws(SystemError) -> SHA256Value? {
        guard size <= left else {
            isComplete = false
            return nil
        }
        left -= size
        return try reader.digest(file)
    }
}
