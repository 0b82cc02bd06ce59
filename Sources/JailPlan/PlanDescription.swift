import JailModel
import JailPolicy

extension PlanStep: CustomStringConvertible {
    /// One stable line: the operation and what it is about.
    ///
    /// Also what a launch failure is told with.
    public var description: String {
        switch self {
        case .setIDs(let uid, let gid): "become uid \(uid) gid \(gid)"
        case .privateMounts: "make mounts private"
        case .openTree(let path, let slot, let identity, _):
            "open tree \(SafeText.escape(path)) as #\(slot.index)" + (identity == nil ? "" : " verified")
        case .tmpfs(let target, let options, let attributes):
            "mount tmpfs on \(SafeText.escape(target)) (\(options); \(attributes.text))"
        case .changeDirectory(let path): "change directory to \(SafeText.escape(path))"
        case .makeDirectory(let path, let mode):
            "make directory \(SafeText.escape(path)) mode \(String(mode, radix: 8))"
        case .makeFile(let path, _): "make file \(SafeText.escape(path))"
        case .symlink(let text, let path): "link \(SafeText.escape(path)) -> \(SafeText.escape(text))"
        case .attach(let slot, let target, let attributes, let keepSlot, _):
            "mount #\(slot.index) on \(SafeText.escape(target)) (\(attributes.text))" + (keepSlot ? " as a copy" : "")
        case .proc(let target): "mount proc on \(target)"
        case .devpts(let target, let options): "mount devpts on \(target) (\(options))"
        case .setAttributes(let path, let set, let recursive):
            "set \(set.text) on \(SafeText.escape(path))" + (recursive ? " and below" : "")
        case .pivotRoot: "pivot root and detach the host's"
        case .write(let path, let text): "write \(text) to \(path)"
        case .loopbackUp: "bring loopback up"
        case .hostname(let name): "set host name \(name)"
        case .sendDescriptor(let path, let tag): "send descriptor of \(SafeText.escape(path)) (\(tag))"
        case .pty: "make a terminal in the jail's devpts"
        case .landlockRuleset(let files, let tcp, let scopes):
            "landlock ruleset files=0x\(String(files.rawValue, radix: 16)) tcp=\(tcp) scopes=\(scopes)"
        case .landlockPath(let path, let rights, _):
            "landlock allow \(SafeText.escape(path)): \(rights.text)"
        case .subreaper: "become subreaper"
        case .overlay(let target, let options, let attributes):
            "mount overlay on \(SafeText.escape(target)) (\(options); \(attributes.text))"
        case .unmount(let path): "detach \(SafeText.escape(path))"
        case .removeDirectory(let path): "remove directory \(SafeText.escape(path))"
        case .probeAttribute(let path): "probe user attributes on \(SafeText.escape(path))"
        }
    }
}

extension FileRights {
    /// `read,write,execute` as far as each is held whole, else the bits.
    var text: String {
        var words: [String] = []
        var rest = self
        for (rights, name) in Self.names where rest.isSuperset(of: rights) || (name == "read" && contains(.readFile)) {
            words.append(name)
            rest.subtract(rights)
        }
        if rest.contains(.readDirectory) {
            words.append("list")
            rest.remove(.readDirectory)
        }
        if !rest.isEmpty { words.append("0x" + String(rest.rawValue, radix: 16)) }
        return words.joined(separator: ",")
    }
}

extension Plan: CustomStringConvertible {
    /// The whole plan as stable text, as `launch-jail plan` prints it and golden tests pin it.
    public var description: String {
        var lines: [String] = ["tier \(tier.rawValue)"]
        let names = Namespaces.names.filter { namespaces.contains($0.0) }.map(\.1)
        lines.append("namespaces " + (names.isEmpty ? "none" : names.joined(separator: " ")))
        if let map = idMap {
            lines.append(
                "id map uid \(map.insideUID) -> host \(map.outsideUID), gid \(map.insideGID) -> host \(map.outsideGID)")
        }
        for (index, tree) in idmappedTrees.enumerated() {
            lines.append("id-mapped tree #\(index) \(SafeText.escape(tree.path))")
        }
        if let layer { lines.append("workspace changes land in \(layer)") }
        for place in scratch { lines.append("scratch \(SafeText.escape(place.path.joined(separator: "/")))") }
        for place in heldPlaces {
            lines.append("hold \(place.kind.name) \(SafeText.escape(place.path.joined(separator: "/")))")
        }
        for (index, step) in steps.enumerated() { lines.append("step \(index): \(step)") }
        lines += tailLines + filterLines + enforcementLines
        for warning in warnings { lines.append("warning: " + warning) }
        return lines.joined(separator: "\n") + "\n"
    }

    private var tailLines: [String] {
        var lines: [String] = []
        for limit in tail.rlimits { lines.append("rlimit \(limit.resource.name) \(limit.value)") }
        for kind in BudgetKind.allCases {
            if let limit = limits.budgets[kind] { lines.append("budget \(kind.rawValue) \(limit)") }
        }
        if let cgroup = limits.cgroup {
            lines.append(
                "cgroup v\(cgroup.version) memory=\(cgroup.memory.map(String.init) ?? "-") "
                    + "processes=\(cgroup.processes.map(String.init) ?? "-") cpu=\(cgroup.metersCPU)")
        }
        lines.append("cwd \(SafeText.escape(tail.cwd))")
        lines.append(
            "no_new_privs, landlock=\(tail.usesLandlock), capabilities none, securebits=\(tail.locksSecureBits)")
        for variable in tail.environment { lines.append("env \(variable)") }
        for canary in tail.canaries { lines.append("canary \(canary.name) (\(canary.guarantee.rawValue))") }
        lines.append("exec \(SafeText.escape(tail.executable))")
        lines.append("argv " + tail.argv.map(\.description).joined(separator: " "))
        return lines
    }

    private var filterLines: [String] {
        var lines = ["seccomp ceiling \(SyscallFilter.ceiling), listener \(filter.hasListener)"]
        var byGroup: [SyscallFilter.Group: [String]] = [:]
        for rule in filter.rules where byGroup[rule.group]?.last != rule.name {
            byGroup[rule.group, default: []].append(rule.name)
        }
        for (group, names) in byGroup.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            var seen: Set<String> = []
            let unique = names.filter { seen.insert($0).inserted }
            lines.append("seccomp \(group.rawValue): " + unique.joined(separator: " "))
        }
        return lines
    }

    private var enforcementLines: [String] {
        enforcement.sorted { $0.key < $1.key }.map { guarantee, claim in
            "enforce \(guarantee.letter) \(guarantee.rawValue): \(claim.level.rawValue) "
                + "[\(claim.mechanisms.joined(separator: " "))]"
                + (claim.gaps.isEmpty ? "" : " gaps: " + claim.gaps.joined(separator: "; "))
        }
    }
}
