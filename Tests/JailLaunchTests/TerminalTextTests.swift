import Testing

@testable import JailLaunch

@Suite("output on a terminal has no power over it")
struct TerminalTextTests {
    static let cases: [(String, String)] = [
        ("plain\ttext\r\n", "plain\ttext\r\n"),
        ("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m"),
        ("\u{1b}[2K\rprogress", "\u{1b}[2K\rprogress"),
        ("\u{1b}]52;c;ZXZpbA==\u{7}", "^[]52;c;ZXZpbA==\u{7}"),
        ("\u{1b}]0;title\u{1b}\\", "^[]0;title^[\\"),
        ("\u{1b}P+q544e\u{1b}\\", "^[P+q544e^[\\"),
        ("\u{1b}[2A\u{1b}[1;1H\u{1b}[2J", "^[[2A^[[1;1H^[[2J"),
        ("\u{1b}[?1049h", "^[[?1049h"),
        ("\u{1b}c", "^[c"),
        ("\u{9b}31m", "?31m"),
        ("caf\u{e9} \u{1f600}", "caf\u{e9} \u{1f600}"),
        ("a\u{0}b\u{7f}", "a^@b^?"),
    ]

    @Test("neutralised", arguments: cases)
    func neutralises(input: String, expected: String) {
        var text = TerminalText()
        let out = text.neutralise(input.utf8) + text.finish()
        #expect(String(decoding: out, as: UTF8.self) == expected)
    }

    @Test("every split into two writes gives the same bytes", arguments: cases)
    func survivesSplits(input: String, expected: String) {
        let bytes = Array(input.utf8)
        for cut in 0...bytes.count {
            var text = TerminalText()
            let out = text.neutralise(bytes[..<cut]) + text.neutralise(bytes[cut...]) + text.finish()
            #expect(String(decoding: out, as: UTF8.self) == expected, "cut at \(cut)")
        }
    }

    @Test("no escape byte gets out but in colours and erase-in-line, whatever comes in")
    func holdsForRandomInput() {
        var generator = SeededGenerator(state: 7)
        let alphabet: [UInt8] = [0x1b, 0x5b, 0x5d, 0x3b, 0x31, 0x6d, 0x4b, 0x48, 0x07, 0x9b, 0xc2, 0x20, 0x41]
        for _ in 0..<2000 {
            let bytes = (0..<24).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
            var text = TerminalText()
            let out = text.neutralise(bytes) + text.finish()
            #expect(onlyHarmless(out), "\(bytes)")
        }
    }

    private func onlyHarmless(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x1b {
                guard index + 1 < bytes.count, bytes[index + 1] == 0x5b else { return false }
                var end = index + 2
                while end < bytes.count, (0x30...0x3b).contains(bytes[end]) { end += 1 }
                guard end < bytes.count, bytes[end] == 0x6d || bytes[end] == 0x4b else { return false }
                index = end
            } else if bytes[index] == 0xc2, index + 1 < bytes.count, (0x80...0x9f).contains(bytes[index + 1]) {
                return false
            }
            index += 1
        }
        return true
    }
}

/// A generator whose sequence is fixed by its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
