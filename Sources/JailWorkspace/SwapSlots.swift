internal import JailModel
internal import JailSystem

/// The directory of numbered slots, each of which holds what comes in before a swap and what went out after it.
enum SwapSlots {
    /// Decides where the slots are: in the undo directory when it is on the workspace's mount.
    ///
    /// renameat2(2) crosses neither mounts nor, on one mount, subvolumes; the latter differ in st_dev.
    static func place(_ context: PublishContext, runID: ByteString, nearWorkspace: Bool) throws(PublishError)
        -> SlotsPlace
    {
        if !nearWorkspace, try context.isOnMount(context.undo.rawValue) { return .undo }
        guard let name = ByteString(Array(".launch-jail-".utf8) + runID.bytes), name.isPlain,
            name.parent.bytes.isEmpty
        else { throw .refused(runID, "it cannot be a part of a file name") }
        return .workspace(name)
    }

    /// Makes the slots' directory.
    ///
    /// - Throws: ``PublishError/refused(_:_:)`` when the name is taken.
    static func make(_ place: SlotsPlace, _ context: PublishContext) throws(PublishError) -> WorkspaceTree {
        let (name, directory) = location(place, context)
        try context.faults(.makeSlots, name)
        do throws(SystemError) {
            try Files.makeDirectory(name, mode: 0o700, at: directory)
            try Files.sync(directory)
        } catch {
            if error.errno == 17 { throw .refused(name, "something of that name is there already") }
            throw .system(error)
        }
        guard let tree = try open(place, context) else { throw .damaged("the slots are gone") }
        return tree
    }

    /// Opens the slots' directory; `nil` when there is none of ours.
    static func open(_ place: SlotsPlace, _ context: PublishContext) throws(PublishError) -> WorkspaceTree? {
        let (name, directory) = location(place, context)
        return try open(name, at: directory)
    }

    /// Opens the directory of the undo objects.
    static func openUndo(_ context: PublishContext) throws(PublishError) -> WorkspaceTree? {
        try open(ByteString(Journal.slots), at: context.undo.rawValue)
    }

    private static func open(_ name: ByteString, at directory: Int32) throws(PublishError) -> WorkspaceTree? {
        do throws(SystemError) {
            let slots = try Files.open(name, [.read, .directory, .noFollow], at: directory)
            let status = try Files.status(slots.rawValue)
            guard status.uid == Files.userID, status.mode & 0o077 == 0 else { return nil }
            return WorkspaceTree(taking: slots)
        } catch {
            if error.isMissingPath { return nil }
            throw .system(error)
        }
    }

    /// Removes the slots' directory with everything in it; in the workspace also its trace, the time of the top.
    static func drop(_ place: SlotsPlace, topModified: Int64, _ context: PublishContext) throws(PublishError) {
        let (name, directory) = location(place, context)
        if try open(place, context) != nil { try remove(name, at: directory, context) }
        guard place != .undo else { return }
        try context.faults(.mark, "")
        try onDisk { () throws(SystemError) in
            try Files.setModified(context.workspace.descriptor, topModified)
            try Files.sync(context.workspace.descriptor)
        }
    }

    /// Removes the undo objects.
    static func dropUndo(_ context: PublishContext) throws(PublishError) {
        if try openUndo(context) != nil {
            try remove(ByteString(Journal.slots), at: context.undo.rawValue, context)
        }
    }

    private static func location(_ place: SlotsPlace, _ context: PublishContext) -> (ByteString, Int32) {
        switch place {
        case .undo: (ByteString(Journal.slots), context.undo.rawValue)
        case .workspace(let name): (name, context.workspace.descriptor)
        }
    }

    private static func remove(_ name: ByteString, at directory: Int32, _ context: PublishContext) throws(PublishError)
    {
        try context.faults(.dropSlots, name)
        try onDisk { () throws(SystemError) in
            try removeTree(name, at: directory, depth: 0)
            try Files.sync(directory)
        }
    }

    /// Removes a tree that is ours, whatever rights its directories have; a link is never followed.
    private static func removeTree(_ name: ByteString, at directory: Int32, depth: Int) throws(SystemError) {
        guard try Files.status(name, at: directory).kind == .directory else {
            return try Files.remove(name, at: directory)
        }
        guard depth < 900 else { throw SystemError("remove", errno: 40, subject: name.description) }
        try allowEverything(name, at: directory)
        let inner = try Files.open(name, [.read, .directory, .noFollow], at: directory)
        for entry in try Files.names(inner.rawValue) {
            try removeTree(entry, at: inner.rawValue, depth: depth + 1)
        }
        try Files.remove(name, isDirectory: true, at: directory)
    }

    private static func allowEverything(_ name: ByteString, at directory: Int32) throws(SystemError) {
        let status = try Files.status(name, at: directory)
        if status.mode & 0o700 != 0o700 { try Files.setModeOfItself(name, status.mode | 0o700, at: directory) }
    }

    /// The name of a swap's slot.
    static func name(_ index: Int) -> ByteString { ByteString(String(index)) }
}

extension Files {
    /// Sets the permission bits of a name that is no symbolic link, without ever following one.
    static func setModeOfItself(_ name: ByteString, _ mode: UInt32, at directory: Int32) throws(SystemError) {
        let file = try open(name, [.path, .noFollow], at: directory)
        guard try status(file.rawValue).kind != .link else { return }
        // The descriptor names exactly this object; fchmod(2) does not take an O_PATH one.
        try setMode("/proc/self/fd/\(file.rawValue)", mode, at: currentDirectory)
    }
}
