internal import JailModel

/// Collects denials, the same ones once with a count, within a cap: a command may not fill the report (row P24).
struct DenialLedger {
    private(set) var denials: [Denial] = []
    private(set) var total: UInt64 = 0
    private(set) var dropped: UInt64 = 0
    private var places: [Key: Int] = [:]

    static let capacity = 1000

    private struct Key: Hashable {
        let kind: Denial.Kind
        let subject: String
        let rule: String
    }

    /// Adds one attempt; `true` when it is the first of its kind, and so worth an event.
    mutating func add(_ denial: Denial) -> Bool {
        total += 1
        let key = Key(kind: denial.kind, subject: denial.subject, rule: denial.rule)
        if let place = places[key] {
            denials[place].count += 1
            return false
        }
        guard denials.count < Self.capacity else {
            dropped += 1
            return false
        }
        places[key] = denials.count
        denials.append(denial)
        return true
    }
}

/// Collects executions in the same way.
struct ExecLedger {
    private(set) var records: [ExecRecord] = []
    private(set) var total: UInt64 = 0
    private var places: [Key: Int] = [:]

    static let capacity = 2000

    private struct Key: Hashable {
        let path: String
        let argv: [String]
        let cwd: String
    }

    mutating func add(_ record: ExecRecord) -> Bool {
        total += 1
        let key = Key(path: record.path, argv: record.argv, cwd: record.cwd)
        if let place = places[key] {
            records[place].count += 1
            return false
        }
        guard records.count < Self.capacity else { return false }
        places[key] = records.count
        records.append(record)
        return true
    }
}
