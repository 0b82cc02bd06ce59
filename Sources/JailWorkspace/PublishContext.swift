internal import JailModel
internal import JailSystem

/// What every part of a commit or a rollback works on, opened once.
final class PublishContext {
    let workspace: WorkspaceTree
    let undo: OwnedFD
    let faults: FaultPoint
    /// The workspace's top as it was when the work began.
    let top: FileStatus
    /// The mount that the workspace is on; `nil` where the kernel does not tell.
    let mount: UInt64?

    init(_ workspace: borrowing WorkspaceTree, undo: Int32, _ faults: FaultPoint) throws(PublishError) {
        do throws(SystemError) {
            self.workspace = WorkspaceTree(taking: try workspace.openDirectory([]))
            self.undo = try Files.open(".", [.read, .directory], at: undo)
            top = try Files.status(workspace.descriptor)
        } catch {
            throw .system(error)
        }
        mount = Files.mountID(workspace.descriptor)
        self.faults = faults
    }

    /// Whether an object with this status, of this name in an open directory, can be renamed from and to the workspace.
    ///
    /// A file of an overlay may show the device of its layer, so for files only the mount counts where it is known.
    func isOnMount(_ status: FileStatus, _ name: ByteString, at directory: Int32) -> Bool {
        if mount == nil || status.kind == .directory, status.device != top.device { return false }
        return mount == nil || Files.mountID(name, at: directory) == mount
    }

    /// The same of an open directory.
    func isOnMount(_ directory: Int32) throws(PublishError) -> Bool {
        try onDisk { () throws(SystemError) in
            try Files.status(directory).device == top.device && (mount == nil || Files.mountID(directory) == mount)
        }
    }
}

/// Opens the directory that a path lies in, and keeps it open for the next path of the same directory.
///
/// One is for one tree.
final class PublishParents {
    private var path: ByteString?
    private var directory: Handle?

    private final class Handle {
        let descriptor: OwnedFD
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    /// Tells the open parent and the path's last name; the descriptor holds until the next call.
    ///
    /// - Throws: ELOOP or EXDEV where a symbolic link or a `..` is on the way, ENOENT or ENOTDIR where there is no way.
    func open(
        _ path: ByteString, in tree: borrowing WorkspaceTree
    ) throws(SystemError) -> (directory: Int32, name: ByteString, isNew: Bool) {
        let parent = path.parent
        let start = parent.bytes.isEmpty ? 0 : parent.bytes.count + 1
        guard let name = ByteString(path.bytes[start...]) else { preconditionFailure("a path holds no NUL") }
        if let directory, self.path == parent { return (directory.descriptor.rawValue, name, false) }
        let opened = Handle(try tree.openDirectory(parent.bytes[...]))
        directory = opened
        self.path = parent
        return (opened.descriptor.rawValue, name, true)
    }

    /// Forgets the open directory, when directories may have been moved.
    func forget() { directory = nil }
}

extension SystemError {
    /// Whether a lookup failed because the path does not lead where it did: ENOENT, ENOTDIR, ELOOP, or EXDEV, which
    /// `openat2` gives for a path that would leave the tree.
    var isMissingPath: Bool { [2, 20, 40, 18].contains(errno) }

    /// EXDEV.
    var isCrossing: Bool { errno == 18 }

    /// ENOSPC or EDQUOT.
    var isFull: Bool { errno == 28 || errno == 122 }

    /// EACCES or EPERM.
    var isForbidden: Bool { errno == 13 || errno == 1 }
}
