internal import JailDigest
public import JailModel
public import JailSystem

/// Reads what stands at a path into an ``ObjectState``.
public enum ObjectReader {
    /// The attributes that belong to the content of a file and are carried by a commit: the user's own and ACLs.
    ///
    /// `security.*` is refused or the host's, `trusted.*` nobody's business, `user.overlay.*` is the layer's own.
    static func isCarried(_ name: ByteString) -> Bool {
        let bytes = name.bytes
        if bytes.starts(with: Array("user.overlay.".utf8)) { return false }
        return bytes.starts(with: Array("user.".utf8)) || bytes.starts(with: Array("system.posix_acl_".utf8))
    }

    /// The status of a name as the kind of object that it is.
    public static func kind(_ status: FileStatus) -> ObjectKind {
        switch status.kind {
        case .file: .file
        case .directory: .directory
        case .link: .link
        case .fifo: .fifo
        case .socket: .socket
        case .characterDevice, .blockDevice: .device
        }
    }

    /// Reads the state of a name in an open directory; `nil` when nothing is there.
    ///
    /// - Parameter withDigest: Whether the content of a file is read; a link's text always is.
    public static func state(
        _ name: ByteString, at directory: Int32, withDigest: Bool = true
    ) throws(SystemError) -> ObjectState? {
        guard let status = try Files.statusIfPresent(name, at: directory) else { return nil }
        var state = ObjectState(
            kind: kind(status), mode: status.mode, uid: status.uid, gid: status.gid, modified: status.modified)
        switch status.kind {
        case .link:
            let text = try Files.readLink(name, at: directory)
            state.size = UInt64(text.bytes.count)
            state.digest = SHA256Value.of(text.bytes)
        case .file:
            state.size = status.size
            // What its owner cannot read (mode 0200) has no digest; its other marks still tell a change.
            guard let file = try? Files.open(name, [.read, .noFollow, .nonBlocking], at: directory) else { break }
            if withDigest { state.digest = try digest(file.rawValue, size: status.size) }
            state.attributes = try attributes(file.rawValue)
        case .directory:
            guard let folder = try? Files.open(name, [.read, .directory, .noFollow], at: directory) else { break }
            state.attributes = try attributes(folder.rawValue)
        case .fifo, .socket, .characterDevice, .blockDevice: break
        }
        return state
    }

    /// The digest of an open file's content from its start.
    ///
    /// - Parameter size: About how long it is; only the speed depends on it.
    public static func digest(_ fd: Int32, size: UInt64 = 1 << 16) throws(SystemError) -> SHA256Value {
        var stream = SHA256Stream()
        var buffer = [UInt8](repeating: 0, count: Int(min(size, 1 << 18)) + 1)
        while true {
            let count = try Files.read(fd, into: &buffer)
            if count == 0 { return stream.finish() }
            stream.update(count == buffer.count ? buffer : Array(buffer[..<count]))
        }
    }

    /// The digest of the carried attributes of an open file; `nil` when there are none.
    static func attributes(_ fd: Int32) throws(SystemError) -> SHA256Value? {
        attributes(try ExtendedAttributes.all(of: fd))
    }

    /// The digest of those attributes that are carried, sorted by name; `nil` when there are none.
    static func attributes(_ all: [(name: ByteString, value: [UInt8])]) -> SHA256Value? {
        let carried = all.filter { isCarried($0.name) }
        if carried.isEmpty { return nil }
        var stream = SHA256Stream()
        for (name, value) in carried {
            stream.update(Array("\(name.bytes.count) \(value.count) ".utf8) + name.bytes + value)
        }
        return stream.finish()
    }
}
