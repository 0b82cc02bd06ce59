internal import Glibc
internal import JailModel
public import JailPlan
internal import JailSystem

/// Directories and empty files that hold the place of protected paths which do not exist yet, for as long as a step
/// runs: a mount needs something to stand on. Guarantee B, escape row F7.
///
/// Each is made below the workspace's descriptor without following a link, written into a journal first, and removed
/// afterwards unless somebody has filled it.
public final class HeldPlaces {
    private let workspace: OwnedFD
    private var made: [(path: String, kind: HeldPlace.Kind, device: UInt64, inode: UInt64)] = []

    /// Makes the places, topmost first.
    ///
    /// - Parameter owner: The user of the workspace, to whom they belong when root makes them.
    public init(
        _ places: [HeldPlace], in workspace: String, owner: (uid: UInt32, gid: UInt32)
    ) throws(LaunchFailure) {
        do throws(SystemError) {
            self.workspace = try Files.open(workspace, [.read, .directory])
        } catch {
            throw LaunchFailure(.hold(workspace), errno: error.errno)
        }
        for place in places {
            let path = place.path.joined(separator: "/")
            do throws(SystemError) {
                try make(path, place.kind, owner)
            } catch {
                removeAll()
                throw LaunchFailure(.hold(path), errno: error.errno)
            }
        }
    }

    private func make(
        _ path: String, _ kind: HeldPlace.Kind, _ owner: (uid: UInt32, gid: UInt32)
    ) throws(SystemError) {
        let parent = try Self.parent(of: path, in: workspace.rawValue)
        let name = Self.name(of: path)
        switch kind {
        case .directory:
            try Files.makeDirectory(name, mode: 0o755, at: parent.rawValue)
        case .file:
            let file = try Files.open(
                name, [.write, .create, .exclusive, .noFollow], mode: 0o644, at: parent.rawValue)
            _ = consume file
        }
        if geteuid() == 0 {
            try retrying("give a held place to its owner", on: path) {
                // SAFETY: the string is a null-terminated copy for the call.
                unsafe fchownat(parent.rawValue, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW)
            }
        }
        let status = try Files.status(name, at: parent.rawValue)
        made.append((path, kind, status.device, status.inode))
    }

    /// Removes what is still empty and still ours; the deepest first.
    public func remove() { removeAll() }

    private func removeAll() {
        for place in made.reversed() {
            // Whatever cannot be looked at or removed is somebody else's by now.
            guard let parent = try? Self.parent(of: place.path, in: workspace.rawValue) else { continue }
            let name = Self.name(of: place.path)
            guard let status = try? Files.status(name, at: parent.rawValue), status.device == place.device,
                status.inode == place.inode
            else { continue }
            switch place.kind {
            case .directory: try? Files.remove(name, isDirectory: true, at: parent.rawValue)
            case .file:
                if status.size == 0 { try? Files.remove(name, at: parent.rawValue) }
            }
        }
        made = []
    }

    private static func parent(of path: String, in workspace: Int32) throws(SystemError) -> OwnedFD {
        let parts = path.split(separator: "/").dropLast()
        let text = parts.isEmpty ? "." : parts.joined(separator: "/")
        return try Files.open(
            text, [.read, .directory, .noFollow], at: workspace, resolve: [.beneath, .noSymlinks, .noMagicLinks])
    }

    private static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
