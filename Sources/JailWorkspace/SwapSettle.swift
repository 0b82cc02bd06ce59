internal import JailModel
internal import JailSystem

extension SwapRunner {
    /// Renaming in a directory, and renaming a directory itself, need its owner's write permission.
    private static let write: UInt32 = 0o200

    /// Lets names be changed in directories that their owner may not write, until ``settle()``.
    func unlock() throws(PublishError) {
        for settle in plan.settles where (settle.mode.from & settle.mode.to) & Self.write == 0 {
            try context.faults(.unlock, settle.path)
            try onDisk { () throws(SystemError) in
                guard let directory = try open(settle) else { return }
                let mode = try Files.status(directory.rawValue).mode
                if mode & Self.write == 0 { try Files.setMode(directory.rawValue, mode | Self.write) }
            }
        }
    }

    /// Lets a directory be moved that its owner may not write.
    func unlock(_ swap: Swap, _ index: Int, _ name: ByteString, at directory: Int32) throws(SystemError) {
        try setMode(swap, origin, name, at: directory, isUnlocked: true)
        try setMode(swap, target, SwapSlots.name(index), at: slots.descriptor, isUnlocked: true)
    }

    /// Takes that back when they have changed places.
    func lock(_ swap: Swap, _ index: Int, _ name: ByteString, at directory: Int32) throws(SystemError) {
        try setMode(swap, target, name, at: directory, isUnlocked: false)
        try setMode(swap, origin, SwapSlots.name(index), at: slots.descriptor, isUnlocked: false)
    }

    private func setMode(
        _ swap: Swap, _ side: UndoSide, _ name: ByteString, at directory: Int32, isUnlocked: Bool
    ) throws(SystemError) {
        guard let state = manifest.entries[swap.entries.lowerBound].state(side), state.kind == .directory,
            state.mode & Self.write == 0, let status = try Files.statusIfPresent(name, at: directory),
            status.kind == .directory
        else { return }
        let mode = isUnlocked ? state.mode | Self.write : state.mode
        if status.mode != mode { try Files.setModeOfItself(name, mode, at: directory) }
    }

    /// Sets the marks that change in place and the times of touched directories.
    func settle() throws(PublishError) {
        // ORDER: what lies deeper first, since a new mode may close a directory to us; the time of a directory comes
        // after its marks.
        var marks: [(path: ByteString, slot: Int)] = []
        for (slot, swap) in manifest.swaps.enumerated() where swap.kind == .meta { marks.append((swap.path, slot)) }
        var settles = plan.settles[...]
        while let next = [marks.last?.path, settles.last?.path].compactMap({ $0 }).max(by: { $0.precedesInTree($1) }) {
            if let mark = marks.last, mark.path == next {
                marks.removeLast()
                try self.mark(manifest.swaps[mark.slot], mark.slot)
            } else if let settle = settles.popLast() {
                try self.settle(settle)
            }
        }
    }

    private func settle(_ settle: JournalPlan.Settle) throws(PublishError) {
        let mode = isUndoing ? settle.mode.from : settle.mode.to
        let modified = isUndoing ? settle.modified.from : settle.modified.to
        try context.faults(.mark, settle.path)
        try onDisk { () throws(SystemError) in
            guard let directory = try open(settle) else { return }
            let status = try Files.status(directory.rawValue)
            if mode & Self.write == 0, status.mode != mode { try Files.setMode(directory.rawValue, mode) }
            if status.modified != modified { try Files.setModified(directory.rawValue, modified) }
        }
    }

    /// `nil` when the directory is not there any more: then its marks are nobody's.
    private func open(_ settle: JournalPlan.Settle) throws(SystemError) -> OwnedFD? {
        do throws(SystemError) {
            let directory = try context.workspace.openDirectory(settle.path.bytes[...])
            guard try Files.status(directory.rawValue).inode == settle.inode else { return nil }
            return directory
        } catch {
            if error.isMissingPath { return nil }
            throw error
        }
    }

    /// Gives one path the marks of the target side, when it is still the same object with the same content.
    private func mark(_ swap: Swap, _ slot: Int) throws(PublishError) {
        let index = swap.entries.lowerBound
        let entry = manifest.entries[index]
        guard let state = entry.state(target), let old = entry.state(origin) else { return }
        try context.faults(.mark, swap.path)
        do throws(SystemError) {
            let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
            let status = try Files.status(name, at: directory)
            guard status.inode == plan.steps[slot].here, old.isSameContent(status) || state.isSameContent(status) else {
                throw SystemError("mark", errno: 2)
            }
            if status.uid != state.uid || status.gid != state.gid {
                try Files.changeOwner(name, uid: state.uid, gid: state.gid, at: directory)
            }
            if let change = manifest.marks[index] {
                try setAttributes(target == .before ? change.before : change.after, name, at: directory)
            }
            // ORDER: a new owner takes mode bits away, an access list sets them, and the time comes last.
            if state.kind != .link { try Files.setModeOfItself(name, state.mode, at: directory) }
            if state.kind != .directory { try Files.setModified(name, state.modified, at: directory) }
        } catch {
            guard error.isMissingPath else { throw .system(error) }
            // When the work is taken up again the marks may have been set before, and the file changed since.
            if !isResumed, !isUndoing { throw .conflict([swap.path]) }
        }
    }

    private func setAttributes(
        _ wanted: [UndoManifest.Attribute], _ name: ByteString, at directory: Int32
    ) throws(SystemError) {
        let file = try Files.open(name, [.read, .noFollow, .nonBlocking], at: directory)
        for (name, _) in try ExtendedAttributes.all(of: file.rawValue)
        where ObjectReader.isCarried(name) && !wanted.contains(where: { $0.name == name }) {
            try ExtendedAttributes.remove(name, file.rawValue)
        }
        for attribute in wanted { try ExtendedAttributes.set(attribute.name, attribute.value, file.rawValue) }
    }

    /// Waits until everything that was swapped or marked is on disk.
    func sync() throws(PublishError) {
        try context.faults(.syncSwaps, "")
        let marks = manifest.swaps.filter { $0.kind == .meta }
        do throws(SystemError) {
            guard plan.settles.count + marks.count < PublishSync.single else {
                return try Files.syncFilesystem(context.workspace.descriptor)
            }
            try Files.sync(slots.descriptor)
            for settle in plan.settles {
                if let directory = try open(settle) { try Files.sync(directory.rawValue) }
            }
            for swap in marks {
                let (directory, name, _) = try parents.open(swap.path, in: context.workspace)
                guard let status = try Files.statusIfPresent(name, at: directory), status.kind == .file else {
                    continue
                }
                let file = try Files.open(name, [.read, .noFollow, .nonBlocking], at: directory)
                try Files.sync(file.rawValue)
            }
        } catch {
            guard error.isForbidden || error.isMissingPath else { throw .system(error) }
            try onDisk { () throws(SystemError) in try Files.syncFilesystem(context.workspace.descriptor) }
        }
    }
}

extension ObjectState {
    /// Whether size and time are these, which tell that a content was not written to.
    fileprivate func isSameContent(_ status: FileStatus) -> Bool {
        guard kind == ObjectReader.kind(status) else { return false }
        return kind == .directory || size == status.size && modified == status.modified
    }
}
