/// Gives equal lines equal numbers, so that comparing two lines costs one comparison.
///
/// The numbers count up from 0. Who writes the lines cannot make them collide: the hash has a secret of this process,
/// and it decides nothing but the speed.
struct LineNumbering {
    let form: LineForm
    /// The different lines, one after the other; line `n` ends at `ends[n]`.
    private var store: [UInt8] = []
    private var ends: [Int] = []
    private var hashes: [UInt32] = []
    /// Open addressing: -1 is free, the size is a power of two, at most half of it is used.
    private var slots = [Int32](repeating: -1, count: 256)

    init(form: LineForm) { self.form = form }

    /// How many different lines there are.
    var count: Int { ends.count }

    /// Whether nothing is left of the line with this number in this form.
    func isEmpty(_ number: Int32) -> Bool { start(Int(number)) == ends[Int(number)] }

    /// The number of the line that stands at these bytes of the content.
    mutating func number(_ line: Range<Int>, of content: [UInt8]) -> Int32 {
        let start = store.count
        form.append(line, of: content, to: &store)
        let hash = Self.hash(store, from: start)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let candidate = Int(slots[slot])
            if hashes[candidate] == hash, isSame(candidate, asTailFrom: start) {
                store.removeLast(store.count - start)
                return Int32(candidate)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let number = Int32(ends.count)
        slots[slot] = number
        ends.append(store.count)
        hashes.append(hash)
        if ends.count * 2 > slots.count { grow() }
        return number
    }

    private func start(_ number: Int) -> Int { number == 0 ? 0 : ends[number - 1] }

    private func isSame(_ number: Int, asTailFrom tail: Int) -> Bool {
        let start = start(number)
        let size = ends[number] - start
        guard store.count - tail == size else { return false }
        for index in 0..<size where store[start + index] != store[tail + index] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 4)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(number)
        }
    }

    private static func hash(_ bytes: [UInt8], from start: Int) -> UInt32 {
        var hasher = Hasher()
        var word: UInt64 = 0
        var filled = 0
        for index in start..<bytes.count {
            word = word << 8 | UInt64(bytes[index])
            filled += 1
            if filled == 8 {
                hasher.combine(word)
                filled = 0
            }
        }
        hasher.combine(word)
        hasher.combine(bytes.count - start)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
