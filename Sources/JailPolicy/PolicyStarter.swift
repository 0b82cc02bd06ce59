extension Policy {
    /// What `policy init` writes: a policy that extends the default, with the keys that most people change first.
    ///
    /// It can be used as it is: every key that is not enforced in this version is left out.
    public static let starter = """
        # A launch-jail policy. Every key: docs/policy-reference.md. What it means with all defaults: launch-jail policy show.
        version: 1

        # A shipped policy (\(shippedNames.joined(separator: ", "))), or a file relative to this one.
        # A key that is set here replaces the one above it, lists as a whole.
        extends: default

        workspace:
          # What the command may change, relative to the workspace; `**` is everything, an empty list is nothing.
          write: ["**"]
          # What never changes, even where `write` allows it.
          protect: [".git/hooks", ".git/config", ".git/commondir", ".git/modules", ".github/workflows"]

        filesystem:
          # What exists in the jail besides the workspace, read-only. Leave home directories out.
          read: ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"]

        network:
          mode: none

        budgets:
          max_runtime_s: 1h
          max_memory: 4GiB

        """
}
