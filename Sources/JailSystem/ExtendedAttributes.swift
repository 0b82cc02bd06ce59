internal import CJail
internal import Glibc
public import JailModel

/// Extended attributes of open files, by name and value (xattr(7)).
public enum ExtendedAttributes {
    /// Names and values of an open file, sorted by name; none where the file system has none.
    ///
    /// What may not be read (another user's `trusted.*`) does not appear.
    public static func all(of fd: Int32) throws(SystemError) -> [(name: ByteString, value: [UInt8])] {
        var out: [(name: ByteString, value: [UInt8])] = []
        for name in try names(of: fd) {
            if let value = try value(of: name, fd) { out.append((name, value)) }
        }
        return out.sorted { $0.name < $1.name }
    }

    /// One value; `nil` when the file has no such attribute.
    ///
    /// fgetxattr(2).
    public static func value(of name: ByteString, _ fd: Int32) throws(SystemError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 256)
        while true {
            // SAFETY: both buffers outlive the call, and the kernel writes at most the count.
            let count = unsafe name.withCString { text in
                unsafe buffer.withUnsafeMutableBytes { unsafe cj_get_attribute(fd, text, $0.baseAddress, $0.count) }
            }
            if count >= 0 { return Array(buffer[..<count]) }
            let code = errno
            if code == ERANGE, buffer.count < 1 << 16 {
                buffer = [UInt8](repeating: 0, count: 1 << 16)
                continue
            }
            if [ENODATA, EOPNOTSUPP, EPERM, EACCES].contains(code) { return nil }
            throw SystemError("read the attribute", errno: code, subject: name.description)
        }
    }

    /// Sets one value.
    ///
    /// fsetxattr(2).
    public static func set(_ name: ByteString, _ value: [UInt8], _ fd: Int32) throws(SystemError) {
        try retrying("set the attribute", on: name.description) {
            // SAFETY: both buffers outlive the call.
            unsafe name.withCString { text in
                unsafe value.withUnsafeBytes { unsafe cj_set_attribute(fd, text, $0.baseAddress, $0.count) }
            }
        }
    }

    /// Removes one attribute; that it is absent is fine.
    ///
    /// fremovexattr(2).
    public static func remove(_ name: ByteString, _ fd: Int32) throws(SystemError) {
        // SAFETY: the name outlives the call.
        let result = unsafe name.withCString { unsafe cj_remove_attribute(fd, $0) }
        if result != 0, errno != ENODATA { throw SystemError("remove the attribute", errno: errno) }
    }

    private static func names(of fd: Int32) throws(SystemError) -> [ByteString] {
        var buffer = [UInt8](repeating: 0, count: 1024)
        while true {
            // SAFETY: the buffer outlives the call, and the kernel writes at most its count.
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe cj_list_attributes(fd, $0.baseAddress, $0.count)
            }
            if count >= 0 { return buffer[..<count].split(separator: 0).compactMap { ByteString($0) } }
            let code = errno
            if code == ERANGE, buffer.count < 1 << 16 {
                buffer = [UInt8](repeating: 0, count: 1 << 16)
                continue
            }
            if code == EOPNOTSUPP { return [] }
            throw SystemError("list the attributes", errno: code)
        }
    }
}
