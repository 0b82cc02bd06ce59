import JailModel
import JailSystem
import JailWorkspace

/// A random generator that gives the same numbers for the same seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// Makes random trees and changes them at random.
struct TreeMutator {
    let root: ByteString
    var random: SeededRandom

    init(_ path: String, seed: UInt64) {
        root = ByteString(path)
        random = SeededRandom(seed: seed)
    }

    private static let names: [ByteString] = [
        "a", "b", "a-b", "c.txt", "new\nline", ByteString([0xff, 0xfe, 0x2e]) ?? "x", "dir", "Sub Dir", "z", "é",
    ]

    private func full(_ path: ByteString) -> ByteString { root.child(path) }

    /// All paths of a kind, sorted; the top counts as a directory.
    func paths(_ kind: ObjectKind) throws -> [ByteString] {
        var found: [ByteString] = kind == .directory ? [""] : []
        try collect("", kind, &found)
        return found.sorted()
    }

    private func collect(_ path: ByteString, _ kind: ObjectKind, _ found: inout [ByteString]) throws {
        let folder = try Files.open(full(path), [.read, .directory])
        for name in try Files.names(folder.rawValue) {
            let status = try Files.status(name, at: folder.rawValue)
            if ObjectReader.kind(status) == kind { found.append(path.child(name)) }
            if status.kind == .directory { try collect(path.child(name), kind, &found) }
        }
    }

    private mutating func pick(_ kind: ObjectKind) throws -> ByteString? {
        try paths(kind).randomElement(using: &random)
    }

    /// A path at which nothing is.
    private mutating func free() throws -> ByteString? {
        guard let parent = try pick(.directory), let name = Self.names.randomElement(using: &random) else { return nil }
        let path = parent.child(name)
        return try Files.statusIfPresent(full(path)) == nil ? path : nil
    }

    private mutating func write(_ path: ByteString) throws {
        let file = try Files.open(full(path), [.write, .create, .truncate], mode: 0o644)
        let size = [0, 1, 100, 5000].randomElement(using: &random) ?? 0
        let letter = UInt8.random(in: 97...122, using: &random)
        try Files.writeAll(file.rawValue, [UInt8](repeating: letter, count: size))
        if Int.random(in: 0..<6, using: &random) == 0 {
            // A hole at the end.
            try Files.setLength(file.rawValue, 200_000)
        }
    }

    /// One random operation; whether it did something.
    @discardableResult
    mutating func step() throws -> Bool {
        switch Int.random(in: 0..<15, using: &random) {
        case 0, 1, 2:
            guard let path = try free() else { return false }
            try write(path)
        case 3, 4:
            guard let path = try pick(.file) else { return false }
            try write(path)
        case 5:
            guard let path = try free() else { return false }
            try Files.makeDirectory(full(path), mode: 0o755)
        case 6:
            guard let path = try free() else { return false }
            try Files.makeLink(
                ["a", "../b", "/etc/passwd", "nowhere"].randomElement(using: &random) ?? "a", named: full(path))
        case 7:
            guard let path = try pick(.file) else { return false }
            try Files.remove(full(path))
        case 8:
            guard let path = try pick(.directory), path != "" else { return false }
            try Files.removeTree(full(path))
            if Bool.random(using: &random) { try write(path) }
        case 9:
            guard let path = try pick(.file) else { return false }
            try Files.remove(full(path))
            try Files.makeDirectory(full(path), mode: 0o755)
            try write(path.child("inner"))
            try Files.makeLink("inner", named: full(path.child("link")))
        case 10:
            guard let path = try pick(Bool.random(using: &random) ? .file : .directory), path != "",
                let target = try free(), !target.bytes.starts(with: path.bytes)
            else { return false }
            try Files.rename(full(path), at: currentDirectory, to: full(target), at: currentDirectory)
        case 11:
            guard let path = try pick(.file), let target = try free() else { return false }
            try Files.link(full(path), at: currentDirectory, to: full(target), at: currentDirectory)
        case 12:
            guard let path = try pick(Bool.random(using: &random) ? .file : .directory), path != "" else {
                return false
            }
            try Files.setMode(
                full(path), [0o600, 0o755, 0o555, 0o640].randomElement(using: &random) ?? 0o600, at: currentDirectory)
            // What may not be written must not be chosen by an ordinary user's next step.
            if Files.userID != 0 { try Files.setMode(full(path), 0o700, at: currentDirectory) }
        case 13:
            guard let path = try pick(Bool.random(using: &random) ? .file : .directory), path != "" else {
                return false
            }
            let file = try Files.open(full(path), [.read, .noFollow])
            let value = [UInt8.random(in: 0...255, using: &random), 0, 10]
            try ExtendedAttributes.set("user.note", value, file.rawValue)
        default:
            guard let path = try pick(Bool.random(using: &random) ? .file : .link) else { return false }
            try Files.setModified(full(path), Int64.random(in: 0..<1 << 60, using: &random), at: currentDirectory)
        }
        return true
    }

    /// So many operations that did something.
    mutating func run(_ count: Int) throws {
        var done = 0
        while done < count { if try step() { done += 1 } }
    }

    /// Gives every object a time of its own, so that a test tells old times from new ones.
    mutating func age() throws {
        for kind in [ObjectKind.file, .link, .directory] {
            for path in try paths(kind).reversed() {
                let time = 1_000_000_000_000_000_000 + Int64.random(in: 0..<1_000_000_000_000, using: &random)
                try Files.setModified(full(path), time, at: currentDirectory)
            }
        }
    }
}

/// Copies a whole tree with its hard links and times.
func copyTree(_ from: borrowing WorkspaceTree, to target: borrowing WorkspaceTree) throws {
    var names: [UInt64: ByteString] = [:]
    try copyTree("", from, target, &names)
}

private func copyTree(
    _ path: ByteString, _ from: borrowing WorkspaceTree, _ target: borrowing WorkspaceTree,
    _ names: inout [UInt64: ByteString]
) throws {
    let here = try from.openDirectory(path.bytes[...])
    let there = try target.openDirectory(path.bytes[...])
    for name in try Files.names(here.rawValue) {
        let status = try Files.status(name, at: here.rawValue)
        let inner = path.child(name)
        if status.kind == .file, let first = names[status.inode] {
            try Files.link(first, at: target.descriptor, to: inner, at: target.descriptor)
            continue
        }
        names[status.inode] = inner
        try ObjectCopier.copy(name, at: here.rawValue, to: name, at: there.rawValue)
        guard status.kind == .directory else { continue }
        // An ordinary user can fill no directory that its owner may not write.
        try Files.setMode(name, 0o700, at: there.rawValue)
        try copyTree(inner, from, target, &names)
        try Files.setMode(name, status.mode, at: there.rawValue)
    }
    try Files.setModified(there.rawValue, try Files.status(here.rawValue).modified)
}
