import JailModel

/// The reference of the policy format, made from the key table.
///
/// `docs/policy-reference.md` is a copy of it.
public enum PolicyReference {
    /// The reference as Markdown.
    public static func markdown() -> String {
        var out = introduction
        var section: String?
        for spec in PolicyKeys.table {
            if spec.key.section != section {
                section = spec.key.section
                out += "\n## \(heading(spec.key.section))\n"
            }
            out += entry(spec)
        }
        out += "\n## All keys\n\n"
        for path in PolicyKeys.paths { out += "- `\(path)`\n" }
        return out
    }

    private static func heading(_ section: String) -> String { section.isEmpty ? "Top level" : "`\(section)`" }

    private static func entry(_ spec: KeySpec) -> String {
        var out = "\n### `\(spec.key.path)`\n\n\(spec.summary)\n\n"
        out += "- Type: \(spec.shape.words)\(range(spec.shape))\n"
        out += "- Default: \(spec.defaultText.map { "`\($0)`" } ?? "not set")\n"
        out += "- Example: `\(spec.key.leaf): \(spec.example)`\n"
        switch spec.status {
        case .enforced: break
        case .deferred(let words): out += "- In this version: \(words)\n"
        }
        guard !spec.shape.fields.isEmpty else { return out }
        out += "\nKeys of the mapping:\n\n| key | type | |\n|---|---|---|\n"
        for field in spec.shape.fields {
            let need = field.isRequired ? "Required. " : ""
            out += "| `\(field.name)` | \(field.shape.words)\(range(field.shape)) | \(need)\(field.summary) |\n"
        }
        return out
    }

    private static func range(_ shape: KeyShape) -> String {
        switch shape {
        case .integer(let range): " from \(range.lowerBound) to \(range.upperBound)"
        case .duration(let range): ", at least \(range.lowerBound) s"
        case .size(let range) where range.lowerBound > 0:
            ", at least \(PolicyYAML.flow(.integer(Int64(range.lowerBound)), shape: shape))"
        default: ""
        }
    }

    private static let introduction = """
        # Policy reference

        Generated from the parser's key table; do not edit. `UPDATE_GOLDEN=1 swift test --filter JailPolicyTests` writes
        it again.

        A policy is one YAML document: a mapping with the keys below. Anchors, aliases, tags, duplicate keys and a second
        document are refused. An unknown key, a wrong type, a pattern that is too broad and a number that overflows are
        errors; all of them are reported at once, with line and column, and nothing is started (exit 2).

        - A **duration** is a number of seconds or text such as `90s`, `10m`, `1h30m`.
        - A **size** is a number of bytes or text such as `512MiB`, `2GiB` (`KiB`, `MiB`, `GiB`, `TiB`).
        - A **path pattern** is relative to the workspace. `X`, `X/` and `X/**` are X and everything below it, `*` stands
          for any run of characters within one name, `**` before other names for any number of directories.
        - An **absolute path** covers everything below it. Nothing is expanded.
        - An **empty list** is not the same as no key: an empty `write` allows nothing.
        - Where a key says *in this version*, the value is read and checked, and refused with exit 6 before anything
          starts, because nothing here could enforce it.

        Policies are found by name (`--policy ci`) or by path (`--policy ./jail.yaml`: it holds a `/` or ends in `.yaml`
        or `.yml`).

        """
}
