import Glibc
import JailDigest
import JailModel
import JailSystem
import JailWorkspace
import Testing

/// A fresh directory that goes with everything in it when the value goes.
final class PublishDirectory {
    let path: String
    let tree: WorkspaceTree
    private let parent: String

    /// - Parameter parent: Where it is made; `/dev/shm` is another mount than `/tmp`, and has no disk to wait for.
    init(in parent: String = "/dev/shm") throws {
        var template = Array("\(parent)/launch-jail-publish-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure.errno(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        tree = try WorkspaceTree(path)
        self.parent = parent
    }

    enum Failure: Error { case errno(Int32) }

    var fd: Int32 { tree.descriptor }

    /// A directory in it.
    func folder(_ name: String) throws -> WorkspaceTree {
        if try Files.statusIfPresent(name, at: fd) == nil { try Files.makeDirectory(name, at: fd) }
        return try WorkspaceTree("\(path)/\(name)")
    }

    deinit {
        _ = try? Self.allow(ByteString(path))
        _ = try? Files.removeTree(path)
    }

    private static func allow(_ path: ByteString) throws {
        guard try Files.status(path).kind == .directory else { return }
        try Files.setMode(path, 0o700, at: currentDirectory)
        let folder = try Files.open(path, [.read, .directory, .noFollow])
        for name in try Files.names(folder.rawValue) { try allow(path.child(name)) }
    }
}

extension ByteString {
    func child(_ name: ByteString) -> ByteString {
        bytes.isEmpty ? name : ByteString(bytes + [UInt8(ascii: "/")] + name.bytes) ?? name
    }
}

/// Everything about a tree that a commit or a rollback must get right.
struct TreeSnapshot: Hashable, CustomStringConvertible {
    struct Object: Hashable {
        var state: ObjectState
        /// The first path of the same file.
        var firstName: ByteString
    }
    var objects: [ByteString: Object] = [:]

    init(_ tree: borrowing WorkspaceTree) throws {
        var first: [UInt64: ByteString] = [:]
        try read("", tree, &first)
    }

    private mutating func read(
        _ path: ByteString, _ tree: borrowing WorkspaceTree, _ first: inout [UInt64: ByteString]
    ) throws {
        let folder = try tree.openDirectory(path.bytes[...])
        if path.bytes.isEmpty {
            let status = try Files.status(folder.rawValue)
            objects[""] = Object(
                state: ObjectState(
                    kind: .directory, mode: status.mode, uid: status.uid, gid: status.gid, modified: status.modified),
                firstName: "")
        }
        for name in try Files.names(folder.rawValue).sorted() {
            let status = try Files.status(name, at: folder.rawValue)
            guard let state = try ObjectReader.state(name, at: folder.rawValue) else { continue }
            let inner = path.child(name)
            let isFile = state.kind != .directory
            if isFile, first[status.inode] == nil { first[status.inode] = inner }
            objects[inner] = Object(state: state, firstName: isFile ? first[status.inode] ?? inner : inner)
            if !isFile { try read(inner, tree, &first) }
        }
    }

    /// Without the identity of hard links, which copies between mounts do not keep.
    var unlinked: TreeSnapshot {
        var copy = self
        for path in objects.keys { copy.objects[path]?.firstName = path }
        return copy
    }

    /// What differs, for a failed expectation.
    func difference(_ other: TreeSnapshot) -> [String] {
        Set(objects.keys).union(other.objects.keys).sorted().compactMap { path in
            let (mine, others) = (objects[path], other.objects[path])
            return mine == others ? nil : "\(path): \(String(describing: mine)) is not \(String(describing: others))"
        }
    }

    var description: String { "\(objects.count) objects" }

    /// What a scan of two whole trees says about what changed, with the simplest means.
    func changes(to after: TreeSnapshot) -> ChangeSet {
        var found: [ChangedPath] = []
        for path in Set(objects.keys).union(after.objects.keys).sorted() where path != "" {
            let (old, new) = (objects[path]?.state, after.objects[path]?.state)
            let linked = after.link(of: path, before: self)
            if old == new, linked == nil || objects[path]?.firstName != path { continue }
            if old == new, linked == nil { continue }
            let kind: ChangeKind =
                old == nil ? .added : new == nil ? .deleted : old?.kind != new?.kind ? .type : .modified
            found.append(ChangedPath(path: path, kind: kind, before: old, after: new, linkedTo: linked))
        }
        return ChangeSet(paths: found)
    }

    /// The path that a path becomes a hard link to: an unchanged name of the file, else its first.
    private func link(of path: ByteString, before: TreeSnapshot) -> ByteString? {
        guard let object = objects[path], object.state.kind == .file else { return nil }
        let names = objects.filter { $0.value.firstName == object.firstName }.keys.sorted()
        if names.count < 2 { return nil }
        let old = Set(names.compactMap { before.objects[$0]?.firstName })
        let unchanged = names.filter { before.objects[$0]?.state == object.state }
        if unchanged.count == names.count, old.count == 1 { return nil }
        let target = unchanged.first ?? names[0]
        return target == path ? nil : target
    }
}
