import JailDigest
import JailModel

/// Writes changed files as a unified diff in git's form, which `git apply` and GNU `patch -p1` take.
///
/// GNU patch takes no binary files.
/// Guarantee L: the text of `changes.patch`.
public enum PatchText {
    /// The text for one file; empty when nothing changed that git records.
    ///
    /// A patch for several files is these texts one after the other, removed files before new ones where a directory
    /// takes the place of a file or the other way round.
    /// - Parameter diff: the comparison of the two contents, when it was made already.
    public static func render(
        _ file: FilePatch, diff: FileDiff? = nil, limits: PatchLimits = PatchLimits(),
        diffLimits: DiffLimits = DiffLimits()
    ) -> [UInt8] {
        var out: [UInt8] = []
        append(file, diff: diff, limits: limits, diffLimits: diffLimits, to: &out)
        return out
    }

    /// Adds the text for one file to a patch.
    public static func append(
        _ file: FilePatch, diff: FileDiff? = nil, limits: PatchLimits = PatchLimits(),
        diffLimits: DiffLimits = DiffLimits(), to out: inout [UInt8]
    ) {
        if let old = file.old, let new = file.new, (old.mode == .link) != (new.mode == .link) {
            // A link that became a file has no lines in common with it: git tells a removal and an addition.
            let from = file.from ?? file.path
            append(FilePatch(path: from, old: old, new: nil), limits: limits, diffLimits: diffLimits, to: &out)
            append(FilePatch(path: file.path, old: nil, new: new), limits: limits, diffLimits: diffLimits, to: &out)
            return
        }
        guard file.old != nil || file.new != nil else { return }
        let body = PatchBody(file, diff: diff, limits: limits, diffLimits: diffLimits)
        let isRenamed = file.from != nil && file.from != file.path && file.old != nil && file.new != nil
        guard isRenamed || file.old?.mode != file.new?.mode || body != .same else { return }
        let names = PatchNames(file, isRenamed: isRenamed)
        appendHeader(file, names, body, isRenamed: isRenamed, to: &out)
        appendBody(file, names, body, to: &out)
    }

    private static func appendHeader(
        _ file: FilePatch, _ names: PatchNames, _ body: PatchBody, isRenamed: Bool, to out: inout [UInt8]
    ) {
        out += "diff --git ".utf8 + names.git(withLines: body.hasLines) + [newline]
        if let old = file.old, let new = file.new {
            if old.mode != new.mode { out += "old mode \(old.mode.rawValue)\nnew mode \(new.mode.rawValue)\n".utf8 }
            if isRenamed {
                out += "similarity index \(body.similarity(file))%\nrename from ".utf8 + names.renamedFrom + [newline]
                out += "rename to ".utf8 + names.renamedTo + [newline]
            }
        } else if let new = file.new {
            out += "new file mode \(new.mode.rawValue)\n".utf8
        } else if let old = file.old {
            out += "deleted file mode \(old.mode.rawValue)\n".utf8
        }
        // GNU patch learns only here that what it renames is a link.
        guard body != .same || (isRenamed && file.new?.mode == .link), let ids = ids(file) else { return }
        out += "index \(ids.old)..\(ids.new)".utf8
        if let mode = file.old?.mode, mode == file.new?.mode { out += " \(mode.rawValue)".utf8 }
        out.append(newline)
    }

    /// The git names of both contents; `nil` when one of them was not read.
    private static func ids(_ file: FilePatch) -> (old: GitBlobID, new: GitBlobID)? {
        func id(_ side: PatchSide?) -> GitBlobID? {
            switch side?.content {
            case nil: GitBlobID.absent
            case .bytes(let bytes): GitBlobID.of(bytes)
            case .omitted: nil
            }
        }
        guard let old = id(file.old), let new = id(file.new) else { return nil }
        return (old, new)
    }

    private static func appendBody(_ file: FilePatch, _ names: PatchNames, _ body: PatchBody, to out: inout [UInt8]) {
        switch body {
        case .same:
            break
        case .text(let old, let new, let changes):
            guard !changes.isEmpty else { return }
            out += "--- ".utf8 + names.oldLine + [newline] + "+++ ".utf8 + names.newLine + [newline]
            HunkText.append(changes, old: old, new: new, to: &out)
        case .binary(let old, let new):
            out += "GIT binary patch\n".utf8
            BinaryPatch.append(new, to: &out)
            BinaryPatch.append(old, to: &out)
        case .untold:
            out += "Binary files ".utf8 + names.oldName + " and ".utf8 + names.newName + " differ\n".utf8
        }
    }
}

/// What a patch says about the contents of a file.
enum PatchBody: Hashable {
    case same
    /// Lines; no changes when one side is an empty file and the other is absent.
    case text(old: [UInt8], new: [UInt8], changes: [LineChange])
    case binary(old: [UInt8], new: [UInt8])
    /// Too large.
    case untold

    init(_ file: FilePatch, diff: FileDiff?, limits: PatchLimits, diffLimits: DiffLimits) {
        guard let old = Self.bytes(file.old), let new = Self.bytes(file.new) else {
            self = Self.isSameOmitted(file) ? .same : .untold
            return
        }
        if file.old != nil, file.new != nil, old == new {
            self = .same
            return
        }
        let largest = max(old.count, new.count)
        if LineDiff.isBinary(old) || LineDiff.isBinary(new) {
            self = largest <= limits.binaryBytes ? .binary(old: old, new: new) : .untold
        } else if largest > limits.textBytes {
            self = .untold
        } else {
            let told = diff ?? LineDiff.compare(old: old, new: new, limits: diffLimits)
            self = .text(old: old, new: new, changes: told.changes)
        }
    }

    var hasLines: Bool {
        guard case .text(_, _, let changes) = self else { return false }
        return !changes.isEmpty
    }

    /// How much of the larger content stayed, in percent; 100 only when nothing changed.
    func similarity(_ file: FilePatch) -> Int {
        switch self {
        case .same: return 100
        case .text(let old, let new, let changes):
            let stayed = old.count - changes.reduce(0) { $0 + $1.oldBytes.count }
            return min(99, stayed * 100 / max(old.count, new.count, 1))
        case .binary(let old, let new):
            let start = zip(old, new).prefix { $0 == $1 }.count
            let end = zip(old[start...].reversed(), new[start...].reversed()).prefix { $0 == $1 }.count
            return min(99, (start + end) * 100 / max(old.count, new.count, 1))
        case .untold: return 0
        }
    }

    /// An absent side is like an empty one; `nil` when the content was not read.
    private static func bytes(_ side: PatchSide?) -> [UInt8]? {
        switch side?.content {
        case nil: []
        case .bytes(let bytes): bytes
        case .omitted: nil
        }
    }

    private static func isSameOmitted(_ file: FilePatch) -> Bool {
        guard case .omitted(let old?) = file.old?.content, case .omitted(let new?) = file.new?.content else {
            return false
        }
        return old == new
    }
}
