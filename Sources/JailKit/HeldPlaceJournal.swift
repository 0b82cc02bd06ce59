import JailLedger
import JailModel
import JailPlan
import JailSystem

/// Remembers on disk which empty places a run holds in its workspace, so that the next run removes them when this one
/// was killed (SIGKILL, power): nothing half-made stays.
///
/// One file for each run that holds places, `held/RUN` in the state directory: the workspace and each place, separated
/// by NUL bytes, with `d` or `f` before a place.
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
            bytes.append(place.kind == .directory ? UInt8(ascii: "d") : UInt8(ascii: "f"))
            bytes += Array(place.path.joined(separator: "/").utf8)
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
        guard let store = try? RunStore.standard(environment) else { return nil }
        return store.root + "/../held"
    }

    /// Removes what killed runs left in their workspaces.
    static func recover(_ environment: [String: String]) {
        guard let directory = directory(environment), let folder = try? Files.open(directory, [.read, .directory]),
            let names = try? Files.names(folder.rawValue)
        else { return }
        for name in names {
            guard let text = name.string, let dot = text.lastIndex(of: "."),
                let pid = Int32(text[text.index(after: dot)...]), !Files.isAlive(pid)
            else { continue }
            if let bytes = try? Files.read(text, limit: 1 << 20, at: folder.rawValue) { removePlaces(bytes) }
            try? Files.remove(text, at: folder.rawValue)
        }
    }

    private static func removePlaces(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard let workspace = parts.first, let root = try? Files.open(workspace, [.read, .directory]) else { return }
        for part in parts.dropFirst().reversed() {
            let place = String(part.dropFirst())
            let components = place.split(separator: "/")
            let above = components.dropLast().joined(separator: "/")
            guard let name = components.last.map(String.init),
                let parent = try? Files.open(
                    above.isEmpty ? "." : above, [.read, .directory, .noFollow], at: root.rawValue,
                    resolve: [.beneath, .noSymlinks, .noMagicLinks])
            else { continue }
            if part.hasPrefix("d") {
                // Not empty: somebody uses it.
                try? Files.remove(name, isDirectory: true, at: parent.rawValue)
            } else if (try? Files.status(name, at: parent.rawValue))?.size == 0 {
                try? Files.remove(name, at: parent.rawValue)
            }
        }
    }
}
