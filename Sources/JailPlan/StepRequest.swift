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
    public var wantsTerminal: Bool
    /// The inode of the supervisor's own pid namespace.
    public var pidNamespace: UInt64

    public init(
        workspace: AbsolutePath, cwd: AbsolutePath, argv: [ByteString], executable: AbsolutePath,
        hostEnvironment: [String: String], runDirectory: AbsolutePath, wantsTerminal: Bool, pidNamespace: UInt64
    ) {
        self.workspace = workspace
        self.cwd = cwd
        self.argv = argv
        self.executable = executable
        self.hostEnvironment = hostEnvironment
        self.runDirectory = runDirectory
        self.wantsTerminal = wantsTerminal
        self.pidNamespace = pidNamespace
    }

    /// Where a step without mounts of its own keeps temporary files: named after the run, in /tmp.
    var runTemporaryDirectory: AbsolutePath {
        AbsolutePath(components: ["tmp", "launch-jail-" + (runDirectory.components.last ?? "run")])
    }
}
