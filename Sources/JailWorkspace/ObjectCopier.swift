public import JailModel
public import JailSystem

/// Which owner a copy gets: the ids of the jail's user become those of the workspace.
public struct OwnerMap: Sendable, Hashable {
    /// The ids that the jail's user has on the host, and whose files they become.
    public var from: (uid: UInt32, gid: UInt32)?
    public var to: (uid: UInt32, gid: UInt32)?

    /// Owners stay as they are.
    public static let identity = OwnerMap()

    public init(from: (uid: UInt32, gid: UInt32)? = nil, to: (uid: UInt32, gid: UInt32)? = nil) {
        self.from = from
        self.to = to
    }

    public func uid(_ uid: UInt32) -> UInt32 { uid == from?.uid ? to?.uid ?? uid : uid }
    public func gid(_ gid: UInt32) -> UInt32 { gid == from?.gid ? to?.gid ?? gid : gid }

    public static func == (lhs: OwnerMap, rhs: OwnerMap) -> Bool {
        lhs.from?.uid == rhs.from?.uid && lhs.from?.gid == rhs.from?.gid && lhs.to?.uid == rhs.to?.uid
            && lhs.to?.gid == rhs.to?.gid
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(from?.uid)
        hasher.combine(to?.uid)
    }
}

/// Copies one object with everything that a commit has to keep: content with its holes, mode, owner, times, attributes.
public enum ObjectCopier {
    /// Copies a name to a name that does not exist; a directory is made without its entries.
    ///
    /// Set-id bits never come along, but for the set-group-id bit of a directory, which gives nobody power. A directory's
    /// time is the caller's to set when its entries are there.
    /// - Parameter isPrivateSource: Whether the source lies in a layer of ours, where a file that its mode keeps from us
    ///   may be opened to us for a moment (``PrivateObject``); the real workspace is never touched so.
    /// - Throws: EINVAL for what is neither file, directory nor link; EPERM where the owner cannot be given.
    public static func copy(
        _ name: ByteString, at source: Int32, to target: ByteString, at targetDirectory: Int32,
        owners: OwnerMap = .identity, isPrivateSource: Bool = false
    ) throws(SystemError) {
        let status = try Files.status(name, at: source)
        let (uid, gid) = (owners.uid(status.uid), owners.gid(status.gid))
        switch status.kind {
        case .link:
            try Files.makeLink(try Files.readLink(name, at: source), named: target, at: targetDirectory)
            try own(target, uid, gid, at: targetDirectory)
            try Files.setModified(target, status.modified, at: targetDirectory)
        case .directory:
            try Files.makeDirectory(target, mode: 0o700, at: targetDirectory)
            let from = try Files.open(name, [.read, .directory, .noFollow], at: source)
            let to = try Files.open(target, [.read, .directory, .noFollow], at: targetDirectory)
            try own(to.rawValue, uid, gid)
            try copyAttributes(from: from.rawValue, to: to.rawValue)
            try Files.setMode(to.rawValue, status.mode & 0o3777)
        case .file:
            if isPrivateSource {
                let from = try PrivateObject(name, status, at: source)
                return try copyFile(from.descriptor, status, to: target, at: targetDirectory, owners)
            }
            let from = try Files.open(name, [.read, .noFollow, .nonBlocking], at: source)
            try copyFile(from.rawValue, status, to: target, at: targetDirectory, owners)
        case .fifo, .socket, .characterDevice, .blockDevice:
            throw SystemError("copy", errno: 22, subject: name.description)
        }
    }

    private static func copyFile(
        _ from: Int32, _ status: FileStatus, to target: ByteString, at targetDirectory: Int32, _ owners: OwnerMap
    ) throws(SystemError) {
        let to = try Files.open(
            target, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600, at: targetDirectory)
        try Files.copyContent(from: from, to: to.rawValue, size: status.size)
        try own(to.rawValue, owners.uid(status.uid), owners.gid(status.gid))
        try copyAttributes(from: from, to: to.rawValue)
        // ORDER: writing and changing the owner clear mode bits and set the time, so both come last.
        try Files.setMode(to.rawValue, status.mode & 0o1777)
        try Files.setModified(to.rawValue, status.modified)
    }

    /// Gives the carried attributes of one open file to another, and takes away those that only the other has.
    static func copyAttributes(from source: Int32, to target: Int32) throws(SystemError) {
        let wanted = try ExtendedAttributes.all(of: source).filter { ObjectReader.isCarried($0.name) }
        for (name, _) in try ExtendedAttributes.all(of: target)
        where ObjectReader.isCarried(name) && !wanted.contains(where: { $0.name == name }) {
            try ExtendedAttributes.remove(name, target)
        }
        for (name, value) in wanted { try ExtendedAttributes.set(name, value, target) }
    }

    private static func own(_ fd: Int32, _ uid: UInt32, _ gid: UInt32) throws(SystemError) {
        let status = try Files.status(fd)
        if status.uid != uid || status.gid != gid { try Files.setOwner(fd, uid: uid, gid: gid) }
    }

    private static func own(_ name: ByteString, _ uid: UInt32, _ gid: UInt32, at directory: Int32) throws(SystemError) {
        let status = try Files.status(name, at: directory)
        if status.uid != uid || status.gid != gid {
            try Files.changeOwner(name, uid: uid, gid: gid, at: directory)
        }
    }
}
