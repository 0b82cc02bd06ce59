/// Where a rule was written: a place in a file, or a flag of the command line.
public struct RuleOrigin: Sendable, Hashable, CustomStringConvertible {
    /// A file, the name of a shipped policy, or a flag such as `--write`.
    public let file: String
    /// From 1; 0 when there is no line, as for a flag.
    public let line: Int
    public let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `policy.yaml:12:3`, or only the file when there is no line.
    public var description: String { line > 0 ? "\(file):\(line):\(column)" : file }
}

/// Where each key of a policy, and each element of its lists, got its value.
///
/// A key that is missing has its built-in default.
public struct RuleOrigins: Sendable, Hashable {
    private var places: [String: RuleOrigin] = [:]

    public init() {}

    /// The origin of a key path such as `workspace.write` or of one element such as `workspace.write[2]`.
    public subscript(path: String) -> RuleOrigin? { places[path] }

    /// The origin of an element of a list, else of the list.
    func element(_ key: PolicyKey, _ index: Int) -> RuleOrigin? { places["\(key.path)[\(index)]"] ?? places[key.path] }

    /// Notes where a list and its elements come from, in place of what was known of them.
    mutating func set(_ key: PolicyKey, _ origin: RuleOrigin, elements: [RuleOrigin] = []) {
        var index = 0
        while places.removeValue(forKey: "\(key.path)[\(index)]") != nil { index += 1 }
        places[key.path] = origin
        for (index, element) in elements.enumerated() { places["\(key.path)[\(index)]"] = element }
    }

    /// Notes where one more element of a list comes from.
    mutating func append(_ key: PolicyKey, index: Int, _ origin: RuleOrigin) {
        places["\(key.path)[\(index)]"] = origin
    }
}

/// A policy and where its rules were written.
public struct LoadedPolicy: Sendable, Hashable {
    public internal(set) var policy: Policy
    public internal(set) var origins: RuleOrigins
}
