public import JailModel
public import JailSystem

/// Keeps the upper layer of an overlay on disk, so that a later step can go on with it and a later commit reads it.
public enum UpperArchive {
    /// Writes a layer as an upper directory that an overlay can be mounted with.
    ///
    /// Content with holes, modes, owners, times, links, whiteouts and the overlay's own marks are kept. Left out is what
    /// can never be published: FIFOs, sockets, device nodes, file capabilities, and the set-id bits of files.
    /// - Parameters:
    ///   - upper: The layer; nobody writes it any more.
    ///   - targetDirectory: An empty directory of ours; it becomes the top of the upper directory.
    /// - Returns: What was left out, sorted by path.
    /// - Throws: EPERM where the kernel makes no whiteouts for us (before Linux 5.8), EOPNOTSUPP where the file system
    ///   keeps no `user.*` attributes, ENOSPC. What was written until then is the caller's to remove.
    @discardableResult
    public static func save(
        _ upper: borrowing WorkspaceTree, to targetDirectory: Int32, marks: OverlayMarks
    ) throws(SystemError) -> [RefusedObject] {
        let top = try Files.open(".", [.read, .directory, .noFollow], at: targetDirectory)
        var save = Save(target: WorkspaceTree(taking: top), prefix: Array(marks.prefix.utf8))
        let status = try Files.status(upper.descriptor)
        try save.entries(of: "", from: upper.descriptor, to: targetDirectory, depth: 0)
        try save.marks(from: upper.descriptor, to: targetDirectory)
        try Files.setMode(targetDirectory, status.mode)
        try Files.setModified(targetDirectory, status.modified)
        return save.left.sorted { $0.path < $1.path }
    }

    private struct Save: ~Copyable {
        let target: WorkspaceTree
        let prefix: [UInt8]
        var left: [RefusedObject] = []
        private var first: [ChangeFindings.FileID: ByteString] = [:]

        init(target: consuming WorkspaceTree, prefix: [UInt8]) {
            self.target = target
            self.prefix = prefix
        }

        mutating func entries(of path: ByteString, from: Int32, to: Int32, depth: Int) throws(SystemError) {
            for name in try Files.names(from) {
                let entry = path.appending(name)
                guard depth < ChangeScanner.depthLimit else {
                    left.append(RefusedObject(path: entry, reason: .tooDeep))
                    continue
                }
                try save(name, entry, from, to, depth)
            }
        }

        private mutating func save(
            _ name: ByteString, _ path: ByteString, _ from: Int32, _ to: Int32, _ depth: Int
        ) throws(SystemError) {
            let status = try Files.status(name, at: from)
            switch status.kind {
            case .characterDevice where status.deviceNumber == 0: try Files.makeWhiteout(name, at: to)
            case .characterDevice, .blockDevice: left.append(RefusedObject(path: path, reason: .device))
            case .fifo: left.append(RefusedObject(path: path, reason: .fifo))
            case .socket: break
            case .link: try ObjectCopier.copy(name, at: from, to: name, at: to)
            case .file: try file(name, path, status, from, to)
            case .directory:
                try Files.makeDirectory(name, mode: 0o700, at: to)
                let copy = try Files.open(name, [.read, .directory, .noFollow], at: to)
                let inner = try PrivateObject(name, status, at: from)
                try entries(of: path, from: inner.descriptor, to: copy.rawValue, depth: depth + 1)
                try ObjectCopier.copyAttributes(from: inner.descriptor, to: copy.rawValue)
                try marks(from: inner.descriptor, to: copy.rawValue)
                // ORDER: entries set the time, and a new owner clears bits.
                let made = try Files.status(copy.rawValue)
                if made.uid != status.uid || made.gid != status.gid {
                    try Files.setOwner(copy.rawValue, uid: status.uid, gid: status.gid)
                }
                try Files.setMode(copy.rawValue, status.mode)
                try Files.setModified(copy.rawValue, status.modified)
            }
        }

        private mutating func file(
            _ name: ByteString, _ path: ByteString, _ status: FileStatus, _ from: Int32, _ to: Int32
        ) throws(SystemError) {
            let id = ChangeFindings.FileID(device: status.device, inode: status.inode)
            if status.links > 1, let known = first[id] {
                let other = try target.openParent(of: known)
                return try Files.link(other.name, at: other.directory.rawValue, to: name, at: to)
            }
            let source = try PrivateObject(name, status, at: from)
            if try ExtendedAttributes.value(of: "security.capability", source.descriptor) != nil {
                left.append(RefusedObject(path: path, reason: .fileCapability))
            }
            if status.mode & 0o6000 != 0 { left.append(RefusedObject(path: path, reason: .setID)) }
            try ObjectCopier.copy(name, at: from, to: name, at: to, isPrivateSource: true)
            let made = try Files.status(name, at: to)
            // ORDER: attributes need the right to write, which the file's own mode may not give us.
            try Files.setMode(name, 0o600, at: to)
            let copy = try Files.open(name, [.read, .noFollow], at: to)
            try marks(from: source.descriptor, to: copy.rawValue)
            try Files.setMode(copy.rawValue, made.mode)
            if status.links > 1 { first[id] = path }
        }

        /// The overlay's own marks, verbatim.
        func marks(from source: Int32, to target: Int32) throws(SystemError) {
            for (name, value) in try ExtendedAttributes.all(of: source) where name.bytes.starts(with: prefix) {
                try ExtendedAttributes.set(name, value, target)
            }
        }
    }
}
