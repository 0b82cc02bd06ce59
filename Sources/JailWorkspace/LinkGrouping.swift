internal import JailModel

/// Decides which of the names of one file stands for it, and which are published as links to that one.
enum LinkGrouping {
    /// One name of a file that has several.
    struct Member: Sendable, Hashable {
        var path: ByteString
        /// Whether a file stood at this path before the step.
        var wasThere: Bool
        /// Whether the path is part of the change set.
        var isChanged: Bool
    }

    /// For each name that becomes a link, what it links to.
    ///
    /// An unchanged name is the object, else a modified one that was there before, else the first by path.
    static func links(_ members: [Member]) -> [ByteString: ByteString] {
        guard members.count > 1 else { return [:] }
        let sorted = members.sorted { $0.path < $1.path }
        let object = sorted.first { !$0.isChanged } ?? sorted.first { $0.wasThere } ?? sorted[0]
        var out: [ByteString: ByteString] = [:]
        for member in sorted where member.isChanged && member.path != object.path { out[member.path] = object.path }
        return out
    }
}
