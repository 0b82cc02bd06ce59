public import JailModel

extension ReportDocument.Changes {
    init(_ reader: ReportReader) throws(ReportError) {
        state = try reader.choice("state")
        mode = try reader.choice("mode")
        layer = try reader.text("layer")
        files = try reader.elements("files", ReportDocument.ChangedFile.init)
        omitted = try reader.optionalNumber("files_omitted") ?? 0
        conflicts = try reader.texts("conflicts")
    }

    /// A line for each file and a total, as `git diff --stat` gives them.
    public func summary(width: Int) -> String {
        if files.isEmpty { return "no changes\n" }
        let names = files.map { SafeText.escape($0.from.isEmpty ? $0.path : "\($0.from) => \($0.path)") }
        let longest = min(names.map(\.count).max() ?? 0, max(20, width - 30))
        var out = ""
        for (file, name) in zip(files, names) {
            let shown = name.count > longest ? "…" + name.suffix(longest - 1) : name
            let counts =
                file.isBinary
                ? "binary \(file.sizeBefore) -> \(file.sizeAfter) bytes" : "+\(file.added) -\(file.removed)"
            out += " " + padded(shown, to: longest + 1) + "| " + padded(file.kind.rawValue, to: 8) + " " + counts + "\n"
        }
        let added = files.reduce(Int64(0)) { $0 &+ $1.added }
        let removed = files.reduce(Int64(0)) { $0 &+ $1.removed }
        return out + " \(counted(count, "file")) changed, \(added) added, \(removed) removed (\(words))\n"
    }

    /// How many files changed, listed or not; directories do not count.
    public var count: Int { files.count { !$0.isDirectory } + Int(omitted) }

    /// Where they stand, for people.
    public var words: String {
        switch state {
        case .none: "nothing to publish"
        case .pending: "pending"
        case .committed: "committed"
        case .discarded: "discarded"
        case .rolledBack: "rolled back"
        }
    }

    func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
}

extension ReportDocument.ChangedFile {
    init(_ reader: ReportReader) throws(ReportError) {
        path = try reader.text("path")
        from = try reader.optionalText("from") ?? ""
        kind = try reader.choice("kind")
        added = try reader.number("added")
        removed = try reader.number("removed")
        isBinary = try reader.flag("binary")
        isDirectory = try reader.flag("directory")
        sizeBefore = try reader.number("size_before")
        sizeAfter = try reader.number("size_after")
    }
}

extension ReportDocument {
    /// The same report with where its changes stand now.
    public func showing(_ state: ChangeState) throws(ReportError) -> ReportDocument {
        guard case .object(var members) = json, case .object(var changes)? = members["changes"] else { return self }
        changes["state"] = .string(state.rawValue)
        members["changes"] = .object(changes)
        return try ReportDocument(.object(members))
    }
}
