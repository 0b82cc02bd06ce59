public import JailModel
public import JailSystem

/// A whole copy of a workspace for a step, where no overlay can be mounted.
///
/// Blocks are shared where the file system can, so that the cost is in the number of files.
public enum PrivateCopy {
    /// What came of a copy.
    public struct Result: Sendable {
        public var baseline: CopyBaseline
        /// What is not in the copy, a sentence each.
        public var notes: [String]
    }

    /// Copies everything below the top of a workspace into an empty directory.
    ///
    /// Holes, times, links to files of the tree and symbolic links are kept. FIFOs, sockets and device nodes are left
    /// out, as is what we may not read; a scan does not take that for deleted. On return the clock has passed the
    /// ctime of everything, so that no later change can hide in the same tick.
    /// - Parameters:
    ///   - target: An empty directory outside of the workspace, or in `excluded`.
    ///   - owners: The ids of the workspace to those of the jail.
    /// - Throws: ELOOP for a tree that is deeper than ``ChangeScanner/depthLimit``, EPERM for a file whose owner the
    ///   copy cannot be given, ENOSPC. What was copied until then is the caller's to remove.
    public static func make(
        of lower: borrowing WorkspaceTree, in target: Int32, excluded: [ByteString] = [],
        owners: OwnerMap = .identity
    ) throws(SystemError) -> Result {
        let top = try Files.open(".", [.read, .directory, .noFollow], at: target)
        var copy = Copy(target: WorkspaceTree(taking: top), excluded: Set(excluded), owners: owners)
        try copy.entries(of: "", from: lower.descriptor, to: target, depth: 0)
        let baseline = try CopyBaseline.read(target)
        _ = ChangeFence.take()
        return Result(baseline: baseline, notes: copy.notes)
    }

    private struct Copy: ~Copyable {
        let target: WorkspaceTree
        let excluded: Set<ByteString>
        let owners: OwnerMap
        var notes: [String] = []
        /// The first copied name of each file that has several.
        private var first: [ChangeFindings.FileID: ByteString] = [:]

        init(target: consuming WorkspaceTree, excluded: Set<ByteString>, owners: OwnerMap) {
            self.target = target
            self.excluded = excluded
            self.owners = owners
        }

        mutating func entries(of path: ByteString, from: Int32, to: Int32, depth: Int) throws(SystemError) {
            for name in try Files.names(from) {
                let entry = path.appending(name)
                if excluded.contains(entry) { continue }
                guard depth < ChangeScanner.depthLimit else {
                    throw SystemError(
                        "copy", errno: ErrorNumber.tooManyLinks, subject: entry.description,
                        hint: "a workspace may be \(ChangeScanner.depthLimit) directories deep")
                }
                try copy(name, entry, from, to, depth)
            }
        }

        private mutating func copy(
            _ name: ByteString, _ path: ByteString, _ from: Int32, _ to: Int32, _ depth: Int
        ) throws(SystemError) {
            let status = try Files.status(name, at: from)
            switch status.kind {
            case .fifo, .socket, .characterDevice, .blockDevice:
                notes.append("\(path) is no file, directory or link; the step does not see it.")
            case .directory: try directory(name, path, status, from, to, depth)
            case .link: try ObjectCopier.copy(name, at: from, to: name, at: to, owners: owners)
            case .file:
                let id = ChangeFindings.FileID(device: status.device, inode: status.inode)
                if status.links > 1, let known = first[id] {
                    let other = try target.openParent(of: known)
                    try Files.link(other.name, at: other.directory.rawValue, to: name, at: to)
                    return
                }
                guard try isCopied(name, path, from, to) else { return }
                if status.links > 1 { first[id] = path }
            }
        }

        private mutating func directory(
            _ name: ByteString, _ path: ByteString, _ status: FileStatus, _ from: Int32, _ to: Int32, _ depth: Int
        ) throws(SystemError) {
            guard try isSearchable(name, at: from) else { return leaveOut(path) }
            guard try isCopied(name, path, from, to) else { return }
            let inner = try Files.open(name, [.read, .directory, .noFollow], at: from)
            // ORDER: a directory that its mode closes to us gets that mode, and every one its time, after its entries.
            try Files.setMode(name, 0o700, at: to)
            let copy = try Files.open(name, [.read, .directory, .noFollow], at: to)
            try entries(of: path, from: inner.rawValue, to: copy.rawValue, depth: depth + 1)
            try Files.setMode(copy.rawValue, status.mode & 0o3777)
            try Files.setModified(copy.rawValue, status.modified)
        }

        /// `false`, and a note, for what we may not read.
        private mutating func isCopied(
            _ name: ByteString, _ path: ByteString, _ from: Int32, _ to: Int32
        ) throws(SystemError) -> Bool {
            do throws(SystemError) {
                try ObjectCopier.copy(name, at: from, to: name, at: to, owners: owners)
                return true
            } catch {
                guard error.errno == ErrorNumber.access else { throw error }
            }
            if let made = try Files.statusIfPresent(name, at: to) {
                try Files.remove(name, isDirectory: made.kind == .directory, at: to)
            }
            leaveOut(path)
            return false
        }

        private mutating func leaveOut(_ path: ByteString) {
            notes.append("\(path) cannot be read; the step does not see it.")
        }

        /// Whether names in a directory can be looked up, which is another right than to list them.
        private func isSearchable(_ name: ByteString, at directory: Int32) throws(SystemError) -> Bool {
            do throws(SystemError) {
                let folder = try Files.open(name, [.path, .directory, .noFollow], at: directory)
                _ = try Files.status(".", at: folder.rawValue)
                return true
            } catch {
                guard error.errno == ErrorNumber.access else { throw error }
                return false
            }
        }
    }
}
