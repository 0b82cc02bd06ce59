internal import Glibc
internal import JailModel
public import JailPlan
internal import JailSystem

/// Directories and files that hold the place of protected paths which do not exist yet, for as long as a step runs: a
/// mount needs something to stand on.
///
/// Guarantee B, escape row F7.  Each is made below the workspace's descriptor without following a link, and removed
/// afterwards unless somebody has filled it, or another run on the same workspace still needs it.
public final class HeldPlaces {
    private let workspace: OwnedFD
    private var made: [Made] = []

    private struct Made {
        let place: HeldPlace
        let device: UInt64
        let inode: UInt64
    }

    /// Makes the places, topmost first; one that another run has made meanwhile is used as it is.
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
            do throws(SystemError) {
                try make(place, owner)
            } catch {
                remove()
                throw LaunchFailure(.hold(place.text), errno: error.errno)
            }
        }
    }

    private func make(_ place: HeldPlace, _ owner: (uid: UInt32, gid: UInt32)) throws(SystemError) {
        let parent = try place.openParent(in: workspace.rawValue)
        do throws(SystemError) {
            switch place.kind {
            case .directory:
                try Files.makeDirectory(place.name, mode: 0o755, at: parent.rawValue)
                let directory = try Files.open(
                    place.name, [.read, .directory, .noFollow], at: parent.rawValue)
                try give(directory.rawValue, to: owner)
            case .file(let content):
                let file = try Files.open(
                    place.name, [.write, .create, .exclusive, .noFollow], mode: 0o644, at: parent.rawValue)
                try Files.writeAll(file.rawValue, Array(content.utf8))
                try give(file.rawValue, to: owner)
            }
        } catch {
            guard error.errno == EEXIST, place.isHeld(in: parent.rawValue) else { throw error }
            return
        }
        let status = try Files.status(place.name, at: parent.rawValue)
        made.append(Made(place: place, device: status.device, inode: status.inode))
    }

    /// Gives what root has just made to the workspace's owner: by descriptor, and only what is still root's alone, so that
    /// nothing that was put in its place meanwhile changes hands.
    private func give(_ fd: Int32, to owner: (uid: UInt32, gid: UInt32)) throws(SystemError) {
        guard geteuid() == 0 else { return }
        let status = try Files.status(fd)
        guard status.uid == 0, status.kind == .directory || status.links == 1 else {
            throw SystemError("give a held place to its owner", errno: ESTALE)
        }
        try retrying("give a held place to its owner") { fchown(fd, owner.uid, owner.gid) }
    }

    /// Removes what is still as it was made, the deepest first.
    ///
    /// ORDER: only with the workspace's lock for itself. The kernel takes a mount away when its mount point is removed
    /// from another mount namespace, and with it the protection of a run that is still going on.
    public func remove() {
        for entry in made.reversed() {
            // Whatever cannot be looked at or removed is somebody else's by now.
            guard let parent = try? entry.place.openParent(in: workspace.rawValue),
                let status = try? Files.status(entry.place.name, at: parent.rawValue),
                status.device == entry.device, status.inode == entry.inode
            else { continue }
            entry.place.removeIfHeld(in: parent.rawValue)
        }
        made = []
    }
}

extension HeldPlace {
    /// The path below the workspace.
    public var text: String { path.joined(separator: "/") }

    var name: String { path.last ?? "" }

    /// Opens the directory that the place is in, confined to the workspace.
    func openParent(in workspace: Int32) throws(SystemError) -> OwnedFD {
        let above = path.dropLast().joined(separator: "/")
        return try Files.open(
            above.isEmpty ? "." : above, [.read, .directory, .noFollow], at: workspace,
            resolve: [.beneath, .noSymlinks, .noMagicLinks])
    }

    /// Whether what stands there is a place that a run holds, and nothing of the user's.
    func isHeld(in parent: Int32) -> Bool {
        guard let status = try? Files.status(name, at: parent) else { return false }
        switch kind {
        case .directory: return status.kind == .directory
        case .file(let content):
            guard status.kind == .file, status.size == content.utf8.count else { return false }
            return (try? Files.read(name, limit: 64, at: parent)) == Array(content.utf8)
        }
    }

    /// Removes the place when nobody has filled it.
    public func removeIfHeld(in parent: Int32) {
        guard isHeld(in: parent) else { return }
        try? Files.remove(name, isDirectory: kind == .directory, at: parent)
    }

    /// Removes what a killed run has left in a workspace.
    public static func removeLeftovers(_ places: [HeldPlace], in workspace: Int32) {
        for place in places.reversed() {
            if let parent = try? place.openParent(in: workspace) { place.removeIfHeld(in: parent.rawValue) }
        }
    }
}
