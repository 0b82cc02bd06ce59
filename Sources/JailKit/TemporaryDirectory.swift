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
        do throws(SystemError) {
            try Files.makeDirectory(path.description, mode: 0o700)
            try Files.changeOwner(path.description, uid: owner.outsideUID, gid: owner.outsideGID)
        } catch {
            throw LaunchFailure(.prepare("make \(path)"), errno: error.errno)
        }
    }

    /// Removes the tree; called when no process of the step is left that could change it meanwhile.
    func remove() {
        guard let path else { return }
        // What cannot be removed stays in /tmp, named after the run.
        try? Files.removeTree(path)
    }
}
