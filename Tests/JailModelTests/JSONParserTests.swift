import JailModel
import Testing

@Suite("strict JSON")
struct JSONParserTests {
    static let accepted: [(String, JSONValue)] = [
        ("null", nil), (" true\n", true), ("false", false), ("0", 0), ("-1", -1),
        ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)), ("1.50", .decimal(units: 150, places: 2)),
        ("-0.5", .decimal(units: -5, places: 1)), (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u00e9\uD83D\ude00""#, "é\u{1f600}"), ("\"é\u{1f600}\"", "é\u{1f600}"), ("[]", []), ("{}", [:]),
        (" [ 1 , [ ] ] ", [1, []]), (#"{ "a" : { "b" : null } , "c" : 2 }"#, ["a": ["b": nil], "c": 2]),
    ]

    @Test("is read", arguments: accepted)
    func reads(text: String, value: JSONValue) throws { #expect(try JSONValue(parsing: Array(text.utf8)) == value) }

    static let refused = [
        "", " ", "nul", "nulll", "True", "01", "-", "-01", "+1", "1.", ".5", "1e3", "1E3", "0x1", "NaN", "1 2",
        "9223372036854775808", #"""#, #""\x""#, #""\u12g4""#, #""\ud83d""#, #""\ude00""#, #""\ud83d\u0041""#, "\"\n\"",
        "\"\u{0}\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}", "{1:1}", #"{"a":1,"a":2}"#, "]", "}", "'a'", "\u{feff}1", "1,", "/**/1",
    ]

    @Test("is refused", arguments: refused)
    func refuses(text: String) {
        #expect(throws: JSONError.self) { _ = try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test(
        "bytes that are no UTF-8 are refused",
        arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) {
            _ = try JSONValue(parsing: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")])
        }
    }

    @Test("depth is bounded, so that hostile text cannot exhaust the stack")
    func depth() throws {
        func nested(_ levels: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(ascii: "["), count: levels) + [UInt8](repeating: UInt8(ascii: "]"), count: levels)
        }
        _ = try JSONValue(parsing: nested(64))
        for levels in [65, 100_000] {
            #expect(throws: JSONError.self) { _ = try JSONValue(parsing: nested(levels)) }
        }
    }

    @Test("every prefix and every changed byte of a text is either read or refused, never a trap")
    func mutations() {
        let text = Array(#"{"a":[1,-2.50,"x\u00e9\ud83d\ude00\n",null,true,{"b":{}}],"c":""}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { _ = try JSONValue(parsing: Array(text[..<length])) }
        }
        for index in text.indices {
            for byte in UInt8.min ... .max {
                var changed = text
                changed[index] = byte
                if let value = try? JSONValue(parsing: changed) {
                    #expect((try? JSONValue(parsing: value.encoded())) == value)
                }
            }
        }
    }
}
