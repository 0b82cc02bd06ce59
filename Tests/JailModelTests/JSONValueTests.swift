import JailModel
import Testing

@Suite("JSON text")
struct JSONValueTests {
    @Test("keys are sorted and the compact form has no spaces")
    func sortsKeys() {
        let value: JSONValue = ["b": true, "a": [1, nil, "x"]]
        #expect(String(decoding: value.encoded(), as: UTF8.self) == #"{"a":[1,null,"x"],"b":true}"#)
    }

    @Test(
        "a decimal has exactly its places",
        arguments: [(5, 6, "0.000005"), (-1_500_000, 6, "-1.500000"), (12, 0, "12")])
    func writesDecimals(units: Int, places: Int, text: String) {
        let value = JSONValue.decimal(units: Int64(units), places: places)
        #expect(String(decoding: value.encoded(), as: UTF8.self) == text)
    }

    @Test("control characters are escaped, other text is kept, and ASCII form escapes by UTF-16 units")
    func escapes() {
        let value = JSONValue.string("a\u{1}\"é\u{1f600}")
        #expect(String(decoding: value.encoded(), as: UTF8.self) == "\"a\\u0001\\\"é\u{1f600}\"")
        #expect(
            String(decoding: value.encoded(.compact, asciiOnly: true), as: UTF8.self)
                == "\"a\\u0001\\\"\\u00e9\\ud83d\\ude00\"")
    }
}
