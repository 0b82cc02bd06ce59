import JailLedger
import Testing

@Suite("calendar arithmetic")
struct WallTimeTests {
    /// Known seconds, checked against date(1).
    static let known: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00"), (86399, "1970-01-01T23:59:59"), (86400, "1970-01-02T00:00:00"),
        (68_169_600, "1972-02-29T00:00:00"), (951_782_400, "2000-02-29T00:00:00"),
        (951_868_800, "2000-03-01T00:00:00"), (1_078_012_800, "2004-02-29T00:00:00"),
        (1_709_164_800, "2024-02-29T00:00:00"), (1_709_251_199, "2024-02-29T23:59:59"),
        (1_767_225_599, "2025-12-31T23:59:59"), (1_767_225_600, "2026-01-01T00:00:00"),
        (2_147_483_648, "2038-01-19T03:14:08"), (4_107_542_399, "2100-02-28T23:59:59"),
        (4_107_542_400, "2100-03-01T00:00:00"), (253_402_300_799, "9999-12-31T23:59:59"),
    ]

    @Test("known dates", arguments: known)
    func writes(seconds: Int64, text: String) {
        var bytes: [UInt8] = []
        WallTime(seconds: seconds, microseconds: 42).appendRFC3339(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text + ".000042+00:00")
    }

    @Test("every day from 1970 to 2110 is written and read back as itself")
    func everyDay() {
        var expected: (year: Int64, month: Int64, day: Int64) = (1970, 1, 1)
        for index in 0..<Int64(51_136) {
            let time = WallTime(year: expected.year, month: expected.month, day: expected.day)
            #expect(time?.seconds == index * 86400)
            let isLeap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
            let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected.day += 1
            if expected.day > lengths[Int(expected.month - 1)] { expected = (expected.year, expected.month + 1, 1) }
            if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
        }
    }

    @Test(
        "dates that do not exist",
        arguments: [(2026, 2, 29), (2100, 2, 29), (2026, 4, 31), (2026, 13, 1), (1969, 1, 1)])
    func refuses(year: Int64, month: Int64, day: Int64) {
        #expect(WallTime(year: year, month: month, day: day) == nil)
    }

    @Test("a broken clock changes the date, never the form", arguments: [Int64.min, -1, 253_402_300_800, Int64.max])
    func clamps(seconds: Int64) {
        var bytes: [UInt8] = []
        WallTime(seconds: seconds, microseconds: -1).appendRFC3339(to: &bytes)
        #expect(bytes.count == 32)
    }
}

@Suite("run ids")
struct RunIDTests {
    @Test("the name holds the second and the random part")
    func makes() {
        let id = RunID.make(at: WallTime(seconds: 1_767_225_600, microseconds: 999_999), random: 0x0bad_cafe)
        #expect(id.text == "20260101T000000Z-0badcafe")
        #expect(id.time == WallTime(seconds: 1_767_225_600))
    }

    @Test("fresh ids differ")
    func fresh() { #expect(RunID.fresh() != RunID.fresh()) }

    @Test(
        "names that are none",
        arguments: ["", ".", "..", "latest", "a/b", "a b", "a\n", "é", String(repeating: "a", count: 129)])
    func refuses(text: String) { #expect(RunID(text) == nil) }

    @Test("ids that tell no time", arguments: ["r1", "20261301T000000Z-0badcafe", "2026-101T000000Z-0badcafe"])
    func noTime(text: String) { #expect(RunID(text)?.time == nil) }
}
