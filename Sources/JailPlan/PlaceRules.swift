import JailModel
public import JailPolicy

/// What may be a workspace and a working directory (contract, section 7).
public enum PlaceRules {
    /// Directories of the system below which nothing can be a workspace.
    private static let system = ["proc", "sys", "dev", "usr", "bin", "sbin", "lib", "lib64", "etc", "boot"]

    /// Refuses (exit 2) a workspace that is the root, a home directory or part of the system, and a working directory
    /// outside it or inside an untrusted tree.
    ///
    /// - Parameter homes: The home directories of the starter and of the target user.
    public static func check(
        _ policy: Policy, workspace: AbsolutePath, cwd: AbsolutePath, homes: [String]
    ) throws(PlanError) {
        guard let first = workspace.components.first else {
            throw PlanError(.invalid, .pathNotAllowed, "the workspace is /", hint: "name the directory of the project")
        }
        for home in homes {
            guard let home = AbsolutePath(home), !home.components.isEmpty, workspace.contains(home) else { continue }
            throw PlanError(
                .invalid, .pathNotAllowed,
                home == workspace
                    ? "the workspace \(workspace) is the home directory itself"
                    : "the workspace \(workspace) contains the home directory \(home)",
                hint: "name the directory of the project")
        }
        guard !system.contains(first) else {
            throw PlanError(
                .invalid, .pathNotAllowed, "the workspace \(workspace) lies in a system directory",
                hint: "name the directory of the project")
        }
        guard workspace.contains(cwd) else {
            throw PlanError(
                .invalid, .pathEscape, "the working directory \(cwd) is outside the workspace \(workspace)",
                hint: "pass --workspace or a --cwd inside it")
        }
        let inside = Array(cwd.components.dropFirst(workspace.components.count))
        for pattern in policy.workspace.untrusted where pattern.matches(components: inside) {
            throw PlanError(
                .invalid, .untrustedExecution,
                "the working directory \(cwd) is inside workspace.untrusted (\(pattern.text))",
                hint: "untrusted trees may be read, never worked in")
        }
    }
}
