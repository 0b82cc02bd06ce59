import JailLaunch
import JailLedger
import JailModel
import JailPlan
import JailPolicy
import JailSystem

/// Remembers on disk which places a run holds in its workspace, so that the next run removes them when this one was
/// killed (SIGKILL, power): nothing half-made stays.
///
/// One file for each run that holds places, `held/RUN.PID` in the state directory, mode 0600: the workspace, then each
/// place, separated by NUL bytes; before a place stands `d`, or `f` with its content and a newline.
struct HeldPlaceJournal {
    private let path: String?

    init(id: RunID, workspace: String, places: [HeldPlace], environment: [String: String]) {
        guard !places.isEmpty, let directory = Self.directory(environment) else {
            path = nil
            return
        }
        var bytes = Array(workspace.utf8)
        for place in places {
            bytes.append(0)
            switch place.kind {
            case .directory: bytes += Array("d\n".utf8)
            case .file(let content): bytes += Array("f\(content)\n".utf8)
            }
            bytes += Array(place.text.utf8)
        }
        let file = "\(directory)/\(id.text).\(Files.processID)"
        // Without a journal the places are still removed at the end; only a kill would leave them.
        try? Files.makeDirectories(directory)
        if let output = try? Files.open(file, [.write, .create, .exclusive, .noFollow], mode: 0o600) {
            try? Files.writeAll(output.rawValue, bytes)
        }
        path = file
    }

    /// The places are gone.
    func close() {
        if let path { try? Files.remove(path) }
    }

    private static func directory(_ environment: [String: String]) -> String? {
        guard let store = try? RunStore.standard(environment), let end = store.root.lastIndex(of: "/") else {
            return nil
        }
        return store.root[..<end] + "/held"
    }

    /// Removes what killed runs have left in their workspaces, as far as no run is using them.
    ///
    /// - Parameter own: A workspace that the caller has locked for itself.
    static func recover(_ environment: [String: String], own: AbsolutePath? = nil) {
        guard let directory = directory(environment),
            let folder = try? Files.open(directory, [.read, .directory, .noFollow]),
            let names = try? Files.names(folder.rawValue)
        else { return }
        for name in names {
            guard let text = name.string, let dot = text.lastIndex(of: "."),
                let pid = Int32(text[text.index(after: dot)...]), pid == Files.processID || !Files.isAlive(pid),
                let file = try? Files.open(text, [.read, .noFollow, .nonBlocking], at: folder.rawValue),
                let status = try? Files.status(file.rawValue), status.kind == .file, status.uid == Files.userID,
                status.mode & 0o077 == 0, let bytes = try? Files.readAll(file.rawValue, limit: 1 << 20)
            else { continue }
            if removePlaces(bytes, own: own) { try? Files.remove(text, at: folder.rawValue) }
        }
    }

    /// Removes the places of one journal; `false` when a run still uses the workspace.
    private static func removePlaces(_ bytes: [UInt8], own: AbsolutePath?) -> Bool {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        // A workspace that is gone holds nothing any more.
        guard let workspace = parts.first.flatMap({ AbsolutePath($0) }),
            let root = try? Files.open(workspace.description, [.read, .directory])
        else { return true }
        guard workspace == own || Files.lock(root.rawValue, isExclusive: true) else { return false }
        HeldPlace.removeLeftovers(parts.dropFirst().compactMap(place), in: root.rawValue)
        return true
    }

    private static func place(_ text: String) -> HeldPlace? {
        guard let newline = text.firstIndex(of: "\n") else { return nil }
        let head = text[..<newline]
        let path = text[text.index(after: newline)...].split(separator: "/").map(String.init)
        guard !path.isEmpty, !path.contains("..") else { return nil }
        return HeldPlace(path: path, kind: head == "d" ? .directory : .file(String(head.dropFirst())))
    }
}
