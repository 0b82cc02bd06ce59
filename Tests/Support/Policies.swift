/// Policy texts for tests.
public enum Policies {
    /// What a test's jail sees by default.
    public static let read = ["/usr", "/bin", "/lib", "/lib64", "/etc"]

    /// A policy that writes straight to the workspace and shows the probes.
    ///
    /// - Parameters:
    ///   - workspace: more lines of the `workspace` mapping.
    ///   - filesystem: more lines of the `filesystem` mapping.
    ///   - read: more paths that exist in the jail.
    ///   - exec: the lines of the `exec` mapping.
    ///   - more: whole top-level keys.
    public static func direct(
        mode: String = "direct", write: String = "[\"**\"]", workspace: [String] = [], filesystem: [String] = [],
        read: [String] = [], exec: [String] = ["workspace: allow"], more: [String] = []
    ) -> String {
        let paths = (Self.read + [Environment.probes] + read).map { "\"\($0)\"" }.joined(separator: ", ")
        var lines = ["version: 1", "overridable: true", "workspace:", "  mode: \(mode)"]
        if mode != "readonly" { lines.append("  write: \(write)") }
        lines += workspace.map { "  " + $0 }
        lines += ["filesystem:", "  read: [\(paths)]"]
        lines += filesystem.map { "  " + $0 }
        if !exec.isEmpty { lines += ["exec:"] + exec.map { "  " + $0 } }
        lines += more
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same with budgets.
    public static func budgets(_ lines: [String], more: [String] = []) -> String {
        direct(more: ["budgets:"] + lines.map { "  " + $0 } + more)
    }
}
