import Glibc
import JailDigest
import JailModel
import JailSystem
import JailWorkspace

/// The directories of one test of a scan, removed with what is in them.
struct ScanSpace: ~Copyable {
    let path: String
    private let name: ByteString

    /// - Parameter base: Where it lies; the usual place for temporary files, unless an overlay must be mounted there.
    init(in base: String = ScanSpace.temporary) throws {
        let made = try Self.make(base)
        path = made
        name = ByteString(String(made.dropFirst(base.count + 1)))
    }

    private static func make(_ base: String) throws -> String {
        var template = Array("\(base)/launch-jail-scan-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("create a temporary directory", errno: errno) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for part in ["lower", "upper", "work", "merged", "out"] {
            try Files.makeDirectory("\(path)/\(part)", mode: 0o755)
        }
        return path
    }

    /// Sets an extended attribute of the file that is named behind it.
    static let attribute = #"/usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.a", b"b")'"#

    static let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"

    /// A place where the layers of an overlay can lie: a file system that is an overlay itself cannot hold an upper one.
    static let overlayBase: String = {
        for base in [temporary, "/dev/shm"] {
            guard let space = try? ScanSpace(in: base) else { continue }
            if (try? space.step("true")) != nil { return base }
        }
        return temporary
    }()

    func tree(_ part: String) throws -> WorkspaceTree { try WorkspaceTree("\(path)/\(part)") }

    /// Runs a script in a directory of the space.
    func run(_ script: String, in part: String) throws {
        try Self.shell("cd '\(path)/\(part)' || exit 9\n" + script)
    }

    /// Runs a script as a step does: on an overlay of `upper` over `lower`, in a mount and user namespace of its own.
    ///
    /// `out` is then a copy of what the step saw at its end.
    func step(_ script: String) throws {
        let inside = """
            set -e
            mount -t overlay overlay -o userxattr,lowerdir='\(path)/lower',upperdir='\(path)/upper',workdir='\(path)/work' \
            '\(path)/merged'
            cd '\(path)/merged'
            \(script)
            rm -rf '\(path)/out'
            cp -a . '\(path)/out'
            """
        try Self.spawn(["unshare", "-Urm", "sh", "-c", inside])
    }

    static func shell(_ script: String) throws { try spawn(["sh", "-c", "set -e\n" + script]) }

    static func spawn(_ arguments: [String]) throws {
        var pid: pid_t = 0
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        let code = posix_spawnp(&pid, arguments[0], nil, nil, &pointers, environ)
        guard code == 0 else { throw SystemError("start", errno: code, subject: arguments[0]) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else {
            throw SystemError("run", errno: EIO, subject: "\(arguments.filter { $0.count < 80 }): status \(status)")
        }
    }

    func scan(_ request: ScanRequest = ScanRequest()) throws -> ScanResult {
        try ChangeScanner.scan(upper: try tree("upper"), lower: try tree("lower"), marks: .user, request)
    }

    deinit {
        let parent = String(path.dropLast(name.bytes.count + 1))
        if let directory = try? Files.open(parent, [.read, .directory]) {
            try? TreeRemover.remove(name, at: directory.rawValue)
        }
    }
}

/// Everything in a tree by path, read the simple way.
func snapshot(_ tree: borrowing WorkspaceTree, except excluded: Set<ByteString> = []) throws -> [ByteString:
    ObjectState]
{
    var out: [ByteString: ObjectState] = [:]
    func walk(_ directory: Int32, _ prefix: [UInt8]) throws {
        for name in try Files.names(directory) {
            guard let path = ByteString(prefix + name.bytes), !excluded.contains(path) else { continue }
            guard let state = try ObjectReader.state(name, at: directory) else { continue }
            out[path] = state
            if state.kind == .directory {
                let inner = try Files.open(name, [.read, .directory, .noFollow], at: directory)
                try walk(inner.rawValue, path.bytes + [UInt8(ascii: "/")])
            }
        }
    }
    try walk(tree.descriptor, [])
    return out
}

/// What a tree becomes by a change set.
///
/// Times of directories are left out, since they follow from the entries.
func applied(_ changes: ChangeSet, to before: [ByteString: ObjectState]) -> [ByteString: ObjectState] {
    var out = before
    for change in changes.paths {
        if let from = change.from { out[from] = nil }
        if change.after == nil { out[change.path] = nil }
    }
    for change in changes.paths { if let after = change.after { out[change.path] = after } }
    return timeless(out)
}

func timeless(_ tree: [ByteString: ObjectState]) -> [ByteString: ObjectState] {
    tree.mapValues { state in
        var state = state
        if state.kind == .directory { state.modified = 0 }
        return state
    }
}

/// A change in one line: `renamed a/b < b`, `added c = d` for a link to d.
func lines(_ changes: ChangeSet) -> [String] {
    changes.paths.map { change in
        "\(change.kind.rawValue) \(change.path)" + (change.from.map { " < \($0)" } ?? "")
            + (change.linkedTo.map { " = \($0)" } ?? "")
    }
}
