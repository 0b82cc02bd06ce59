internal import Glibc

/// The `tasks` files of a cgroup, open for a process that will join it; closed when the value goes.
public final class JoiningFiles {
    /// The descriptors, lent for the duration of a launch.
    public private(set) var descriptors: [Int32]

    init(_ descriptors: [Int32]) { self.descriptors = descriptors }

    convenience init(opening paths: [String]) throws(SystemError) {
        self.init([])
        for path in paths { descriptors.append(try Files.open(path, .write).release()) }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }
}
