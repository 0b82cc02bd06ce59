extension PathPattern {
    /// Whether a path, relative to the workspace and given by its components, is named by this pattern or lies below
    /// what it names.
    ///
    /// Components are compared whole, so `content/docs` does not admit `content/docs-evil`. Guarantee B.
    public func matches(components path: [String]) -> Bool { Self.matches(components[...], path[...]) }

    private static func matches(_ pattern: ArraySlice<Component>, _ path: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return true }
        let rest = pattern.dropFirst()
        if case .anyDepth = first {
            return matchesAnyDepth(rest, path)
        }
        guard let name = path.first, first.matches(name) else { return false }
        return matches(rest, path.dropFirst())
    }

    /// The pattern after a `**`: the fixed run up to the next `**` is looked for at each depth, and the first place
    /// that it is found at is as good as any other.
    private static func matchesAnyDepth(_ pattern: ArraySlice<Component>, _ path: ArraySlice<String>) -> Bool {
        let run = pattern.prefix { $0 != .anyDepth }
        let rest = pattern[run.endIndex...]
        var start = path.startIndex
        while path.endIndex - start >= run.count {
            if zip(run, path[start...]).allSatisfy({ $0.matches($1) }) {
                return rest.isEmpty ? true : matchesAnyDepth(rest.dropFirst(), path[(start + run.count)...])
            }
            start += 1
        }
        return false
    }

    /// Whether every path that `other` names is also named by this pattern.
    ///
    /// Sound: `false` may be too careful where both hold wildcards.
    func covers(_ other: PathPattern) -> Bool {
        let (outer, inner) = (components, other.components)
        // covered[j] says whether outer[i...] covers inner[j...]; i goes down, so each row needs only the one before.
        var covered = [Bool](repeating: true, count: inner.count + 1)
        for component in outer.reversed() {
            var row = [Bool](repeating: false, count: inner.count + 1)
            for index in inner.indices.reversed() {
                row[index] =
                    component == .anyDepth
                    ? covered[index] || row[index + 1] : component.covers(inner[index]) && covered[index + 1]
            }
            covered = row
        }
        return covered[0]
    }
}

extension PathPattern.Component {
    /// Whether one component of a path is named by this one.
    ///
    /// `**` stands for components, not for one.
    fileprivate func matches(_ name: String) -> Bool {
        switch self {
        case .literal(let text): text.utf8.elementsEqual(name.utf8)
        case .wildcard(let glob): Glob.matches(glob, name)
        case .anyDepth: false
        }
    }

    /// Whether every name that `other` stands for is also one of this component's.
    fileprivate func covers(_ other: PathPattern.Component) -> Bool {
        switch (self, other) {
        case (.literal(let name), .literal(let text)): name.utf8.elementsEqual(text.utf8)
        case (.wildcard(let glob), .literal(let text)), (.wildcard(let glob), .wildcard(let text)):
            Glob.matches(glob, text)
        case (.literal, .wildcard), (.anyDepth, _), (_, .anyDepth): false
        }
    }
}

/// `*` within one component.
enum Glob {
    /// Whether `glob` names `text`, byte by byte.
    ///
    /// A `*` in `text` is taken as one more byte, which also makes this a sound test of whether one glob covers
    /// another.
    static func matches(_ glob: String, _ text: String) -> Bool {
        let pattern = Array(glob.utf8)
        let bytes = Array(text.utf8)
        var at = 0
        var index = 0
        var star: (pattern: Int, index: Int)?
        while index < bytes.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at + 1, index)
                at += 1
            } else if at < pattern.count, pattern[at] == bytes[index] {
                at += 1
                index += 1
            } else if let last = star {
                at = last.pattern
                index = last.index + 1
                star = (last.pattern, index)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
