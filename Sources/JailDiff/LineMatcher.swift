/// Finds the lines that two numbered texts have in common, in order: Myers, "An O(ND) difference algorithm and its
/// variations" (1986), in linear memory.
///
/// Lines that the other side lacks are set aside first, so that a rewritten file costs nothing. The work is bounded by
/// the limits: see `DiffLimits`.
struct LineMatcher {
    /// For each line of a side, whether it is removed or added.
    private(set) var oldChanged: [Bool]
    private(set) var newChanged: [Bool]
    /// Whether as many lines as possible stayed.
    private(set) var isMinimal = true
    /// Comparisons done.
    private(set) var steps = 0

    /// The lines that the other side has too, and where they stand in their side.
    private let old: [Int32]
    private let new: [Int32]
    private let oldPlaces: [Int32]
    private let newPlaces: [Int32]
    private let limits: DiffLimits
    /// How far from its corner a search may go before it takes the best split so far.
    private var reach: Int
    /// The furthest old line on each diagonal, from the start and from the end; diagonal `d` stands at `d + shift`.
    private var forward: [Int32]
    private var backward: [Int32]
    private let shift: Int

    /// A part of both sides that is still to be compared.
    private struct Box {
        var old: Range<Int>
        var new: Range<Int>
    }

    /// The diagonals that a search has reached from one corner.
    private struct Front {
        var lower: Int
        var upper: Int
    }

    /// - Parameter count: how many different numbers there are.
    init(old: [Int32], new: [Int32], count: Int, limits: DiffLimits) {
        var isInOld = [Bool](repeating: false, count: count)
        var isInNew = [Bool](repeating: false, count: count)
        for number in old { isInOld[Int(number)] = true }
        for number in new { isInNew[Int(number)] = true }
        oldChanged = old.map { !isInNew[Int($0)] }
        newChanged = new.map { !isInOld[Int($0)] }
        oldPlaces = old.indices.filter { isInNew[Int(old[$0])] }.map { Int32($0) }
        newPlaces = new.indices.filter { isInOld[Int(new[$0])] }.map { Int32($0) }
        self.old = oldPlaces.map { old[Int($0)] }
        self.new = newPlaces.map { new[Int($0)] }
        self.limits = limits
        reach = max(limits.differences / 2, 1)
        shift = newPlaces.count + 2
        forward = [Int32](repeating: 0, count: oldPlaces.count + newPlaces.count + 5)
        backward = forward
        match()
    }

    private mutating func match() {
        var boxes = [Box(old: 0..<old.count, new: 0..<new.count)]
        while let whole = boxes.popLast() {
            let box = trimmed(whole)
            if box.old.isEmpty || box.new.isEmpty {
                markChanged(box)
            } else if steps < limits.steps, let split = split(box) {
                boxes.append(Box(old: split.old..<box.old.upperBound, new: split.new..<box.new.upperBound))
                boxes.append(Box(old: box.old.lowerBound..<split.old, new: box.new.lowerBound..<split.new))
            } else {
                isMinimal = false
                markChanged(box)
            }
        }
    }

    private mutating func trimmed(_ box: Box) -> Box {
        var (start, end) = (box.old.lowerBound, box.old.upperBound)
        var (newStart, newEnd) = (box.new.lowerBound, box.new.upperBound)
        while start < end, newStart < newEnd, old[start] == new[newStart] {
            start += 1
            newStart += 1
        }
        while start < end, newStart < newEnd, old[end - 1] == new[newEnd - 1] {
            end -= 1
            newEnd -= 1
        }
        steps += box.old.count - (end - start)
        return Box(old: start..<end, new: newStart..<newEnd)
    }

    private mutating func markChanged(_ box: Box) {
        for index in box.old { oldChanged[Int(oldPlaces[index])] = true }
        for index in box.new { newChanged[Int(newPlaces[index])] = true }
    }

    /// A point through which a shortest path leads, or the best one within reach; `nil` when there is none inside.
    private mutating func split(_ box: Box) -> (old: Int, new: Int)? {
        let start = box.old.lowerBound - box.new.lowerBound
        let end = box.old.upperBound - box.new.upperBound
        var front = Front(lower: start, upper: start)
        var back = Front(lower: end, upper: end)
        // The two searches can meet only where their distances have the right parity.
        let isOdd = (start - end) & 1 != 0
        forward[start + shift] = Int32(box.old.lowerBound)
        backward[end + shift] = Int32(box.old.upperBound)
        for _ in 0..<reach {
            widen(&front, box, outside: -1, forward: true)
            if let found = advance(front, box, meeting: isOdd ? back : nil) { return found }
            widen(&back, box, outside: .max, forward: false)
            if let found = retreat(back, box, meeting: isOdd ? nil : front) { return found }
            if steps >= limits.steps { break }
        }
        // The rest of the file is searched less thoroughly, since the whole would be too long anyway.
        isMinimal = false
        reach = min(reach, 256)
        return bestSplit(front, back, box)
    }

    /// Lets a front reach one diagonal further on each side, as far as the box has one.
    private mutating func widen(_ front: inout Front, _ box: Box, outside: Int32, forward isForward: Bool) {
        let lowest = box.old.lowerBound - box.new.upperBound
        let highest = box.old.upperBound - box.new.lowerBound
        if front.lower > lowest {
            front.lower -= 1
            if isForward {
                forward[front.lower - 1 + shift] = outside
            } else {
                backward[front.lower - 1 + shift] = outside
            }
        } else {
            front.lower += 1
        }
        if front.upper < highest {
            front.upper += 1
            if isForward {
                forward[front.upper + 1 + shift] = outside
            } else {
                backward[front.upper + 1 + shift] = outside
            }
        } else {
            front.upper -= 1
        }
    }

    private mutating func advance(_ front: Front, _ box: Box, meeting back: Front?) -> (old: Int, new: Int)? {
        var diagonal = front.upper
        let (oldEnd, newEnd) = (box.old.upperBound, box.new.upperBound)
        while diagonal >= front.lower {
            let slot = diagonal &+ shift
            let below = forward[slot &- 1]
            let above = forward[slot &+ 1]
            var place = Int(below >= above ? below &+ 1 : above)
            let begin = place
            while place < oldEnd, place &- diagonal < newEnd, old[place] == new[place &- diagonal] { place &+= 1 }
            steps &+= place &- begin &+ 1
            forward[slot] = Int32(truncatingIfNeeded: place)
            if let back, back.lower <= diagonal, diagonal <= back.upper, Int(backward[slot]) <= place {
                return (place, place - diagonal)
            }
            diagonal &-= 2
        }
        return nil
    }

    private mutating func retreat(_ back: Front, _ box: Box, meeting front: Front?) -> (old: Int, new: Int)? {
        var diagonal = back.upper
        let (oldStart, newStart) = (box.old.lowerBound, box.new.lowerBound)
        while diagonal >= back.lower {
            let slot = diagonal &+ shift
            let below = backward[slot &- 1]
            let above = backward[slot &+ 1]
            var place = Int(below < above ? below : above &- 1)
            let begin = place
            while place > oldStart, place &- diagonal > newStart, old[place &- 1] == new[place &- diagonal &- 1] {
                place &-= 1
            }
            steps &+= begin &- place &+ 1
            backward[slot] = Int32(truncatingIfNeeded: place)
            if let front, front.lower <= diagonal, diagonal <= front.upper, place <= Int(forward[slot]) {
                return (place, place - diagonal)
            }
            diagonal &-= 2
        }
        return nil
    }

    /// The point furthest from its corner that either search has reached.
    private func bestSplit(_ front: Front, _ back: Front, _ box: Box) -> (old: Int, new: Int)? {
        var best: (old: Int, new: Int)?
        var progress = 0
        func consider(_ point: (old: Int, new: Int), _ distance: Int) {
            guard distance > progress, distance < box.old.count + box.new.count else { return }
            (best, progress) = (point, distance)
        }
        for diagonal in stride(from: front.upper, through: front.lower, by: -2) {
            let place = min(Int(forward[diagonal + shift]), box.old.upperBound, box.new.upperBound + diagonal)
            guard place >= box.old.lowerBound, place - diagonal >= box.new.lowerBound else { continue }
            consider(
                (place, place - diagonal), place - box.old.lowerBound + place - diagonal - box.new.lowerBound)
        }
        for diagonal in stride(from: back.upper, through: back.lower, by: -2) {
            let place = max(Int(backward[diagonal + shift]), box.old.lowerBound, box.new.lowerBound + diagonal)
            guard place <= box.old.upperBound, place - diagonal <= box.new.upperBound else { continue }
            consider(
                (place, place - diagonal), box.old.upperBound - place + box.new.upperBound - (place - diagonal))
        }
        return best
    }
}
