internal import Glibc
public import JailModel

/// What a path leads to, and every symbolic link that was met on the way.
public struct PathResolution: Sendable, Hashable {
    /// The absolute path without links, `.` and `..`; what is missing at the end stays as written.
    public let path: ByteString
    /// The links in the order in which they were followed: where each lies (itself without links) and its text.
    public let links: [Link]
    /// Whether something is there.
    public let exists: Bool

    public struct Link: Sendable, Hashable {
        public let path: ByteString
        public let target: ByteString
    }
}

extension Files {
    /// Resolves an absolute path as realpath(3) does, and records the links instead of hiding them.
    ///
    /// The answer is of this moment: a decision rests on a descriptor that is opened and compared afterwards.
    ///
    /// - Throws: ELOOP after 40 links, as the kernel; EINVAL for a relative path; ENOTDIR for a file as a directory;
    ///   EACCES where a directory may not be searched.
    public static func resolve(_ path: some KernelPath) throws(SystemError) -> PathResolution {
        let slash = UInt8(ascii: "/")
        let bytes = path.kernelBytes
        guard bytes.first == slash else {
            throw SystemError("resolve", errno: EINVAL, subject: path.forMessage, hint: "give an absolute path")
        }
        var pending = Array(bytes.split(separator: slash).reversed())
        var done: [ArraySlice<UInt8>] = []
        var links: [PathResolution.Link] = []
        var isMissing = false
        var wasDirectory = true
        while let component = pending.popLast() {
            guard wasDirectory else {
                throw SystemError("resolve", errno: ENOTDIR, subject: path.forMessage)
            }
            if component.elementsEqual([UInt8(ascii: ".")]) { continue }
            if component.elementsEqual(Array("..".utf8)) {
                _ = done.popLast()
                continue
            }
            if isMissing {
                done.append(component)
                continue
            }
            let here = joined(done + [component])
            guard let status = try statusIfPresent(here) else {
                isMissing = true
                done.append(component)
                continue
            }
            guard status.kind == .link else {
                wasDirectory = status.kind == .directory
                done.append(component)
                continue
            }
            let target = try readLink(here)
            links.append(.init(path: here, target: target))
            guard links.count <= 40 else {
                throw SystemError("resolve", errno: ELOOP, subject: path.forMessage)
            }
            if target.bytes.first == slash { done = [] }
            pending += target.bytes.split(separator: slash).reversed()
        }
        return PathResolution(path: joined(done), links: links, exists: !isMissing)
    }

    private static func joined(_ components: [ArraySlice<UInt8>]) -> ByteString {
        var bytes: [UInt8] = []
        for component in components {
            bytes.append(UInt8(ascii: "/"))
            bytes += component
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "/")] }
        guard let path = ByteString(bytes) else {
            preconditionFailure("a path with a NUL byte reached the kernel boundary")
        }
        return path
    }
}
