public import JailModel
public import JailPolicy

/// What to run and where, after the supervisor resolved paths and found the executable.
public struct StepRequest: Sendable, Hashable {
    /// The workspace: canonical, without symbolic links.
    public var workspace: AbsolutePath
    /// The working directory: canonical, inside the workspace.
    public var cwd: AbsolutePath
    public var argv: [ByteString]
    /// The executable's path as the jail will see it.
    public var executable: AbsolutePath
    /// The environment of launch-jail, from which `env.pass` copies.
    public var hostEnvironment: [String: String]
    /// The run directory, which must not be visible in the jail.
    public var runDirectory: AbsolutePath
    /// Where launch-jail keeps the runs of this user: earlier evidence is as invisible as this run's.
    public var stateDirectory: AbsolutePath?
    /// Where a step without mounts of its own keeps temporary files; nobody can guess the name before.
    public var temporaryDirectory = AbsolutePath(components: ["tmp", "launch-jail-step"])
    /// Where changes land; `nil` unless `workspace.mode` is `overlay`.
    public var layer: WorkspaceLayer?
    /// Mounts of the host below the workspace, which an overlay does not show by itself.
    public var submounts: [AbsolutePath] = []
    public var wantsTerminal: Bool
    /// The inode of the supervisor's own pid namespace.
    public var pidNamespace: UInt64

    public init(
        workspace: AbsolutePath, cwd: AbsolutePath, argv: [ByteString], executable: AbsolutePath,
        hostEnvironment: [String: String], runDirectory: AbsolutePath, stateDirectory: AbsolutePath? = nil,
        wantsTerminal: Bool, pidNamespace: UInt64
    ) {
        self.workspace = workspace
        self.cwd = cwd
        self.argv = argv
        self.executable = executable
        self.hostEnvironment = hostEnvironment
        self.runDirectory = runDirectory
        self.stateDirectory = stateDirectory
        self.wantsTerminal = wantsTerminal
        self.pidNamespace = pidNamespace
    }

    /// The tree that is shown at the workspace's path.
    var workspaceSource: AbsolutePath {
        if case .copy(let path) = layer { return path }
        return workspace
    }

    /// Directories of launch-jail itself, which no jail shows: the outermost only.
    var ownDirectories: [AbsolutePath] {
        let all = [stateDirectory, runDirectory].compactMap { $0 }
        return Set(all).filter { path in !all.contains { $0 != path && $0.contains(path) } }.sorted()
    }

}
