import JailDiff
import JailModel
import RunSupport
import Testing

/// Patches of made-up trees, given to the programs that will read them.
@Suite struct PatchToolTests {
    /// Two trees and what leads from one to the other.
    struct Step {
        var before: FileTree = [:]
        var after: FileTree = [:]
        var files: [FilePatch] = []

        /// What is removed goes first, so that a directory can take the place of a file.
        var patch: [UInt8] {
            var out: [UInt8] = []
            for file in files where file.new == nil { PatchText.append(file, to: &out) }
            for file in files where file.new != nil { PatchText.append(file, to: &out) }
            return out
        }
    }

    private static let oddNames: [[UInt8]] = [
        bytes("plain"), bytes("with space"), bytes(" lead"), bytes("trail "), bytes("-dash"), bytes("new\nline"),
        bytes("quo\"te"), bytes("tab\there"), bytes("back\\slash"), [0xff, 0xfe, 0x80], bytes("é"),
        bytes("a\u{7}\u{1b}"),
        bytes("b/c"), bytes("'single'"), bytes("$HOME"), bytes("dev/null"), bytes("@@ -1 +1 @@"), bytes("r\r"),
    ]

    private func run(_ argv: [String], in directory: String, input: [UInt8] = []) throws -> ProcessResult {
        let path = try #require(Environment.program(argv[0]))
        var request = ProcessRequest(
            [path] + argv.dropFirst(),
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CEILING_DIRECTORIES": Environment.temporaryDirectory, "LANG": "C.UTF-8",
                "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t",
                "GIT_COMMITTER_EMAIL": "t@t",
            ],
            directory: directory)
        request.input = input
        return try execute(request)
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private func makeStep(_ generator: inout SeededGenerator, binaries: Bool) -> Step {
        var step = Step()
        for number in 0..<12 + generator.below(8) {
            let name = Self.oddNames[generator.below(Self.oddNames.count)]
            let place = generator.pick(["", "\(number)", "d\(number % 3)/\(number)"])
            guard let path = ByteString(bytes(place) + name), step.before[path] == nil, step.after[path] == nil else {
                continue
            }
            let old = makeSide(&generator, binaries: binaries)
            let isKept = generator.chance(10)
            let new = isKept ? old : changed(old, &generator, binaries: binaries)
            switch generator.below(8) {
            case 0:
                step.add(FilePatch(path: path, old: nil, new: old))
            case 1:
                step.add(FilePatch(path: path, old: old, new: nil))
            case 2 where old.mode.isLink == new.mode.isLink:
                guard let target = ByteString(bytes("moved \(number)/") + name) else { continue }
                step.add(FilePatch(path: target, from: path, old: old, new: generator.chance(50) ? old : new))
            default:
                step.add(FilePatch(path: path, old: old, new: new))
            }
        }
        return step
    }

    private func makeSide(_ generator: inout SeededGenerator, binaries: Bool) -> PatchSide {
        let mode: PatchMode = generator.chance(30) ? .executable : .regular
        switch generator.below(8) {
        case 0:
            let target = generator.chance(20) ? bytes("two\nlines") : bytes("target \(generator.below(9))")
            return PatchSide(mode: .link, content: .bytes(target))
        case 1: return PatchSide(mode: mode, content: .bytes([]))
        case 2 where binaries:
            let size = generator.pick([1, 3, 51, 52, 53, 4096, 70_000])
            return PatchSide(
                mode: mode, content: .bytes([0] + (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }))
        default:
            let text = randomText(&generator, lines: generator.below(60), kinds: 1 + generator.below(60))
            return PatchSide(mode: mode, content: .bytes(text))
        }
    }

    private func changed(_ side: PatchSide, _ generator: inout SeededGenerator, binaries: Bool) -> PatchSide {
        if generator.chance(15) { return makeSide(&generator, binaries: binaries) }
        guard case .bytes(let content) = side.content, side.mode != .link, !content.contains(0) else { return side }
        let mode: PatchMode = generator.chance(20) ? .executable : .regular
        return PatchSide(mode: mode, content: .bytes(edited(content, &generator, edits: 1 + generator.below(8))))
    }

    @Test(arguments: 0..<12)
    func gitApplies(seed: Int) throws {
        var generator = SeededGenerator(seed)
        let step = makeStep(&generator, binaries: true)
        let directory = try TreeDirectory(step.before)
        let result = try run(["git", "apply", "--whitespace=nowarn", "-"], in: directory.path, input: step.patch)
        #expect(result.code == 0, "\(result.err)")
        #expect(try directory.read() == step.after)
        let back = try run(["git", "apply", "-R", "--whitespace=nowarn", "-"], in: directory.path, input: step.patch)
        #expect(back.code == 0, "\(back.err)")
        #expect(try directory.read() == step.before)
    }

    @Test(arguments: 0..<12)
    func patchApplies(seed: Int) throws {
        var generator = SeededGenerator(100 + seed)
        let step = makeStep(&generator, binaries: false)
        let directory = try TreeDirectory(step.before)
        let argv = ["patch", "-p1", "--no-backup-if-mismatch", "--fuzz=0", "--batch"]
        let result = try run(argv, in: directory.path, input: step.patch)
        #expect(result.code == 0, "\(result.out)\(result.err)")
        #expect(try directory.read() == step.after)
    }

    /// Git's own diff of the same two trees tells the same numbers, and the summary is written the same way.
    @Test(arguments: 0..<6)
    func gitCountsTheSame(seed: Int) throws {
        var generator = SeededGenerator(200 + seed)
        var step = makeStep(&generator, binaries: true)
        // Git tells renamed files in another form, and a link that became a file in two parts.
        step.keep { file in
            guard file.from == nil, let old = file.old, let new = file.new else { return file.from == nil }
            return old.mode.isLink == new.mode.isLink && old != new
        }
        let directory = try TreeDirectory(step.before)
        for argv in [
            ["git", "init", "-q"], ["git", "add", "-A", "-f"], ["git", "commit", "-q", "--allow-empty", "-m", "x"],
        ] {
            let result = try run(argv, in: directory.path)
            try #require(result.code == 0, "\(result.err)")
        }
        let applied = try run(["git", "apply", "--whitespace=nowarn", "-"], in: directory.path, input: step.patch)
        try #require(applied.code == 0, "\(applied.err)")
        _ = try run(["git", "add", "-A", "-f"], in: directory.path)
        let numbers = try run(
            ["git", "diff", "--cached", "--minimal", "--no-renames", "--numstat", "-z"], in: directory.path)
        let rows = numbers.stdout.split(separator: 0).map { $0.split(separator: UInt8(ascii: "\t"), maxSplits: 2) }
        #expect(rows.count == step.files.count)
        let ours = Dictionary(uniqueKeysWithValues: step.files.map { ($0.path.bytes, $0.diff.lines) })
        for row in rows where row.count == 3 {
            let (added, removed) = (UInt64(text(row[0])), UInt64(text(row[1])))
            let lines = try #require(ours[Array(row[2])])
            #expect((added == nil) == (lines == nil))
            guard let added, let removed, let lines else { continue }
            // Git skips lines that stand too often in a file, also with --minimal, and may tell some more of them.
            #expect(lines.added <= added && added - lines.added == removed - lines.removed)
        }
    }

    @Test func theSummaryLooksLikeGits() throws {
        var generator = SeededGenerator(300)
        var step = Step()
        for number in 0..<20 {
            let text = randomText(&generator, lines: generator.below(300), kinds: 300)
            let path = ByteString(String(repeating: "long/", count: number) + "name\(number)")
            let old = PatchSide(mode: .regular, content: .bytes(text))
            let edit = edited(text, &generator, edits: 1 + generator.below(200))
            let new = PatchSide(mode: .regular, content: .bytes(number % 5 == 0 ? [0] + edit : edit))
            step.add(FilePatch(path: path, old: old, new: new))
        }
        step.files.sort { $0.path < $1.path }
        let directory = try TreeDirectory(step.before)
        for argv in [["git", "init", "-q"], ["git", "add", "-A"], ["git", "commit", "-q", "-m", "x"]] {
            try #require(try run(argv, in: directory.path).code == 0)
        }
        try #require(
            try run(["git", "apply", "--whitespace=nowarn", "-"], in: directory.path, input: step.patch).code == 0)
        for width in [80, 60, 120] {
            let shown = try run(["git", "diff", "--minimal", "--stat=\(width)"], in: directory.path)
            #expect(DiffStat.text(step.files.map(\.stat), width: width) == shown.out)
        }
    }
}

extension PatchMode {
    var isLink: Bool { self == .link }
}

extension FilePatch {
    private static func bytes(_ side: PatchSide?) -> [UInt8] {
        guard case .bytes(let bytes)? = side?.content else { return [] }
        return bytes
    }

    var diff: FileDiff { LineDiff.compare(old: Self.bytes(old), new: Self.bytes(new)) }

    var stat: DiffStatEntry {
        DiffStatEntry(
            path: path, from: from, lines: diff.lines, isBinary: diff.isBinary,
            oldSize: UInt64(Self.bytes(old).count), newSize: UInt64(Self.bytes(new).count))
    }
}

extension PatchToolTests.Step {
    mutating func add(_ file: FilePatch) {
        if let old = file.old { before[file.from ?? file.path] = old }
        if let new = file.new { after[file.path] = new }
        files.append(file)
    }

    mutating func keep(_ isKept: (FilePatch) -> Bool) {
        let kept = files.filter(isKept)
        self = PatchToolTests.Step()
        for file in kept { add(file) }
    }
}
