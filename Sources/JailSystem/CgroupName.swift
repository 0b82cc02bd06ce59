internal import CJail
internal import Glibc
internal import JailModel

/// The name of a jail's cgroup, which tells whose it was when nobody is left to remove it.
struct CgroupName: Hashable {
    let runID: String
    let pid: Int32

    var text: String { "\(Self.prefix)\(runID)-\(pid)" }

    private static let prefix = "launch-jail-"

    init(runID: String, pid: Int32) {
        self.runID = runID
        self.pid = pid
    }

    /// Reads a directory name back; `nil` for one that is not ours.
    init?(_ name: ByteString) {
        guard let text = name.string, text.hasPrefix(Self.prefix), let dash = text.lastIndex(of: "-"),
            let pid = Int32(text[text.index(after: dash)...]), pid > 0
        else { return nil }
        let start = text.index(text.startIndex, offsetBy: Self.prefix.count)
        guard start < dash else { return nil }
        self.init(runID: String(text[start..<dash]), pid: pid)
    }

    /// Removes the groups of launch-jail processes that are dead, below one directory.
    ///
    /// rmdir refuses a group with processes in it, so a number that this pid namespace does not know costs at most
    /// an empty group, which its owner then makes again. Failures are irrelevant: the next run tries again.
    static func removeStale(in parent: String, minimumAge: Duration = .zero) {
        guard let directory = try? Files.open(parent, [.read, .directory]),
            let names = try? Files.names(directory.rawValue)
        else { return }
        for entry in names {
            guard let name = CgroupName(entry), isDead(name.pid) else { continue }
            guard let status = try? Files.status(entry, at: directory.rawValue) else { continue }
            let age = Duration.nanoseconds(cj_wall_time_ns() - status.changed)
            if age >= minimumAge { try? Files.remove(entry, isDirectory: true, at: directory.rawValue) }
        }
    }

    /// Signal 0 reaches nobody; ESRCH says that the number is free.
    ///
    /// kill(2).
    private static func isDead(_ pid: Int32) -> Bool { Glibc.kill(pid, 0) != 0 && errno == ESRCH }
}

/// The leaf that launch-jail moves itself into, because v2 lets no group have both processes and children with limits.
///
/// Only done where it is alone in a delegated group, as `systemd-run --user --scope -p Delegate=yes` makes one.
struct SupervisorLeaf: Sendable {
    let parent: String
    let controllers: [String]

    private var path: String { "\(parent)/launch-jail-supervisor-\(getpid())" }

    /// Enables controllers for the children of a group, moving this process out of it when the kernel asks for that.
    ///
    /// - Returns: what must be restored, `nil` when the controllers were enabled already.
    static func enable(_ wanted: Set<String>, in parent: String) throws(SystemError) -> SupervisorLeaf? {
        guard !wanted.isEmpty else { return nil }
        let control = "\(parent)/cgroup.subtree_control"
        let enabled = Set(try Files.readText(control).split(whereSeparator: \.isWhitespace).map(String.init))
        let missing = wanted.subtracting(enabled).sorted()
        guard !missing.isEmpty else { return nil }
        let leaf = SupervisorLeaf(parent: parent, controllers: missing)
        let switchOn = missing.map { "+\($0)" }.joined(separator: " ")
        do throws(SystemError) {
            // ORDER: out of the parent first; the kernel refuses controllers while a process is in it (EBUSY).
            try Files.makeDirectory(leaf.path, mode: 0o755)
            try Files.writeValue("\(getpid())", to: "\(leaf.path)/cgroup.procs")
            try Files.writeValue(switchOn, to: control)
        } catch {
            leaf.restore()
            throw error
        }
        return leaf
    }

    /// Puts this process and the parent's controllers back.
    ///
    /// A failure leaves an empty group to its unit's end.
    func restore() {
        // ORDER: controllers off first, or the parent would refuse to take the process back.
        try? Files.writeValue(
            controllers.map { "-\($0)" }.joined(separator: " "), to: "\(parent)/cgroup.subtree_control")
        try? Files.writeValue("\(getpid())", to: "\(parent)/cgroup.procs")
        try? Files.remove(path, isDirectory: true)
    }
}
