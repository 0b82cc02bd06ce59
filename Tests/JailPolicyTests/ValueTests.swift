import JailModel
import Testing

@testable import JailPolicy

@Suite("Durations and sizes")
struct QuantityTests {
    @Test(
        "durations",
        arguments: [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2h", 7200), ("1h1m1s", 3661)])
    func seconds(text: String, value: UInt64) throws { #expect(try Quantity.seconds(text) == value) }

    @Test(
        "what is no duration",
        arguments: [
            "", "s", "1x", "1m1h", "1h1h", "1h30", "-1", "-5s", "1.5h", " 1s", "500ms", "99999999999999999999",
            "9999999999999999h", "01s", "1 h",
        ])
    func refusesSeconds(text: String) { #expect(throws: ValueProblem.self) { try Quantity.seconds(text) } }

    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("512", 512), ("1KiB", 1024), ("512MiB", 512 << 20), ("2GiB", 2 << 30), ("1TiB", 1 << 40),
        ])
    func bytes(text: String, value: UInt64) throws { #expect(try Quantity.bytes(text) == value) }

    @Test(
        "what is no size",
        arguments: [
            "", "MiB", "1MB", "1M", "1mib", "1.5GiB", "-1", "1 MiB", "18446744073709551616", "16777216TiB", "0x10",
            "010",
        ])
    func refusesBytes(text: String) { #expect(throws: ValueProblem.self) { try Quantity.bytes(text) } }

    @Test("a size without a unit that is too small asks whether MiB were meant")
    func hintsAtUnit() {
        let diagnostics = mistakes("budgets: {max_memory: 512}\n")
        #expect(diagnostics.first?.hint.contains("512MiB") == true)
    }
}

@Suite("Host patterns")
struct HostPatternTests {
    @Test(
        "hosts have one canonical form",
        arguments: [
            ("example.com", "example.com"), ("Example.COM", "example.com"), ("example.com.", "example.com"),
            ("API.github.com:443", "api.github.com:443"), ("*.example.com", "*.example.com"),
            ("*.Example.com.:8443", "*.example.com:8443"), ("localhost", "localhost"),
            ("127.0.0.1:8765", "127.0.0.1:8765"), ("::1", "::1"), ("[::1]", "::1"), ("[::1]:80", "[::1]:80"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("1::8", "1::8"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example:443", "xn--bcher-kva.example:443"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("my_bucket.s3.amazonaws.com", "my_bucket.s3.amazonaws.com"),
            ("r3---sn-x.example.com", "r3---sn-x.example.com"),
            ("a.b.c.d.e", "a.b.c.d.e"), ("*.github.io", "*.github.io"), ("db", "db"),
            ("\u{212b}.example", "xn--5ca.example"),
        ])
    func canonical(text: String, expected: String) throws { #expect(try EgressRule(parsing: text).text == expected) }

    @Test(
        "what is too broad, ambiguous or no host is refused",
        arguments: [
            "", "*", "*.com", "*.com.", "*.localhost", "*.co.uk", "*.com.au:443", "?x.com", "[a]x.com",
            "a*.example.com",
            "api.*.com", "**.example.com", "*example.com", "http://example.com", "https://example.com:443/",
            "example.com/path", "10.0.0.0/8", "user@example.com", "user:pw@example.com", "exa mple.com", "a..b",
            ".example.com", "-a.com", "a-.com", "example.com:0", "example.com:65536", "example.com:",
            "example.com:http",
            "example.com:080", "example.com:*", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1",
            "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.0x4", "*.1.2.3.4", "0.0.0.0", "::", "[::]:80", ":::",
            "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "[::1", "::1]", "fe80::1%eth0", "::1.2.3",
            "straße.example", "e\u{301}.example", "ﬁ.example", "a\u{200d}b.example", "१२३\u{93f}.example",
            "xn--ü.example",
            "a。b.example\u{3002}", "{a,b}.com", "a\\b.com", "ex%61mple.com", "#", "a\u{0}b",
            String(repeating: "a", count: 64) + ".com", String(repeating: "abcdefg.", count: 32) + "com",
        ])
    func refuses(text: String) {
        #expect(throws: ValueProblem.self) { try EgressRule(parsing: text) }
    }

    @Test(
        "the matching vectors of the guarantees",
        arguments: [
            ("example.com", "example.com", true), ("example.com", "evil.com", false),
            ("*.example.com", "api.example.com", true), ("*.example.com", "sub.api.example.com", true),
            ("*.example.com", "example.com", false), ("*.example.com", "badexample.com", false),
            ("Example.COM", "example.com", true), ("::1", "[::1]", true), ("*.example.com", "*.api.example.com", true),
            ("*.api.example.com", "*.example.com", false), ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
        ])
    func covers(rule: String, host: String, isCovered: Bool) throws {
        #expect(try EgressRule.Host(parsing: rule).covers(EgressRule.Host(parsing: host)) == isCovered)
    }

    @Test("a rule without a port opens 443 as tls and 80 as http, with one what the port is known for")
    func endpoints() throws {
        func ports(_ text: String) throws -> [String] {
            try EgressRule(parsing: text).endpoints.map { "\($0.port)/\($0.kind.rawValue)" }
        }
        #expect(try ports("a.example") == ["443/tls", "80/http"])
        #expect(try ports("a.example:443") == ["443/tls"])
        #expect(try ports("a.example:80") == ["80/http"])
        #expect(try ports("a.example:8080") == ["8080/tcp"])
    }

    @Test(
        "punycode as in RFC 3492 section 7.1",
        arguments: [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("PorquénopuedensimplementehablarenEspañol".lowercased(), "porqunopuedensimplementehablarenespaol-fmd56a"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"), ("そのスピードで", "d9juau41awczczp"),
        ])
    func punycode(text: String, encoded: String) {
        #expect(Punycode.encode(text.unicodeScalars.map(\.value)) == encoded)
    }
}

@Suite("Paths, executables and variables")
struct PathValueTests {
    @Test(
        "absolute paths that cannot be granted",
        arguments: [
            "", "usr", "~/.ssh", "$HOME", "/home/$USER", "/", "//", "/usr/../etc", "/./etc", "/usr/*", "/usr/**",
            "/proc", "/sys/kernel", "/dev/kvm", "/a\nb",
        ])
    func refusesPaths(text: String) {
        #expect(throws: ValueProblem.self) { try AbsolutePath(parsing: text, mayBeSpecial: false) }
    }

    @Test("executables are a file or a subtree")
    func executables() throws {
        #expect(try ExecRule(parsing: "/usr/bin/git") == .file(AbsolutePath(components: ["usr", "bin", "git"])))
        #expect(try ExecRule(parsing: "/usr/bin/**") == .subtree(AbsolutePath(components: ["usr", "bin"])))
        for text in ["/usr/bin/", "/usr/bin/*", "/**", "/usr/**/git", "git", "/"] {
            #expect(throws: ValueProblem.self, "\(text)") { try ExecRule(parsing: text) }
        }
    }

    @Test("a path is compared by bytes, not by what looks the same")
    func comparesBytes() throws {
        let composed = try AbsolutePath(parsing: "/data/caf\u{e9}", mayBeSpecial: false)
        let decomposed = try AbsolutePath(parsing: "/data/cafe\u{301}", mayBeSpecial: false)
        #expect(!composed.contains(decomposed))
        #expect(!(try PathPattern(parsing: "caf\u{e9}")).matches(components: ["cafe\u{301}"]))
        #expect(!(try PathPattern(parsing: "caf\u{e9}").covers(PathPattern(parsing: "cafe\u{301}"))))
    }
}
