import JailLaunch
import JailModel
import JailPolicy
import JailSystem

/// The directory for temporary files of a step that has no mounts of its own; removed with everything in it.
struct TemporaryDirectory {
    private let path: String?

    init(_ path: AbsolutePath?, owner: TargetUser) throws(LaunchFailure) {
        guard let path else {
            self.path = nil
            return
        }
        self.path = path.description
        Self.sweep(owner: owner.outsideUID)
        do throws(SystemError) {
            try Files.makeDirectory(path.description, mode: 0o700)
            try Files.changeOwner(path.description, uid: owner.outsideUID, gid: owner.outsideGID)
        } catch {
            throw LaunchFailure(.prepare("make \(path)"), errno: error.errno)
        }
    }

    private static let prefix = "launch-jail-"

    /// A name that nobody can guess before, and that tells whose it was when nobody is left to remove it.
    static func name(random: UInt64) -> String { "\(prefix)\(Files.processID)-" + String(random, radix: 36) }

    /// Removes what killed runs of this user have left.
    private static func sweep(owner: UInt32) {
        guard let directory = try? Files.open("/tmp", [.read, .directory]),
            let names = try? Files.names(directory.rawValue)
        else { return }
        for name in names.compactMap(\.string) where name.hasPrefix(prefix) {
            let parts = name.dropFirst(prefix.count).split(separator: "-")
            guard parts.count == 2, let pid = Int32(parts[0]), !Files.isAlive(pid),
                let status = try? Files.status(name, at: directory.rawValue), status.kind == .directory,
                status.uid == owner
            else { continue }
            // What cannot be removed stays for the next run.
            try? Files.removeTree(name, at: directory.rawValue)
        }
    }

    /// Removes the tree; called when no process of the step is left that could change it meanwhile.
    func remove() {
        guard let path else { return }
        // What cannot be removed stays in /tmp, named after the run.
        try? Files.removeTree(path)
    }
}
