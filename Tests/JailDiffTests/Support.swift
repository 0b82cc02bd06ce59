import JailDiff
import JailModel

/// Random numbers that are the same in every run of a seed (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) {
        // Not a multiple of the step: the seeds would share one sequence.
        state = UInt64(bitPattern: Int64(seed)) &* 0xd134_2543_de82_ef95 &+ 0x2545_f491_4f6c_dd1d
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func pick<Element>(_ items: [Element]) -> Element { items[below(items.count)] }
}

/// The old content with the changed bytes replaced; `nil` when the changes do not fit each other.
func applied(_ changes: [LineChange], to old: [UInt8], with new: [UInt8]) -> [UInt8]? {
    var out: [UInt8] = []
    var told = 0
    for change in changes {
        guard told <= change.oldBytes.lowerBound else { return nil }
        out += old[told..<change.oldBytes.lowerBound] + new[change.newBytes]
        told = change.oldBytes.upperBound
    }
    return out + old[told...]
}

/// The lines of a content, each with its line feed.
func lines(of content: [UInt8]) -> [[UInt8]] {
    var out: [[UInt8]] = []
    var line: [UInt8] = []
    for byte in content {
        line.append(byte)
        if byte == UInt8(ascii: "\n") {
            out.append(line)
            line = []
        }
    }
    return line.isEmpty ? out : out + [line]
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func compare(_ old: String, _ new: String, isIndentationSensitive: Bool = false) -> FileDiff {
    LineDiff.compare(old: bytes(old), new: bytes(new), isIndentationSensitive: isIndentationSensitive)
}

/// A text of few different lines, so that many of them are equal.
func randomText(_ generator: inout SeededGenerator, lines count: Int, kinds: Int) -> [UInt8] {
    var out: [UInt8] = []
    for _ in 0..<count {
        out += bytes(String(repeating: " ", count: generator.below(2)) + "line \(generator.below(kinds))")
        if generator.chance(5) { out.append(UInt8(ascii: "\r")) }
        out.append(UInt8(ascii: "\n"))
    }
    if generator.chance(20), !out.isEmpty { out.removeLast() }
    return out
}

/// The text with some lines removed, doubled, moved, replaced, indented or ended otherwise.
func edited(_ content: [UInt8], _ generator: inout SeededGenerator, edits: Int) -> [UInt8] {
    var all = lines(of: content)
    for _ in 0..<edits {
        let place = generator.below(all.count + 1)
        switch generator.below(7) {
        case 0: all.insert(bytes("new \(generator.below(9))\n"), at: place)
        case 1 where place < all.count: all.remove(at: place)
        case 2 where place < all.count: all[place] = bytes("other \(generator.below(9))\n")
        case 3 where place < all.count: all.insert(all[place], at: generator.below(all.count))
        case 4 where place < all.count: all[place] = bytes("  ") + all[place]
        case 5 where place < all.count: all.insert(all.remove(at: place), at: generator.below(all.count + 1))
        case 6: all.insert(bytes("\n"), at: place)
        default: break
        }
    }
    // A line without an end can only be the last one.
    for index in all.indices.dropLast() where all[index].last != UInt8(ascii: "\n") {
        all[index].append(UInt8(ascii: "\n"))
    }
    if generator.chance(10), all.last?.last == UInt8(ascii: "\n") { all[all.count - 1].removeLast() }
    return Array(all.joined())
}
