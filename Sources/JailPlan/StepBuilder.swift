import JailModel
import JailPolicy

/// Collects steps in order, hands out slots, and makes each mount point once.
struct StepBuilder {
    private(set) var steps: [PlanStep] = []
    private var nextSlot: Int
    /// What covers which path, deepest last: below a tmpfs mount points are made, below a bind they exist.
    private var covers: [(path: AbsolutePath, isOurs: Bool)] = [(AbsolutePath(components: []), true)]
    private var made: Set<AbsolutePath> = []

    init(firstSlot: Int) { nextSlot = firstSlot }

    mutating func add(_ step: PlanStep) { steps.append(step) }

    mutating func slot() -> Slot {
        defer { nextSlot += 1 }
        return Slot(index: nextSlot)
    }

    var slotCount: Int { nextSlot }

    /// The path of a place in the root that is being built, relative to the current directory.
    static func inNewRoot(_ path: AbsolutePath) -> String {
        path.components.isEmpty ? "." : path.components.joined(separator: "/")
    }

    /// Remembers that something now stands at a path.
    mutating func cover(_ path: AbsolutePath, isOurs: Bool) { covers.append((path, isOurs)) }

    /// Makes the directories above and at a path where the new root does not have them yet.
    mutating func makeDirectories(to path: AbsolutePath, mode: UInt32 = 0o755) {
        for count in path.components.indices {
            let place = AbsolutePath(components: Array(path.components.prefix(count + 1)))
            guard isOurs(place), made.insert(place).inserted else { continue }
            add(.makeDirectory(Self.inNewRoot(place), mode: mode))
        }
    }

    /// Makes an empty file to mount on.
    mutating func makeFile(at path: AbsolutePath) {
        makeDirectories(to: path.parent)
        guard isOurs(path), made.insert(path).inserted else { return }
        add(.makeFile(Self.inNewRoot(path), mode: 0o644))
    }

    mutating func makeLink(at path: AbsolutePath, text: String) {
        makeDirectories(to: path.parent)
        guard isOurs(path), made.insert(path).inserted else { return }
        add(.symlink(text: text, path: Self.inNewRoot(path)))
    }

    mutating func attach(
        _ slot: Slot, at path: AbsolutePath, isDirectory: Bool, _ attributes: MountAttributes, keepSlot: Bool = false
    ) {
        if isDirectory { makeDirectories(to: path) } else { makeFile(at: path) }
        add(
            .attach(
                slot: slot, target: Self.inNewRoot(path), attributes: attributes, keepSlot: keepSlot, optional: false))
        cover(path, isOurs: false)
    }

    mutating func tmpfs(at path: AbsolutePath, options: String, _ attributes: MountAttributes) {
        makeDirectories(to: path)
        add(.tmpfs(target: Self.inNewRoot(path), options: options, attributes: attributes))
        cover(path, isOurs: true)
    }

    /// Whether a place lies on a tmpfs that this plan mounts, so that nothing of the host is there.
    private func isOurs(_ path: AbsolutePath) -> Bool {
        covers.last { $0.path.contains(path) }?.isOurs ?? true
    }
}
