internal import JailModel
internal import JailSystem

/// Copies one side of the swaps' objects to numbered slots, and proves that each copy is what is recorded.
///
/// Only recorded names are copied: what else the source holds (marks of its layer, excluded paths) stays there.
struct PublishStager {
    let entries: [UndoEntry]
    let swaps: [Swap]
    let side: UndoSide
    let owners: OwnerMap
    let context: PublishContext
    /// What a step of copying is called.
    let step: PublishStep.Kind
    private let from = PublishParents()
    private let to = PublishParents()

    init(
        _ entries: [UndoEntry], _ swaps: [Swap], _ side: UndoSide, owners: OwnerMap, step: PublishStep.Kind,
        _ context: PublishContext
    ) {
        self.entries = entries
        self.swaps = swaps
        self.side = side
        self.owners = owners
        self.step = step
        self.context = context
    }

    /// Copies to the slots from a tree where each object has its own path, or lies in a slot as well.
    ///
    /// - Throws: ``PublishError/contentChanged(_:)`` when a copy is not as recorded.
    func run(from source: borrowing WorkspaceTree, isSlots: Bool, to slots: borrowing WorkspaceTree)
        throws(PublishError)
    {
        var changed: [ByteString] = []
        for (index, swap) in swaps.enumerated() where swap.kind != .meta {
            for entry in entries[swap.entries] where entry.state(side) != nil && !isLink(entry) {
                try context.faults(step, entry.path)
                let target = entry.path.moved(from: swap.path, to: SwapSlots.name(index))
                do throws(SystemError) {
                    if try !copy(entry, isSlots ? target : entry.path, in: source, to: target, in: slots) {
                        changed.append(entry.path)
                    }
                } catch {
                    guard error.isMissingPath else { throw .system(error) }
                    changed.append(entry.path)
                }
            }
        }
        guard changed.isEmpty else { throw .contentChanged(changed) }
        if side == .after { try makeLinks(in: slots) }
        try finishDirectories(in: slots)
    }

    private func isLink(_ entry: UndoEntry) -> Bool { side == .after && entry.linkedTo != nil }

    /// Whether the copy is as recorded; a directory is told by ``finishDirectories(in:)``.
    private func copy(
        _ entry: UndoEntry, _ path: ByteString, in source: borrowing WorkspaceTree, to target: ByteString,
        in slots: borrowing WorkspaceTree
    ) throws(SystemError) -> Bool {
        guard let expected = entry.state(side) else { return true }
        let (here, name, _) = try from.open(path, in: source)
        let (there, newName, _) = try to.open(target, in: slots)
        guard ObjectReader.kind(try Files.status(name, at: here)) == expected.kind else { return false }
        try ObjectCopier.copy(
            name, at: here, to: newName, at: there, owners: owners, isPrivateSource: step == .stage)
        if expected.kind == .directory {
            // Until its entries are there.
            if expected.mode & 0o700 != 0o700 { try Files.setModeOfItself(newName, 0o700, at: there) }
            return true
        }
        return try Self.isCopy(newName, at: there, of: expected)
    }

    /// Reads a copied file or link back; the mode is the recorded one, which a private layer may not have.
    private static func isCopy(
        _ name: ByteString, at directory: Int32, of expected: ObjectState
    ) throws(SystemError) -> Bool {
        guard var state = try ObjectReader.state(name, at: directory) else { return false }
        if state.kind == .file, state.digest == nil, expected.digest != nil {
            // A mode without read permission keeps an ordinary user out of the own copy.
            try Files.setModeOfItself(name, 0o600, at: directory)
            guard let readable = try ObjectReader.state(name, at: directory) else { return false }
            state = readable
        }
        if state.kind == .file, state.mode != expected.mode {
            try Files.setModeOfItself(name, expected.mode, at: directory)
            state.mode = expected.mode
        }
        if expected.digest == nil { state.digest = nil }
        return state == expected
    }

    /// Makes the second names of files: of a staged one, or of one that stays in the workspace.
    private func makeLinks(in slots: borrowing WorkspaceTree) throws(PublishError) {
        guard entries.contains(where: { $0.linkedTo != nil }) else { return }
        var staged: [ByteString: ByteString] = [:]
        for (index, swap) in swaps.enumerated() where swap.kind != .meta {
            for entry in entries[swap.entries] where entry.after != nil && entry.linkedTo == nil {
                staged[entry.path] = entry.path.moved(from: swap.path, to: SwapSlots.name(index))
            }
        }
        let affected = Set(entries.map(\.path))
        for (index, swap) in swaps.enumerated() where swap.kind != .meta {
            for entry in entries[swap.entries] {
                guard let target = entry.linkedTo, let expected = entry.after else { continue }
                guard staged[target] != nil || !affected.contains(target) else {
                    throw .refused(entry.path, "what it is a hard link to does not stay")
                }
                try context.faults(step, entry.path)
                let place = entry.path.moved(from: swap.path, to: SwapSlots.name(index))
                if let source = staged[target] {
                    try link(target, at: source, in: slots, to: place, in: slots, expected)
                } else {
                    try link(target, at: target, in: context.workspace, to: place, in: slots, expected)
                }
            }
        }
    }

    private func link(
        _ target: ByteString, at path: ByteString, in source: borrowing WorkspaceTree, to place: ByteString,
        in slots: borrowing WorkspaceTree, _ expected: ObjectState
    ) throws(PublishError) {
        do throws(SystemError) {
            // Of its own: the kept one belongs to the tree that is copied from.
            let parents = PublishParents()
            let (here, name, _) = try parents.open(path, in: source)
            let (there, newName, _) = try to.open(place, in: slots)
            try Files.link(name, at: here, to: newName, at: there)
            guard let state = try ObjectReader.state(newName, at: there),
                expected.matches(try Files.status(newName, at: there), withDirectoryTimes: true),
                expected.matches(state)
            else { throw SystemError("link", errno: 2) }
        } catch {
            guard error.isMissingPath else { throw .system(error) }
            throw .conflict([target])
        }
    }

    /// Gives directories their mode and time, now that nothing more comes into them.
    private func finishDirectories(in slots: borrowing WorkspaceTree) throws(PublishError) {
        var changed: [ByteString] = []
        for (index, swap) in swaps.enumerated() where swap.kind != .meta {
            for entry in entries[swap.entries].reversed() {
                guard let expected = entry.state(side), expected.kind == .directory else { continue }
                let place = entry.path.moved(from: swap.path, to: SwapSlots.name(index))
                try context.faults(.finish, entry.path)
                let isAsRecorded = try onDisk { () throws(SystemError) in
                    let (directory, name, _) = try to.open(place, in: slots)
                    let found = try ObjectReader.state(name, at: directory)
                    try Files.setModeOfItself(name, expected.mode, at: directory)
                    try Files.setModified(name, expected.modified, at: directory)
                    let status = try Files.status(name, at: directory)
                    return expected.matches(status, withDirectoryTimes: true)
                        && found?.attributes == expected.attributes
                }
                if !isAsRecorded { changed.append(entry.path) }
            }
        }
        guard changed.isEmpty else { throw .contentChanged(changed) }
    }

    /// How many bytes the copies take.
    var bytes: UInt64 {
        swaps.lazy.filter { $0.kind != .meta }.flatMap { entries[$0.entries] }.reduce(0) { sum, entry in
            guard let state = entry.state(side), state.kind == .file, !isLink(entry) else { return sum }
            return sum &+ state.size
        }
    }

    /// Waits until the copies are on disk: each by itself when they are few, else the file system as a whole.
    func sync(_ slots: borrowing WorkspaceTree) throws(PublishError) {
        try context.faults(.syncStaged, "")
        let count = swaps.lazy.filter { $0.kind != .meta }.reduce(0) { $0 + $1.entries.count }
        do throws(SystemError) {
            guard count <= PublishSync.single else { return try Files.syncFilesystem(slots.descriptor) }
            for (index, swap) in swaps.enumerated() where swap.kind != .meta {
                for entry in entries[swap.entries] {
                    guard let state = entry.state(side), state.kind != .link else { continue }
                    let place = entry.path.moved(from: swap.path, to: SwapSlots.name(index))
                    let (directory, name, _) = try to.open(place, in: slots)
                    let file = try Files.open(name, [.read, .noFollow, .nonBlocking], at: directory)
                    try Files.sync(file.rawValue)
                }
            }
            try Files.sync(slots.descriptor)
        } catch {
            // What its owner may not read cannot be opened for one fsync.
            guard error.isForbidden else { throw .system(error) }
            try onDisk { () throws(SystemError) in try Files.syncFilesystem(slots.descriptor) }
        }
    }
}

/// When files are written to disk one by one, and when the whole file system is.
enum PublishSync {
    /// Up to so many an fsync each is faster than one syncfs, which also waits for other writers.
    static let single = 64
}
