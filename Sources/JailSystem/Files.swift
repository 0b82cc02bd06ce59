internal import CJail
internal import Glibc
public import JailModel

/// Stands for the working directory where a directory descriptor is asked for (AT_FDCWD).
public let currentDirectory: Int32 = -100

/// Files and directories by descriptor: each call is one system call with a typed error.
///
/// Every descriptor that is opened here is close-on-exec.
public enum Files {
    /// How a file is opened: the flags of open(2) that this program uses.
    public struct OpenFlags: OptionSet, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let read = OpenFlags(rawValue: O_RDONLY)
        public static let write = OpenFlags(rawValue: O_WRONLY)
        public static let readWrite = OpenFlags(rawValue: O_RDWR)
        public static let create = OpenFlags(rawValue: O_CREAT)
        public static let exclusive = OpenFlags(rawValue: O_EXCL)
        public static let truncate = OpenFlags(rawValue: O_TRUNC)
        public static let append = OpenFlags(rawValue: O_APPEND)
        public static let directory = OpenFlags(rawValue: O_DIRECTORY)
        public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
        public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
        public static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
        /// Names the file without opening it for reading or writing (O_PATH).
        public static let path = OpenFlags(rawValue: cj_o_path)
    }

    /// What a lookup may cross: the RESOLVE_* bits of openat2(2).
    public struct Resolve: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// No mount point is crossed.
        public static let noMounts = Resolve(rawValue: 0x01)
        /// Links such as /proc/PID/fd/N are refused.
        public static let noMagicLinks = Resolve(rawValue: 0x02)
        /// Every symbolic link is refused.
        public static let noSymlinks = Resolve(rawValue: 0x04)
        /// The result lies below the directory, or EXDEV.
        public static let beneath = Resolve(rawValue: 0x08)
        /// The directory stands for `/`.
        public static let inRoot = Resolve(rawValue: 0x10)
    }

    /// Opens a path.
    ///
    /// openat(2).
    public static func open(
        _ path: some KernelPath, _ flags: OpenFlags = .read, mode: UInt32 = 0, at directory: Int32 = currentDirectory
    ) throws(SystemError) -> OwnedFD {
        OwnedFD(
            taking: try retrying("open", on: path.forMessage) {
                // SAFETY: the path outlives the call.
                unsafe path.withCString { unsafe Glibc.openat(directory, $0, flags.rawValue | O_CLOEXEC, mode) }
            })
    }

    /// Opens a path whose lookup the kernel confines.
    ///
    /// openat2(2), Linux 5.6; guarantees B and J.
    ///
    /// EXDEV and ELOOP say that the path leaves what `resolve` allows.
    public static func open(
        _ path: some KernelPath, _ flags: OpenFlags = .read, mode: UInt32 = 0, at directory: Int32, resolve: Resolve
    ) throws(SystemError) -> OwnedFD {
        OwnedFD(
            taking: try retrying("open", on: path.forMessage) {
                // SAFETY: the path outlives the call.
                unsafe path.withCString {
                    unsafe cj_openat2(directory, $0, flags.rawValue, mode, resolve.rawValue)
                }
            })
    }

    /// Reads an open file from its present offset to its end.
    ///
    /// - Throws: EFBIG when it holds more than `limit` bytes; nothing is cut off silently.
    public static func readAll(_ fd: Int32, limit: Int, subject: String = "") throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(limit, 0), 16383) + 1)
        while true {
            let count = try read(fd, into: &chunk, subject: subject)
            if count == 0 { return content }
            guard content.count + count <= limit else {
                throw SystemError(
                    "read", errno: EFBIG, subject: subject, hint: "no more than \(limit) bytes are expected there")
            }
            content += chunk[..<count]
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    public static func read(
        _ path: some KernelPath, limit: Int, at directory: Int32 = currentDirectory
    ) throws(SystemError) -> [UInt8] {
        let file = try open(path, .read, at: directory)
        return try readAll(file.rawValue, limit: limit, subject: path.forMessage)
    }

    /// Reads a small text file of the kernel; bytes that are not UTF-8 become U+FFFD.
    public static func readText(
        _ path: some KernelPath, limit: Int = 1 << 20, at directory: Int32 = currentDirectory
    ) throws(SystemError) -> String {
        String(decoding: try read(path, limit: limit, at: directory), as: UTF8.self)
    }

    /// Reads once into a buffer; 0 is the end of the file.
    ///
    /// read(2).
    public static func read(
        _ fd: Int32, into buffer: inout [UInt8], subject: @autoclosure () -> String = ""
    ) throws(SystemError) -> Int {
        try retrying("read", on: subject()) {
            // SAFETY: the array is exclusively borrowed, and the kernel writes at most its count.
            unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(fd, $0.baseAddress, $0.count) }
        }
    }

    /// Writes once and tells how much the kernel took.
    ///
    /// write(2).
    public static func write(
        _ fd: Int32, _ bytes: ArraySlice<UInt8>, subject: @autoclosure () -> String = ""
    ) throws(SystemError) -> Int {
        try retrying("write", on: subject()) {
            // SAFETY: the slice outlives the call, which only reads it.
            unsafe bytes.withUnsafeBytes { unsafe Glibc.write(fd, $0.baseAddress, $0.count) }
        }
    }

    /// Writes everything to a blocking descriptor.
    public static func writeAll(
        _ fd: Int32, _ bytes: [UInt8], subject: @autoclosure () -> String = ""
    ) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try write(fd, rest, subject: subject())) }
    }

    /// Writes one value to a control file of the kernel (cgroup, /proc) in one call, as those files want it.
    public static func writeValue(
        _ text: String, to path: some KernelPath, at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        let file = try open(path, .write, at: directory)
        _ = try write(file.rawValue, Array(text.utf8)[...], subject: path.forMessage)
    }

    /// The text of a symbolic link.
    ///
    /// readlinkat(2).
    public static func readLink(
        _ path: some KernelPath, at directory: Int32 = currentDirectory
    ) throws(SystemError) -> ByteString {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try retrying("read the link", on: path.forMessage) {
            // SAFETY: both buffers outlive the call, and the kernel writes at most the count.
            unsafe path.withCString { name in
                unsafe buffer.withUnsafeMutableBytes { unsafe cj_readlink(directory, name, $0.baseAddress, $0.count) }
            }
        }
        guard let text = ByteString(buffer[..<count]) else { preconditionFailure("a link's text holds no NUL") }
        return text
    }

    /// Makes a directory.
    ///
    /// mkdirat(2).
    public static func makeDirectory(
        _ path: some KernelPath, mode: UInt32 = 0o700, at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        try retrying("create the directory", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe mkdirat(directory, $0, mode) }
        }
    }

    /// Removes a file, or an empty directory.
    ///
    /// unlinkat(2).
    public static func remove(
        _ path: some KernelPath, isDirectory: Bool = false, at directory: Int32 = currentDirectory
    ) throws(SystemError) {
        try retrying("remove", on: path.forMessage) {
            // SAFETY: the path outlives the call.
            unsafe path.withCString { unsafe unlinkat(directory, $0, isDirectory ? AT_REMOVEDIR : 0) }
        }
    }

    /// Whether this process may use a path so, by its effective ids.
    ///
    /// faccessat(2) AT_EACCESS.
    public static func mayWrite(_ path: some KernelPath, at directory: Int32 = currentDirectory) -> Bool {
        // SAFETY: the path outlives the call.
        unsafe path.withCString { unsafe faccessat(directory, $0, W_OK, AT_EACCESS) } == 0
    }

    /// The names in an open directory except `.` and `..`, from its start, in the order of the file system.
    ///
    /// getdents64(2). The descriptor's offset is moved.
    public static func names(_ directory: Int32) throws(SystemError) -> [ByteString] {
        var found: [ByteString] = []
        var listing = DirectoryListing(directory)
        try listing.rewind()
        while let name = try listing.next() { found.append(name) }
        return found
    }
}
