import JailModel

/// Which keys of git's configuration start programs, name other configuration, or send git to another place.
///
/// Row F1. From git-config(1); keys that only a shared helper of git reads (`lfs.*`) are there as well.
enum GitConfigKeys {
    /// What a change of a configuration file hands over, a phrase for each key: `sets core.pager`, `changes alias.st`.
    ///
    /// - Parameters:
    ///   - before: The text that was there; `nil` when there was none or it is not known, so that every key counts.
    ///   - after: The text that is there; `nil` when it is not known.
    static func changes(before: [UInt8]?, after: [UInt8]?) -> [String] {
        guard let after else { return ["its content is unknown, and git may find programs in it"] }
        guard let entries = GitConfigText.entries(after) else { return ["git cannot parse it as configuration"] }
        let old = values(before.flatMap(GitConfigText.entries) ?? [])
        let new = values(entries)
        var reasons: [String] = []
        for name in new.order {
            guard let value = new.byName[name], value != old.byName[name] else { continue }
            guard value.contains(where: { isDangerous(name, $0.value) }) else { continue }
            reasons.append((old.byName[name] == nil ? "sets " : "changes ") + SafeText.escape(name))
        }
        return reasons + dropped(old, new)
    }

    /// What the loss of a configuration file hands over.
    static func deletion(before: [UInt8]?) -> [String] {
        dropped(values(before.flatMap(GitConfigText.entries) ?? []), values([]))
    }

    /// The directories that `core.hooksPath` names in a text.
    static func hooksPaths(_ text: [UInt8]) -> [[UInt8]] {
        (GitConfigText.entries(text) ?? []).compactMap { $0.name == hooksPath ? $0.value : nil }
    }

    private static let hooksPath = Array("core.hookspath".utf8)

    /// Without this key the checks that a team shares do not run any more.
    private static func dropped(_ old: Values, _ new: Values) -> [String] {
        old.byName[hooksPath] != nil && new.byName[hooksPath] == nil ? ["no longer sets core.hookspath"] : []
    }

    // MARK: values

    /// A key may stand more than once, and the order counts then.
    private struct Values {
        var byName: [[UInt8]: [GitConfigEntry]] = [:]
        var order: [[UInt8]] = []
    }

    private static func values(_ entries: [GitConfigEntry]) -> Values {
        var out = Values()
        for entry in entries {
            if out.byName[entry.name] == nil { out.order.append(entry.name) }
            out.byName[entry.name, default: []].append(entry)
        }
        return out
    }

    // MARK: keys

    private static func isDangerous(_ name: [UInt8], _ value: [UInt8]?) -> Bool {
        let dot = UInt8(ascii: ".")
        guard let first = name.firstIndex(of: dot), let last = name.lastIndex(of: dot) else { return false }
        let section = String(decoding: name[..<first], as: UTF8.self)
        let key = String(decoding: name[(last + 1)...], as: UTF8.self)
        let subsection = first < last ? Array(name[(first + 1)..<last]) : nil
        if isAlwaysDangerous(section, key) { return true }
        switch (section, key) {
        // Built into git when it is only switched on or off.
        case ("core", "fsmonitor"), ("pager", _): return !isSwitch(value)
        case ("remote", "url"), ("remote", "pushurl"): return isHelper(value)
        case ("submodule", "url"): return isHelper(value) || climbs(subsection)
        case ("submodule", "update"): return value?.first == UInt8(ascii: "!")
        case ("submodule", "path"): return value?.first == UInt8(ascii: "-") || climbs(subsection)
        default: return false
        }
    }

    /// Keys by section; an empty set stands for every key of it.
    private static let always: [String: Set<String>] = [
        "alias": [], "extensions": [], "include": ["path"], "includeif": ["path"],
        "core": [
            "sshcommand", "pager", "editor", "hookspath", "gitproxy", "askpass", "worktree", "attributesfile",
            "alternaterefscommand",
        ],
        "credential": ["helper"], "filter": ["clean", "smudge", "process"],
        "diff": ["textconv", "command", "external"], "merge": ["driver"],
        "difftool": ["cmd", "path"], "mergetool": ["cmd", "path"], "guitool": ["cmd"], "browser": ["cmd", "path"],
        "man": ["cmd", "path"], "instaweb": ["httpd", "browser"], "interactive": ["difffilter"],
        "uploadpack": ["packobjectshook"], "gc": ["recentobjectshook"], "hook": ["command"],
        "gpg": ["program", "defaultkeycommand"], "sequence": ["editor"], "trailer": ["command", "cmd"],
        "tar": ["command"], "imap": ["tunnel"], "init": ["templatedir"],
        "sendemail": ["smtpserver", "sendmailcmd", "tocmd", "cccmd", "headercmd"],
        "remote": ["uploadpack", "receivepack", "vcs"], "url": ["insteadof", "pushinsteadof"], "protocol": ["allow"],
        "lfs": ["path", "clean", "smudge"],
    ]

    private static func isAlwaysDangerous(_ section: String, _ key: String) -> Bool {
        guard let keys = always[section] else { return false }
        return keys.isEmpty || keys.contains(key)
    }

    /// Whether git reads a value as a truth value.
    private static func isSwitch(_ value: [UInt8]?) -> Bool {
        guard let value else { return true }
        let words = ["", "true", "false", "yes", "no", "on", "off", "0", "1"]
        return words.contains(String(decoding: value, as: UTF8.self).lowercased())
    }

    /// Whether an address names a program (`ext::sh -c …`) or would be taken for an option.
    private static func isHelper(_ value: [UInt8]?) -> Bool {
        guard let value, let first = value.first else { return false }
        if first == UInt8(ascii: "-") { return true }
        guard let colon = value.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon + 1 < value.count else {
            return false
        }
        return value[colon + 1] == UInt8(ascii: ":")
            && value[..<colon].allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "[") }
    }

    /// Whether a submodule's name leads out of `.git/modules`.
    private static func climbs(_ name: [UInt8]?) -> Bool {
        (name ?? []).split(whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") })
            .contains { $0.elementsEqual("..".utf8) }
    }
}
