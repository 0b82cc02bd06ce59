import JailDigest
import JailLedger
import JailModel
import Testing

@Suite("hash chain")
struct HashChainTests {
    static let runID = RunID.make(at: WallTime(seconds: 1_767_225_600), random: 1)

    @Test("the two test vectors of guarantees.md, section 2.8")
    func compatibleVectors() {
        let first = EventHash.compatible(
            eventID: "evt-20260101000000-00000001", timestamp: "2026-01-01T00:00:00+00:00", type: "RUN_CREATED",
            payload: ["b": true, "n": 3, "run_id": "r1"], previous: "")
        #expect(first.hex == "c469e67a24483bef6d4e144b1d6e66a945cd34bf45b08dc06763a7ac39f86d8d")
        let second = EventHash.compatible(
            eventID: "evt-20260101000001-00000002", timestamp: "2026-01-01T00:00:01+00:00", type: "ISSUE_OPENED",
            payload: ["issue": ["files": ["a", "b"], "issue_id": "\u{e9}/x"], "z": nil], previous: first.hex)
        #expect(second.hex == "b31bcbc60529ff7d9e5b6a0a77ea72aaaccd8c50e34de2ce1d99ab538aa3eed4")
    }

    static func lines(_ events: [Event]) throws -> (bytes: [UInt8], chain: HashChain) {
        var chain = HashChain(runID: runID)
        var bytes: [UInt8] = []
        for (index, event) in events.enumerated() {
            try chain.append(event, at: WallTime(seconds: 1_767_225_600 + Int64(index), microseconds: 7), to: &bytes)
        }
        return (bytes, chain)
    }

    @Test("a line is one closed object with the compatible fields and the second chain in its payload")
    func line() throws {
        let (bytes, chain) = try Self.lines([Event(.denial, ["subject": "é\n", "count": 2, "a": [1, nil]])])
        let value = try JSONValue(parsing: bytes)
        guard case .object(let members) = value, case .object(let payload)? = members["payload"] else {
            Issue.record("not an object")
            return
        }
        #expect(
            members.keys.sorted() == [
                "event_hash", "event_id", "payload", "prev_hash", "run_id", "span_id", "trace_id", "ts", "type",
            ])
        #expect(payload.keys.sorted() == ["a", "chain", "count", "subject"])
        #expect(members["ts"] == "2026-01-01T00:00:00.000007+00:00")
        #expect(members["prev_hash"] == "")
        #expect(payload["chain"]?["seq"] == 1)
        #expect(payload["chain"]?["prev"] == .string(String(repeating: "0", count: 64)))
        #expect(payload["chain"]?["hash"] == .string(chain.head))
        #expect(bytes.allSatisfy { $0 < 0x80 })
        #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        // The bytes are those of the sorted compact form, so any JSON reader can hash them again.
        #expect(value.encoded(.compact, asciiOnly: true) + [UInt8(ascii: "\n")] == bytes)
        // The compatible hash is over the payload as it stands in the file.
        if case .string(let id)? = members["event_id"], case .string(let time)? = members["ts"] {
            let hash = EventHash.compatible(
                eventID: id, timestamp: time, type: "DENIAL", payload: payload, previous: "")
            #expect(members["event_hash"] == .string(hash.hex))
        }
    }

    @Test("the second chain's hash can be computed by hand from the fields and their lengths")
    func chainHash() throws {
        let (bytes, chain) = try Self.lines([Event(.exec, ["path": "/bin/true"])])
        let value = try JSONValue(parsing: bytes)
        func text(_ key: String) -> String {
            if case .string(let text)? = value[key] { text } else { "" }
        }
        var message: [UInt8] = []
        let fields = [
            String(repeating: "0", count: 64), "1", text("event_id"), text("run_id"), text("ts"), "EXEC",
            text("trace_id"), text("span_id"), #"{"path":"/bin/true"}"#,
        ]
        for field in fields {
            message += [0, 0, 0, 0, 0, 0, 0, UInt8(field.utf8.count)] + Array(field.utf8)
        }
        #expect(SHA256Value.of(message).hex == chain.head)
    }

    @Test(
        "the chain's key is put in its sorted place",
        arguments: [[], ["a"], ["z"], ["a", "z"], ["chai", "chain ", "chains"], ["Z", "é"]])
    func position(keys: [String]) throws {
        let payload = Dictionary(uniqueKeysWithValues: keys.map { ($0, JSONValue.integer(1)) })
        let (bytes, _) = try Self.lines([Event(.error, payload)])
        let value = try JSONValue(parsing: bytes)
        #expect(value.encoded(.compact, asciiOnly: true) + [UInt8(ascii: "\n")] == bytes)
        #expect(ChainVerifier.verify(bytes).isIntact)
    }

    @Test("ids: one for each event, with its second; trace and span are UUIDs of version 4")
    func ids() throws {
        let (bytes, _) = try Self.lines((0..<300).map { Event(.signal, ["n": .integer(Int64($0))]) })
        let values = try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
        var seen: Set<JSONValue> = []
        for value in values { if let id = value["event_id"] { seen.insert(id) } }
        #expect(seen.count == 300)
        if case .string(let id)? = values[1]["event_id"] { #expect(id.hasPrefix("evt-20260101000001-")) }
        for key in ["trace_id", "span_id"] {
            guard case .string(let text)? = values[0][key] else { continue }
            let digits = Array(text)
            #expect(digits.count == 32 && digits[12] == "4" && "89ab".contains(digits[16]))
        }
    }

    @Test("a payload may not use the chain's key, and the chain then stays as it was")
    func reserved() throws {
        var chain = HashChain(runID: Self.runID)
        var line: [UInt8] = []
        #expect(throws: LedgerError.self) {
            try chain.append(Event(.error, ["chain": 1]), at: WallTime(seconds: 0), to: &line)
        }
        #expect(line.isEmpty && chain.count == 0)
    }
}

@Suite("chain verification")
struct ChainVerifierTests {
    static func log(_ count: Int = 4) throws -> (bytes: [UInt8], chain: HashChain) {
        try HashChainTests.lines(
            (0..<count).map { Event(.denial, ["n": .integer(Int64($0)), "subject": "a\"b\\é", "zero": nil]) })
    }

    @Test("what was written is intact")
    func intact() throws {
        let (bytes, chain) = try Self.log()
        let report = ChainVerifier.verify(bytes, expected: (chain.count, chain.head))
        #expect(report.isIntact)
        #expect(report.intactLines == 4 && report.intactBytes == bytes.count && report.head == chain.head)
    }

    @Test("an empty log is an intact prefix, and not what a report with events counts")
    func empty() throws {
        #expect(ChainVerifier.verify([]).isIntact)
        #expect(ChainVerifier.verify([], expected: (1, "x")).problem?.cause == .count(expected: 1))
    }

    @Test("every single byte that is changed is found, on its line")
    func everyByte() throws {
        let (bytes, chain) = try Self.log(3)
        var line: UInt64 = 1
        for index in bytes.indices {
            for flip in [UInt8(0x01), 0x20, 0x80] {
                var changed = bytes
                changed[index] ^= flip
                let report = ChainVerifier.verify(changed, expected: (chain.count, chain.head))
                let problem = try #require(report.problem, "byte \(index) changed by \(flip)")
                #expect(problem.line == line)
                #expect(report.intactLines == line - 1)
                #expect(!problem.cause.message.isEmpty)
            }
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        }
    }

    @Test("every single byte that is removed or doubled is found")
    func removedByte() throws {
        let (bytes, chain) = try Self.log(3)
        for index in bytes.indices {
            var shorter = bytes
            shorter.remove(at: index)
            #expect(!ChainVerifier.verify(shorter, expected: (chain.count, chain.head)).isIntact)
            var longer = bytes
            longer.insert(bytes[index], at: index)
            #expect(!ChainVerifier.verify(longer, expected: (chain.count, chain.head)).isIntact)
        }
    }

    @Test("every cut is found: inside a line at once, at a line's end against the report")
    func truncated() throws {
        let (bytes, chain) = try Self.log(3)
        for length in 0..<bytes.count {
            let prefix = Array(bytes[..<length])
            let report = ChainVerifier.verify(prefix, expected: (chain.count, chain.head))
            #expect(!report.isIntact)
            let alone = ChainVerifier.verify(prefix)
            if prefix.isEmpty || prefix.last == UInt8(ascii: "\n") {
                #expect(alone.isIntact)
            } else {
                #expect(alone.problem?.cause == .tornLine)
            }
        }
    }

    @Test("lines that were removed, doubled or moved are found")
    func lines() throws {
        let (bytes, chain) = try Self.log(4)
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
        for first in 0..<4 {
            var fewer = lines
            fewer.remove(at: first)
            #expect(!ChainVerifier.verify(fewer.flatMap { $0 }, expected: (chain.count, chain.head)).isIntact)
            var more = lines
            more.insert(lines[first], at: first)
            #expect(!ChainVerifier.verify(more.flatMap { $0 }, expected: (chain.count, chain.head)).isIntact)
            for second in 0..<first {
                var moved = lines
                moved.swapAt(first, second)
                let report = ChainVerifier.verify(moved.flatMap { $0 }, expected: (chain.count, chain.head))
                #expect(report.problem?.line == UInt64(second + 1))
                #expect(report.problem?.cause == .sequence(expected: UInt64(second + 1)))
            }
        }
    }

    @Test("a line of another log does not fit")
    func foreignLine() throws {
        let (bytes, _) = try Self.log(2)
        let (other, _) = try HashChainTests.lines([Event(.error), Event(.runFailed)])
        let first = bytes.prefix { $0 != UInt8(ascii: "\n") } + [UInt8(ascii: "\n")]
        let second = other.drop { $0 != UInt8(ascii: "\n") }.dropFirst()
        #expect(ChainVerifier.verify(Array(first + second)).problem?.cause == .brokenLink)
    }

    @Test("a log that was written anew as a whole is found against the report's head")
    func rewritten() throws {
        let (_, chain) = try Self.log(2)
        let (other, _) = try HashChainTests.lines([Event(.error), Event(.runFailed)])
        #expect(ChainVerifier.verify(other).isIntact)
        let report = ChainVerifier.verify(other, expected: (chain.count, chain.head))
        #expect(report.problem?.cause == .head(expected: chain.head))
    }

    @Test("the same fields in other bytes are found")
    func notCanonical() throws {
        let (bytes, _) = try Self.log(1)
        let spaced = Array(String(decoding: bytes, as: UTF8.self).replacing(":", with: ": ", maxReplacements: 1).utf8)
        #expect(ChainVerifier.verify(spaced).problem?.cause == .notCanonical)
    }

    @Test(
        "text that is no event", arguments: ["\n", "{}\n", "[]\n", "null\n", "{\"a\":1}\n", "\u{0}\n", "{\"type\":}\n"])
    func garbage(text: String) { #expect(ChainVerifier.verify(Array(text.utf8)).problem?.line == 1) }
}
