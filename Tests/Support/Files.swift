public import Glibc

/// A call to the operating system that failed in the test itself.
public struct SystemCallError: Error, CustomStringConvertible {
    public let call: String
    public let number: Int32
    public init(_ call: String, _ number: Int32 = errno) {
        self.call = call
        self.number = number
    }
    public var description: String { "\(call): \(String(cString: strerror(number)))" }
}

/// Plain file operations by path, for setting scenes and looking at what became of them.
public enum Files {
    public static func read(_ path: String) throws -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw SystemCallError("open \(path)") }
        defer { close(fd) }
        var out: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = block.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            guard got >= 0 else { throw SystemCallError("read \(path)") }
            if got == 0 { return out }
            out.append(contentsOf: block[..<got])
        }
    }

    public static func text(_ path: String) throws -> String { String(decoding: try read(path), as: UTF8.self) }

    public static func write(_ path: String, _ text: String, mode: mode_t = 0o644) throws {
        try write(path, Array(text.utf8), mode: mode)
    }

    public static func write(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws {
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard fd >= 0 else { throw SystemCallError("create \(path)") }
        defer { close(fd) }
        var done = 0
        while done < bytes.count {
            let put = bytes[done...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            guard put > 0 else { throw SystemCallError("write \(path)") }
            done += put
        }
        guard fchmod(fd, mode) == 0 else { throw SystemCallError("chmod \(path)") }
    }

    /// Makes the directory and the ones above it.
    public static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws {
        if exists(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: mode)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemCallError("mkdir \(path)") }
    }

    public static func link(_ target: String, at path: String) throws {
        guard symlink(target, path) == 0 else { throw SystemCallError("symlink \(path)") }
    }

    public static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    public static func size(_ path: String) throws -> Int {
        var info = stat()
        guard lstat(path, &info) == 0 else { throw SystemCallError("stat \(path)") }
        return Int(info.st_size)
    }

    public static func owner(_ path: String) throws -> (uid: UInt32, gid: UInt32) {
        var info = stat()
        guard lstat(path, &info) == 0 else { throw SystemCallError("stat \(path)") }
        return (info.st_uid, info.st_gid)
    }

    /// The names in a directory, sorted.
    public static func list(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw SystemCallError("opendir \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a tree without following links.
    ///
    /// What is already gone is no error.
    public static func removeTree(_ path: String) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        if rmdir(path) == 0 { return }
        chmod(path, 0o700)
        for name in (try? list(path)) ?? [] { removeTree(path + "/" + name) }
        rmdir(path)
    }

    public static func copy(_ from: String, to path: String, mode: mode_t = 0o755) throws {
        try write(path, try read(from), mode: mode)
    }
}

/// A directory of a test's own, removed with everything in it when the last reference is gone.
public final class Scratch: Sendable {
    public let path: String

    /// - Parameter parent: where it is made; by default below the directory for temporary files.
    public init(in parent: String? = nil) throws {
        var template = Array(((parent ?? Environment.temporaryDirectory) + "/ljtest-XXXXXX").utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard isMade else { throw SystemCallError("mkdtemp") }
        path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        chmod(path, 0o755)
    }

    deinit { Files.removeTree(path) }

    /// The path of something in it.
    public func callAsFunction(_ name: String) -> String { path + "/" + name }

    @discardableResult
    public func file(_ name: String, _ text: String = "original\n", mode: mode_t = 0o644) throws -> String {
        let full = self(name)
        if let slash = full.lastIndex(of: "/") { try Files.makeDirectory(String(full[..<slash])) }
        try Files.write(full, text, mode: mode)
        return full
    }

    @discardableResult
    public func directory(_ name: String) throws -> String {
        try Files.makeDirectory(self(name))
        return self(name)
    }
}
