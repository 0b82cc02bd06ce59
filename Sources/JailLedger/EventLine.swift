internal import JailDigest
public import JailModel

/// The two hashes of one event.
public enum EventHash {
    /// The hash that compatible readers know: SHA-256 over `event_id`, `ts`, `type`, the payload and `prev_hash`.
    ///
    /// Plain concatenation; the payload as compact, sorted, ASCII-escaped JSON (guarantees.md, section 2.8). It is
    /// written for them only: it does not delimit its fields and leaves some out, so evidence rests on ``HashChain``.
    public static func compatible(
        eventID: String, timestamp: String, type: String, payload: [String: JSONValue], previous: String
    ) -> SHA256Value {
        var message: [UInt8] = []
        for text in [eventID, timestamp, type] { message.append(contentsOf: text.utf8) }
        JSONValue.object(payload).encode(into: &message, asciiOnly: true)
        message.append(contentsOf: previous.utf8)
        return .of(message)
    }
}

/// One event with everything that its line holds.
struct EventLine {
    /// The key of the payload that holds the second chain.
    static let chainKey = "chain"

    var sequence: UInt64
    /// 64 hexadecimal digits; all zero for the first event.
    var previous: [UInt8]
    /// 64 hexadecimal digits; empty for the first event.
    var compatiblePrevious: [UInt8]
    var eventID: [UInt8]
    var runID: [UInt8]
    var timestamp: [UInt8]
    var type: [UInt8]
    var traceID: [UInt8]
    var spanID: [UInt8]
    /// Without the chain's key.
    var payload: [String: JSONValue]

    struct Hashes {
        /// 64 hexadecimal digits each.
        var chain: [UInt8]
        var compatible: [UInt8]
    }

    /// Appends the line with its newline, and gives its two hashes.
    func encode(into line: inout [UInt8]) -> Hashes {
        let (plain, split) = encodedPayload()
        var message: [UInt8] = []
        message.reserveCapacity(plain.count + 512)

        // ORDER: prev, seq, event_id, run_id, ts, type, trace_id, span_id, payload without the chain's key; each
        // field with its length before it, so that no two different events give the same bytes.
        message.appendField(previous)
        var number: [UInt8] = []
        number.appendDecimal(sequence)
        message.appendField(number)
        for field in [eventID, runID, timestamp, type, traceID, spanID, plain] { message.appendField(field) }
        var chain: [UInt8] = []
        chain.appendHex(SHA256Value.of(message).bytes)

        let full = payloadWithChain(plain, split: split, hash: chain)
        message.removeAll(keepingCapacity: true)
        message.append(contentsOf: eventID)
        message.append(contentsOf: timestamp)
        message.append(contentsOf: type)
        message.append(contentsOf: full)
        message.append(contentsOf: compatiblePrevious)
        var compatible: [UInt8] = []
        compatible.appendHex(SHA256Value.of(message).bytes)

        line.append(contentsOf: "{\"event_hash\":\"".utf8)
        line.append(contentsOf: compatible)
        line.append(contentsOf: "\",\"event_id\":\"".utf8)
        line.append(contentsOf: eventID)
        line.append(contentsOf: "\",\"payload\":".utf8)
        line.append(contentsOf: full)
        line.append(contentsOf: ",\"prev_hash\":\"".utf8)
        line.append(contentsOf: compatiblePrevious)
        line.append(contentsOf: "\",\"run_id\":\"".utf8)
        line.append(contentsOf: runID)
        line.append(contentsOf: "\",\"span_id\":\"".utf8)
        line.append(contentsOf: spanID)
        line.append(contentsOf: "\",\"trace_id\":\"".utf8)
        line.append(contentsOf: traceID)
        line.append(contentsOf: "\",\"ts\":\"".utf8)
        line.append(contentsOf: timestamp)
        line.append(contentsOf: "\",\"type\":\"".utf8)
        line.append(contentsOf: type)
        line.append(contentsOf: "\"}\n".utf8)
        return Hashes(chain: chain, compatible: compatible)
    }

    /// Where the chain's key belongs in the payload's bytes.
    private struct Split {
        var offset = 1
        var keysBefore = 0
        var keysAfter = 0
    }

    private func encodedPayload() -> ([UInt8], Split) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        var split = Split()
        bytes.append(UInt8(ascii: "{"))
        let members = payload.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (key, value) in members {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            JSONValue.string(key).encode(into: &bytes, asciiOnly: true)
            bytes.append(UInt8(ascii: ":"))
            value.encode(into: &bytes, asciiOnly: true)
            if key.utf8.lexicographicallyPrecedes(Self.chainKey.utf8) {
                split.keysBefore += 1
                split.offset = bytes.count
            } else {
                split.keysAfter += 1
            }
        }
        bytes.append(UInt8(ascii: "}"))
        return (bytes, split)
    }

    private func payloadWithChain(_ plain: [UInt8], split: Split, hash: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(plain.count + 192)
        bytes.append(contentsOf: plain[..<split.offset])
        if split.keysBefore > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: "\"chain\":{\"hash\":\"".utf8)
        bytes.append(contentsOf: hash)
        bytes.append(contentsOf: "\",\"prev\":\"".utf8)
        bytes.append(contentsOf: previous)
        bytes.append(contentsOf: "\",\"seq\":".utf8)
        bytes.appendDecimal(sequence)
        bytes.append(UInt8(ascii: "}"))
        // With keys before it, what follows already starts with a comma.
        if split.keysBefore == 0 && split.keysAfter > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: plain[split.offset...])
        return bytes
    }
}

extension [UInt8] {
    /// Appends a length as eight big-endian bytes, then the bytes.
    fileprivate mutating func appendField(_ field: [UInt8]) {
        let length = UInt64(field.count)
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: length >> shift))
        }
        append(contentsOf: field)
    }
}
