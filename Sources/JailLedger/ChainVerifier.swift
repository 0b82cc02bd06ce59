public import JailModel

/// Why an event log is not the one that was written.
public enum ChainProblem: Sendable, Hashable {
    /// The file ends inside a line: its writer was stopped, or the end is cut off.
    case tornLine
    case notJSON(JSONError)
    /// A field is absent, of the wrong type, or not one of an event.
    case malformed(String)
    /// Another sequence number was due: a line was removed, added or moved.
    case sequence(expected: UInt64)
    /// The hash of the line before is not the one that this line names.
    case brokenLink
    /// The line's hash is not that of its fields.
    case hashMismatch
    /// The hash for compatible readers is not that of its fields.
    case compatibleHashMismatch
    /// The same fields, but not the bytes that launch-jail writes.
    case notCanonical
    /// The report counts another number of events.
    case count(expected: UInt64)
    /// The report names another last hash.
    case head(expected: String)

    /// One sentence without an end mark.
    public var message: String {
        switch self {
        case .tornLine: "the last line has no end"
        case .notJSON(let error): "not strict JSON: \(error)"
        case .malformed(let field): "the field \(SafeText.escape(field)) is absent, wrong or unknown"
        case .sequence(let expected): "event \(expected) should stand here"
        case .brokenLink: "it does not follow the line before it"
        case .hashMismatch: "its hash is not that of its fields"
        case .compatibleHashMismatch: "its compatible hash is not that of its fields"
        case .notCanonical: "its bytes are not those that were written"
        case .count(let expected): "the report counts \(expected) events"
        case .head(let expected): "the report's last hash is \(expected)"
        }
    }
}

/// What an event log proves.
public struct ChainReport: Sendable, Hashable {
    /// How many lines from the start are as they were written.
    public var intactLines: UInt64 = 0
    /// How many bytes those lines have.
    public var intactBytes = 0
    /// The hash of the last intact line; 64 zeros when there is none.
    public var head = String(decoding: HashChain.origin, as: UTF8.self)
    /// The first line, counted from 1, that is not as it was written, and why.
    public var problem: Problem?

    public var isIntact: Bool { problem == nil }

    /// A line and what is wrong with it.
    public struct Problem: Sendable, Hashable {
        public let line: UInt64
        public let cause: ChainProblem
    }
}

/// Checks a recorded event log offline, as a pure function.
public enum ChainVerifier {
    /// Reads `events.ndjson` and tells how far it is what launch-jail wrote.
    ///
    /// Any byte that was changed, any line that was removed, added or moved is found. Whether the end is missing can
    /// only be told with `expected`, the count and head of report.json; without it a shorter log is an intact prefix.
    public static func verify(_ bytes: [UInt8], expected: (count: UInt64, head: String)? = nil) -> ChainReport {
        var report = ChainReport()
        var compatibleHead: [UInt8] = []
        var start = 0
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                report.problem = .init(line: report.intactLines + 1, cause: .tornLine)
                return report
            }
            let line = Array(bytes[start...end])
            switch check(line, sequence: report.intactLines + 1, head: report.head, compatibleHead: compatibleHead) {
            case .success(let hashes):
                report.head = String(decoding: hashes.chain, as: UTF8.self)
                compatibleHead = hashes.compatible
            case .failure(let problem):
                report.problem = .init(line: report.intactLines + 1, cause: problem.cause)
                return report
            }
            report.intactLines += 1
            start = end + 1
            report.intactBytes = start
        }
        if let expected, expected.count != report.intactLines {
            report.problem = .init(
                line: min(expected.count, report.intactLines) + 1, cause: .count(expected: expected.count))
        } else if let expected, expected.head != report.head {
            report.problem = .init(line: max(report.intactLines, 1), cause: .head(expected: expected.head))
        }
        return report
    }

    private struct Failure: Error { let cause: ChainProblem }

    private static func check(
        _ line: [UInt8], sequence: UInt64, head: String, compatibleHead: [UInt8]
    ) -> Result<EventLine.Hashes, Failure> {
        do throws(Failure) {
            let (entry, claimed) = try parse(line)
            guard entry.sequence == sequence else { throw Failure(cause: .sequence(expected: sequence)) }
            guard entry.previous == Array(head.utf8), entry.compatiblePrevious == compatibleHead else {
                throw Failure(cause: .brokenLink)
            }
            var rebuilt: [UInt8] = []
            rebuilt.reserveCapacity(line.count)
            let hashes = entry.encode(into: &rebuilt)
            guard hashes.chain == claimed.chain else { throw Failure(cause: .hashMismatch) }
            guard hashes.compatible == claimed.compatible else { throw Failure(cause: .compatibleHashMismatch) }
            guard rebuilt == line else { throw Failure(cause: .notCanonical) }
            return .success(hashes)
        } catch {
            return .failure(error)
        }
    }

    private static let keys: Set<String> = [
        "event_hash", "event_id", "payload", "prev_hash", "run_id", "span_id", "trace_id", "ts", "type",
    ]

    /// Takes a line apart; nothing in it is believed yet.
    private static func parse(_ line: [UInt8]) throws(Failure) -> (EventLine, claimed: EventLine.Hashes) {
        let value: JSONValue
        do { value = try JSONValue(parsing: Array(line.dropLast())) } catch { throw Failure(cause: .notJSON(error)) }
        guard case .object(let members) = value else { throw Failure(cause: .malformed("line")) }
        if let key = Set(members.keys).symmetricDifference(keys).min() { throw Failure(cause: .malformed(key)) }
        guard case .object(var payload)? = members["payload"] else { throw Failure(cause: .malformed("payload")) }
        guard case .object(let chain)? = payload.removeValue(forKey: EventLine.chainKey) else {
            throw Failure(cause: .malformed("payload.chain"))
        }
        guard case .integer(let number)? = chain["seq"], number > 0 else {
            throw Failure(cause: .malformed("payload.chain.seq"))
        }
        let entry = EventLine(
            sequence: UInt64(number), previous: try text(chain, "prev"),
            compatiblePrevious: try text(members, "prev_hash"), eventID: try text(members, "event_id"),
            runID: try text(members, "run_id"), timestamp: try text(members, "ts"), type: try text(members, "type"),
            traceID: try text(members, "trace_id"), spanID: try text(members, "span_id"), payload: payload)
        let claimed = EventLine.Hashes(chain: try text(chain, "hash"), compatible: try text(members, "event_hash"))
        return (entry, claimed)
    }

    private static func text(_ members: [String: JSONValue], _ key: String) throws(Failure) -> [UInt8] {
        guard case .string(let text)? = members[key] else { throw Failure(cause: .malformed(key)) }
        return Array(text.utf8)
    }
}
