import Glibc
import JailDiff
import JailModel
import RunSupport

/// Files and links by their path; directories are there for what is in them.
typealias FileTree = [ByteString: PatchSide]

/// A directory whose names may be any bytes, removed when the value goes.
final class TreeDirectory {
    let path: String

    init(_ tree: FileTree) throws {
        var template = Array((Environment.temporaryDirectory + "/launch-jail-diff-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for (name, side) in tree { try write(side, at: name.bytes) }
    }

    deinit { Self.remove(Array(path.utf8)) }

    private func full(_ name: some Sequence<UInt8>) -> [CChar] { Self.cString(Array(path.utf8) + [0x2f] + name) }

    private static func cString(_ bytes: [UInt8]) -> [CChar] { (bytes + [0]).map { CChar(bitPattern: $0) } }

    private func write(_ side: PatchSide, at name: [UInt8]) throws {
        for (index, byte) in name.enumerated() where byte == 0x2f { mkdir(full(name[..<index]), 0o755) }
        guard case .bytes(let content) = side.content else { return }
        if side.mode == .link {
            guard symlink(Self.cString(content), full(name)) == 0 else { throw SystemCallError("symlink") }
            return
        }
        let fd = open(full(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard fd >= 0 else { throw SystemCallError("create") }
        defer { close(fd) }
        var done = 0
        while done < content.count {
            let put = content[done...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            guard put > 0 else { throw SystemCallError("write") }
            done += put
        }
        fchmod(fd, side.mode == .executable ? 0o755 : 0o644)
    }

    /// What is in it now, but for git's own directory.
    func read() throws -> FileTree {
        var tree: FileTree = [:]
        var pending = Self.names(Array(path.utf8)).filter { $0 != Array(".git".utf8) }
        while let name = pending.popLast() {
            var status = stat()
            guard lstat(full(name), &status) == 0, let key = ByteString(name) else { throw SystemCallError("lstat") }
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                pending += Self.names(Array(path.utf8) + [0x2f] + name).map { name + [0x2f] + $0 }
            case S_IFLNK:
                var text = [UInt8](repeating: 0, count: 5000)
                let size = text.withUnsafeMutableBytes { buffer in
                    buffer.bindMemory(to: CChar.self).baseAddress.map { readlink(full(name), $0, buffer.count) } ?? 0
                }
                tree[key] = PatchSide(mode: .link, content: .bytes(Array(text[..<max(size, 0)])))
            default:
                let mode: PatchMode = status.st_mode & 0o100 == 0 ? .regular : .executable
                tree[key] = PatchSide(mode: mode, content: .bytes(try content(name, size: Int(status.st_size))))
            }
        }
        return tree
    }

    private func content(_ name: [UInt8], size: Int) throws -> [UInt8] {
        let fd = open(full(name), O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw SystemCallError("open") }
        defer { close(fd) }
        var content = [UInt8](repeating: 0, count: size + 1)
        var done = 0
        while true {
            let got = content[done...].withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            guard got >= 0 else { throw SystemCallError("read") }
            done += got
            if got == 0 || done > size { return Array(content[..<done]) }
        }
    }

    private static func names(_ directory: [UInt8]) -> [[UInt8]] {
        guard let stream = opendir(cString(directory)) else { return [] }
        defer { closedir(stream) }
        var found: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [0x2e], name != [0x2e, 0x2e] { found.append(name) }
        }
        return found
    }

    private static func remove(_ path: [UInt8]) {
        if unlink(cString(path)) == 0 || errno == ENOENT { return }
        for name in names(path) { remove(path + [0x2f] + name) }
        rmdir(cString(path))
    }
}
