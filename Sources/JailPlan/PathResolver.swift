import JailModel
import JailPolicy

/// Answers questions about host paths from the facts that were read once, without touching the file system.
struct PathResolver {
    let facts: [String: PathFact]

    func fact(_ path: AbsolutePath) -> PathFact { facts[path.description] ?? .absent }

    /// The path after every symbolic link in it was followed, and what stands there; `nil` for a loop.
    func resolve(_ path: AbsolutePath) -> (path: AbsolutePath, fact: PathFact)? {
        var pending = Array(path.components.reversed())
        var done: [String] = []
        var links = 0
        while let component = pending.popLast() {
            if component == ".." {
                _ = done.popLast()
                continue
            }
            let next = AbsolutePath(components: done + [component])
            guard case .link(let text) = fact(next).kind else {
                done.append(component)
                continue
            }
            links += 1
            guard links <= 40 else { return nil }
            if text.utf8.first == UInt8(ascii: "/") { done = [] }
            let parts = text.split(separator: "/").map(String.init).filter { $0 != "." }
            pending.append(contentsOf: parts.reversed())
        }
        let resolved = AbsolutePath(components: done)
        return (resolved, fact(resolved))
    }

    /// Every symbolic link on the way to a path, as `(place, text)`, so that the jail can show the same names.
    func links(to path: AbsolutePath) -> [(place: AbsolutePath, text: String)] {
        var found: [(AbsolutePath, String)] = []
        for count in path.components.indices {
            let prefix = AbsolutePath(components: Array(path.components.prefix(count + 1)))
            if case .link(let text) = fact(prefix).kind { found.append((prefix, text)) }
        }
        return found
    }
}
