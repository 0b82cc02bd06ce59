import JailDigest
import JailModel
import JailPlan
import JailPolicy
import JailSystem

/// Finds the executable as the jail will see it, and says what is wrong when there is none.
struct CommandFinder {
    let policy: Policy
    let places: Places
    let environment: [String: String]

    /// The path to execute.
    ///
    /// - Throws: ``StepRefused``: exit 2 for what is missing or not executable, exit 3 for what the policy forbids.
    func find(_ name: ByteString) throws(StepRefused) -> AbsolutePath {
        guard let text = name.string, !text.isEmpty else {
            throw refused("the command \(name) is not a UTF-8 name")
        }
        if text.utf8.contains(UInt8(ascii: "/")) {
            let full = text.utf8.first == UInt8(ascii: "/") ? text : places.cwd.description + "/" + text
            return try check(full, named: text)
        }
        var found: String?
        for directory in searchPath.split(separator: ":") where directory.utf8.first == UInt8(ascii: "/") {
            let candidate = "\(directory)/\(text)"
            guard let status = (try? Files.status(candidate, followingLinks: true)), status.kind == .file else {
                continue
            }
            guard status.mode & 0o111 != 0 else {
                found = found ?? candidate
                continue
            }
            return try check(candidate, named: text)
        }
        if let found { throw notExecutable(found) }
        throw refused(
            "command not found: \(SafeText.escape(text)) (looked in \(searchPath))",
            hint: "give its path, or set PATH under env.set in the policy")
    }

    private var searchPath: String {
        if let name = EnvironmentName("PATH") {
            if let set = policy.environment.set[name] { return set }
            if policy.environment.pass.contains(name), let own = environment["PATH"] { return own }
        }
        return EnvironmentPlan.defaultPath
    }

    private func check(_ path: String, named name: String) throws(StepRefused) -> AbsolutePath {
        let resolution: PathResolution
        let status: FileStatus
        do throws(SystemError) {
            resolution = try Files.resolve(path)
            status = try Files.status(path, followingLinks: true)
        } catch {
            if error.errno == 2 { throw refused("command not found: \(SafeText.escape(path))") }
            throw refused("the command \(SafeText.escape(path)) cannot be used: \(error)")
        }
        switch status.kind {
        case .file: break
        case .directory: throw refused("the command \(SafeText.escape(path)) is a directory")
        default: throw refused("the command \(SafeText.escape(path)) is not a regular file")
        }
        guard status.mode & 0o111 != 0 else { throw notExecutable(path) }
        guard let real = resolution.path.string.flatMap({ AbsolutePath($0) }) else {
            throw refused("the command \(SafeText.escape(path)) has a path that no policy can name")
        }
        try checkPolicy(real)
        // A program that looks at its own name (busybox, a venv's python) must see the name that was asked for.
        guard let named = cleaned(path), isVisible(named) else { return real }
        return named
    }

    private func cleaned(_ path: String) -> AbsolutePath? {
        AbsolutePath("/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/"))
    }

    private func isVisible(_ path: AbsolutePath) -> Bool {
        places.workspace.contains(path)
            || (policy.filesystem.read + policy.filesystem.write).contains { $0.contains(path) }
    }

    private func checkPolicy(_ real: AbsolutePath) throws(StepRefused) {
        if places.workspace.contains(real) {
            let inside = Array(real.components.dropFirst(places.workspace.components.count))
            if let pattern = policy.workspace.untrusted.first(where: { $0.matches(components: inside) }) {
                throw StepRefused(
                    .violation, .untrustedExecution,
                    "the command \(real) is inside workspace.untrusted (\(pattern.text)), which is never executed")
            }
            if policy.exec.workspace == .deny {
                throw StepRefused(
                    .violation, .untrustedExecution,
                    "the command \(real) is a file of the workspace, and exec.workspace is deny",
                    hint: "exec: {workspace: allow}")
            }
            return
        }
        // A grant may be named through a link, as /bin is; both sides are compared as they really are.
        let granted = policy.filesystem.read.contains { grant in
            if grant.contains(real) { return true }
            let resolved = (try? Files.resolve(grant.description))?.path.string.flatMap { AbsolutePath($0) }
            return resolved?.contains(real) ?? false
        }
        guard granted else {
            throw refused(
                "the command \(real) does not exist in the jail: filesystem.read does not grant it",
                hint: "filesystem: {read: [\(real.parent)]}")
        }
    }

    private func notExecutable(_ path: String) -> StepRefused {
        refused("the command \(SafeText.escape(path)) is not executable", hint: "chmod +x it, or run its interpreter")
    }

    private func refused(_ message: String, hint: String = "") -> StepRefused {
        StepRefused(.invalid, .launchFailed, message, hint: hint)
    }

    /// Compares pinned executables with their digests (guarantee J; `exec.allow: {path, sha256}`).
    func checkPins() throws(StepRefused) {
        for rule in policy.exec.allow ?? [] {
            guard case .pinned(let path, let digest) = rule else { continue }
            guard let actual = Self.digest(path.description) else {
                throw refused("exec.allow: \(path) cannot be read to compare its sha256")
            }
            guard actual == digest else {
                throw StepRefused(
                    .violation, .toolChecksumMismatch,
                    "exec.allow: \(path) has sha256 \(actual), the policy pins \(digest)",
                    hint: "install the pinned version, or pin this one")
            }
        }
    }

    /// The digest of a file; `nil` when it cannot be read.
    static func digest(_ path: String) -> SHA256Value? {
        // Not blocking, and only a regular file up to the size it has now: a FIFO or a device would never end.
        guard let file = try? Files.open(path, [.read, .nonBlocking, .noControllingTerminal]),
            let status = try? Files.status(file.rawValue), status.kind == .file
        else { return nil }
        var stream = SHA256Stream()
        var left = status.size
        var buffer = [UInt8](repeating: 0, count: 1 << 15)
        while left > 0 {
            guard let count = try? Files.read(file.rawValue, into: &buffer), count > 0 else { break }
            stream.update(count == buffer.count ? buffer : Array(buffer[..<count]))
            left -= min(left, UInt64(count))
        }
        return left == 0 ? stream.finish() : nil
    }
}
