internal import JailDigest
public import JailModel

/// The order of a run's events, made provable: each one holds the hash of the one before it.
///
/// The hash is SHA-256 over `prev`, `seq`, `event_id`, `run_id`, `ts`, `type`, `trace_id`, `span_id` and the payload
/// without its `chain` key, each field as its text with its length as eight big-endian bytes before it. A chain proves
/// order and completeness against a known ``count`` and ``head``, which stand in report.json. Pure: no clock, no file.
public struct HashChain: Sendable {
    public let runID: RunID
    /// How many events there are.
    public private(set) var count: UInt64 = 0
    private var headDigits: [UInt8]
    private var compatibleHead: [UInt8] = []
    private let runIDBytes: [UInt8]
    private let traceID: [UInt8]
    private let spanID: [UInt8]
    private let salt: UInt32

    /// A chain without events.
    ///
    /// Trace, span and event ids follow from the run's id, so that equal events give equal lines.
    public init(runID: RunID) {
        self.runID = runID
        runIDBytes = Array(runID.text.utf8)
        headDigits = Self.origin
        traceID = Self.identifier("trace", runIDBytes)
        spanID = Self.identifier("span", runIDBytes)
        salt = SHA256Value.of(runIDBytes).bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The hash of the last event in hexadecimal; 64 zeros before the first.
    public var head: String { String(decoding: headDigits, as: UTF8.self) }

    /// What stands as `prev` in the first event.
    static let origin = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    /// Appends the line of the next event, with its newline, to `line`.
    ///
    /// - Throws: ``LedgerError`` when the payload uses the key that the chain needs; the chain is then unchanged.
    public mutating func append(_ event: Event, at time: WallTime, to line: inout [UInt8]) throws(LedgerError) {
        guard event.payload[EventLine.chainKey] == nil else {
            throw LedgerError(.reservedKey(EventLine.chainKey), path: "events.ndjson")
        }
        let sequence = count + 1
        var timestamp: [UInt8] = []
        timestamp.reserveCapacity(32)
        time.appendRFC3339(to: &timestamp)
        let entry = EventLine(
            sequence: sequence, previous: headDigits, compatiblePrevious: compatibleHead,
            eventID: eventID(sequence, time), runID: runIDBytes, timestamp: timestamp,
            type: Array(event.type.rawValue.utf8), traceID: traceID, spanID: spanID, payload: event.payload)
        let hashes = entry.encode(into: &line)
        headDigits = hashes.chain
        compatibleHead = hashes.compatible
        count = sequence
    }

    /// `evt-YYYYMMDDhhmmss-<8 hex>`, unique in the run and unlikely to meet another run's.
    private func eventID(_ sequence: UInt64, _ time: WallTime) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        bytes.append(contentsOf: "evt-".utf8)
        time.appendCompact(to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        let number = salt &+ UInt32(truncatingIfNeeded: sequence)
        for shift in stride(from: UInt32(24), through: 0, by: -8) {
            bytes.appendHex(CollectionOfOne(UInt8(truncatingIfNeeded: number >> shift)))
        }
        return bytes
    }

    /// 32 hexadecimal digits with the version and variant bits of a UUID of version 4.
    private static func identifier(_ purpose: String, _ runID: [UInt8]) -> [UInt8] {
        var bytes = Array(SHA256Value.of(Array("launch-jail \(purpose) ".utf8) + runID).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var digits: [UInt8] = []
        digits.appendHex(bytes)
        return digits
    }
}
