import JailModel
import JailPolicy
import JailSystem

/// The workspace and the working directory, resolved and verified by the parent (contract, section 7).
struct Places {
    let workspace: AbsolutePath
    let cwd: AbsolutePath

    init(workspace: String?, cwd: String?) throws(StepRefused) {
        let current = try Self.currentDirectory()
        let root = try Self.directory(workspace ?? current, "workspace", relativeTo: current)
        self.workspace = root
        guard let cwd else {
            let here = try Self.directory(current, "current directory", relativeTo: current)
            self.cwd = root.contains(here) ? here : root
            return
        }
        let resolved = try Self.directory(cwd, "working directory", relativeTo: current)
        guard root.contains(resolved) else {
            throw StepRefused(
                .invalid, .pathEscape,
                "the working directory \(SafeText.escape(cwd)) is outside the workspace \(root)",
                hint: "pass --workspace, or a --cwd inside it")
        }
        // The same components must lead there from the workspace as it was named: otherwise a link inside it did.
        let named = Self.absolute(cwd, relativeTo: current)
        let inside = Array(resolved.components.dropFirst(root.components.count))
        guard Array(named.suffix(inside.count)) == inside else {
            throw StepRefused(
                .invalid, .pathEscape, "the working directory \(SafeText.escape(cwd)) goes through a symbolic link",
                hint: "name the directory itself: \(resolved)")
        }
        self.cwd = resolved
    }

    static func currentDirectory() throws(StepRefused) -> String {
        let link: ByteString
        do throws(SystemError) {
            link = try Files.readLink("/proc/self/cwd")
        } catch {
            throw StepRefused(.invalid, .pathNotAllowed, "the current directory cannot be read: \(error)")
        }
        guard let text = link.string else {
            throw StepRefused(.invalid, .pathNotAllowed, "the current directory's path is not UTF-8")
        }
        return text
    }

    /// The components of a path without resolving links; `.` and `..` are taken by name.
    private static func absolute(_ path: String, relativeTo current: String) -> [String] {
        let text = path.utf8.first == UInt8(ascii: "/") ? path : current + "/" + path
        var out: [String] = []
        for part in text.split(separator: "/") where part != "." {
            if part == ".." { _ = out.popLast() } else { out.append(String(part)) }
        }
        return out
    }

    private static func directory(
        _ path: String, _ what: String, relativeTo current: String
    ) throws(StepRefused) -> AbsolutePath {
        guard !path.isEmpty else { throw StepRefused(.invalid, .pathNotAllowed, "the \(what) is an empty path") }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw StepRefused(
                .invalid, .pathNotAllowed,
                "the \(what) \(SafeText.escape(path)) holds a control character",
                hint: "rename the directory; mount interfaces and reports cannot carry it safely")
        }
        let text = path.utf8.first == UInt8(ascii: "/") ? path : current + "/" + path
        let resolution: PathResolution
        var kind: FileStatus.Kind?
        do throws(SystemError) {
            resolution = try Files.resolve(text)
            if resolution.exists { kind = try Files.status(resolution.path).kind }
        } catch {
            throw StepRefused(.invalid, .pathNotAllowed, "the \(what) cannot be used: \(error)")
        }
        guard resolution.exists else {
            throw StepRefused(.invalid, .pathNotAllowed, "the \(what) \(SafeText.escape(path)) does not exist")
        }
        guard let resolved = resolution.path.string.flatMap({ AbsolutePath($0) }) else {
            throw StepRefused(
                .invalid, .pathNotAllowed, "the \(what) \(SafeText.escape(path)) is not a plain UTF-8 path")
        }
        guard kind == .directory else {
            throw StepRefused(.invalid, .pathNotAllowed, "the \(what) \(SafeText.escape(path)) is not a directory")
        }
        return resolved
    }
}
