import JailModel
import JailSystem
import Testing

@Suite("Who the command becomes")
struct TargetUserTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        var owner: (UInt32, UInt32) = (0, 0)
        var environment: [String: String] = [:]
        var subordinate: [IDRange] = []
        var mapped: [IDRange] = [IDRange(first: 0, count: .max)]
        let expected: TargetUser

        init(
            _ name: String, uid: UInt32 = 0, gid: UInt32 = 0, owner: (UInt32, UInt32) = (0, 0),
            environment: [String: String] = [:], subordinate: [IDRange] = [],
            mapped: [IDRange] = [IDRange(first: 0, count: .max)], _ expected: TargetUser
        ) {
            testDescription = name
            self.uid = uid
            self.gid = gid
            self.owner = owner
            self.environment = environment
            self.subordinate = subordinate
            self.mapped = mapped
            self.expected = expected
        }
    }

    private static let accounts = [
        Account(name: "root", uid: 0, gid: 0, home: "/root"),
        Account(name: "ada", uid: 1000, gid: 1000, home: "/home/ada"),
        Account(name: "bob", uid: 1001, gid: 100, home: "/home/bob"),
        Account(name: "nobody", uid: 65534, gid: 65534, home: "/nonexistent"),
    ]

    private static func user(
        _ uid: UInt32, _ gid: UInt32, outside: UInt32? = nil, name: String, home: String
    ) -> TargetUser {
        TargetUser(
            insideUID: uid, insideGID: gid, outsideUID: outside ?? uid, outsideGID: outside ?? gid, name: name,
            home: home)
    }

    static let rows: [Row] = [
        Row("an ordinary user stays who it is", uid: 1000, gid: 1000, user(1000, 1000, name: "ada", home: "/home/ada")),
        Row(
            "SUDO_UID means nothing to an ordinary user", uid: 1000, gid: 1000, environment: ["SUDO_UID": "1001"],
            user(1000, 1000, name: "ada", home: "/home/ada")),
        Row(
            "a user without account takes the environment's words", uid: 4242, gid: 4242,
            environment: ["HOME": "/srv/home", "USER": "eve"], user(4242, 4242, name: "eve", home: "/srv/home")),
        Row(
            "a relative HOME or a name with a colon is not used", uid: 4242, gid: 4242,
            environment: ["HOME": "home", "USER": "a:b"], user(4242, 4242, name: "user4242", home: "/")),
        Row(
            "root behind sudo becomes the invoking user", owner: (0, 0),
            environment: ["SUDO_UID": "1000", "SUDO_GID": "1000"], user(1000, 1000, name: "ada", home: "/home/ada")),
        Row(
            "sudo without a group takes the account's", environment: ["SUDO_UID": "1001"],
            user(1001, 100, name: "bob", home: "/home/bob")),
        Row(
            "host group 0 is never passed on", environment: ["SUDO_UID": "1001", "SUDO_GID": "0"],
            user(1001, 100, name: "bob", home: "/home/bob")),
        Row(
            "sudo by root itself falls to the workspace's owner", owner: (1000, 1000),
            environment: ["SUDO_UID": "0", "SUDO_GID": "0"], user(1000, 1000, name: "ada", home: "/home/ada")),
        Row(
            "nonsense in SUDO_UID falls to the workspace's owner", owner: (1000, 1000),
            environment: ["SUDO_UID": "1000; rm"], user(1000, 1000, name: "ada", home: "/home/ada")),
        Row(
            "an owner without account", owner: (7777, 0), user(7777, 7777, name: "user7777", home: "/")),
        Row("root on a root-owned workspace", user(0, 0, outside: 100_000, name: "root", home: "/root")),
        Row(
            "subordinate ranges belong to somebody",
            subordinate: [IDRange(first: 100_000, count: 65536), IDRange(first: 165_536, count: 65536)],
            user(0, 0, outside: 231_072, name: "root", home: "/root")),
        Row(
            "a namespace with fewer ids gives its highest free one", mapped: [IDRange(first: 0, count: 65536)],
            user(0, 0, outside: 65535, name: "root", home: "/root")),
        Row(
            "an owner that is not mapped cannot be become", owner: (65534, 65534),
            mapped: [IDRange(first: 0, count: 1000)], user(0, 0, outside: 999, name: "root", home: "/root")),
        Row(
            "a namespace with one id has no other", mapped: [IDRange(first: 0, count: 1)],
            user(0, 0, name: "root", home: "/root")),
    ]

    @Test(arguments: rows)
    func resolves(row: Row) {
        let resolver = TargetUserResolver(
            uid: row.uid, gid: row.gid, workspaceUID: row.owner.0, workspaceGID: row.owner.1, accounts: Self.accounts,
            subordinate: row.subordinate, mapped: row.mapped)
        #expect(resolver.resolve { row.environment[$0] } == row.expected)
    }

    @Test("the outside id is never 0 when another id exists, whatever the accounts")
    func neverRoot() {
        for count: UInt32 in [2, 10, 65536, 200_000, .max] {
            let resolver = TargetUserResolver(
                uid: 0, gid: 0, workspaceUID: 0, workspaceGID: 0, accounts: Self.accounts,
                mapped: [IDRange(first: 0, count: count)])
            let user = resolver.resolve { _ in nil }
            #expect(user.outsideUID != 0, "\(count) ids")
            #expect(user.outsideUID != 65534)
        }
    }
}
