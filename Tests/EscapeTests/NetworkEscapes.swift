import Glibc
import RunSupport
import Testing

/// N rows: no byte reaches anybody outside, by no kind of socket.
@Suite("Escapes: network")
struct NetworkEscapes {
    /// A way to somebody who listens outside.
    struct Route: Sendable, CustomTestStringConvertible {
        let row: String
        let attack: String
        let place: Listener.Place
        /// What the probe connects to, when that is not where the listener is bound.
        var target: String?
        var testDescription: String { "\(row) \(attack) \(place)" }
    }

    static let routes: [Route] =
        [
            Route(row: "N1", attack: "tcp", place: .tcp4("127.0.0.1")),
            Route(row: "N1", attack: "tcp", place: .tcp4("0.0.0.0"), target: "0.0.0.0"),
            Route(row: "N2", attack: "mptcp", place: .mptcp4("127.0.0.1")),
            Route(row: "N2", attack: "mptcp", place: .tcp4("127.0.0.1")),
            Route(row: "N3", attack: "tfo-send", place: .tcp4("127.0.0.1")),
            Route(row: "N3", attack: "tfo-connect", place: .tcp4("127.0.0.1")),
            Route(row: "N4", attack: "udp", place: .udp4("127.0.0.1")),
            Route(row: "N4", attack: "udp-connected", place: .udp4("127.0.0.1")),
            Route(row: "N19", attack: "tcp", place: .tcp6("::1")),
            Route(row: "N19", attack: "udp", place: .udp6("::1")),
            Route(row: "N19", attack: "tcp", place: .tcp4("127.0.0.1"), target: "::ffff:127.0.0.1"),
        ]
        + ownAddresses().map { Route(row: "N1", attack: "tcp", place: .tcp4("0.0.0.0"), target: $0) }
        + ownAddresses().map { Route(row: "N4", attack: "udp", place: .udp4("0.0.0.0"), target: $0) }

    /// The addresses of this machine that are not its loopback's.
    private static func ownAddresses() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var out: [String] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else {
                continue
            }
            var host = [CChar](repeating: 0, count: 64)
            getnameinfo(address, socklen_t(MemoryLayout<sockaddr_in>.size), &host, 64, nil, 0, NI_NUMERICHOST)
            let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if !text.hasPrefix("127."), !text.isEmpty { out.append(text) }
        }
        return Array(out.prefix(1))
    }

    @Test("nobody outside hears anything", arguments: routes)
    func reach(_ route: Route) throws {
        let listener = try Listener(route.place)
        let stage = try Stage()
        let host: String
        switch route.place {
        case .tcp4(let name), .tcp6(let name), .udp4(let name), .udp6(let name), .mptcp4(let name): host = name
        case .unix(let name), .unixDatagram(let name), .abstract(let name): host = name
        }
        let words = [route.attack, route.target ?? host, "\(listener.port)"]
        let control = try Probe.control(words, on: stage)
        #expect(control.outcome == .worked, "the control run must work: \(control.result.out)")
        let before = listener.contacts
        #expect(before > 0)

        let result = try stage.launch(JailRun([Probe.escape] + words))
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        #expect(listener.contacts == before, "the listener was reached from the jail")
    }

    /// N27, N28, N29: local sockets of daemons outside.
    @Test("no local socket outside is reachable", arguments: ["unix", "unix-dgram", "unix-abstract"])
    func localSocket(_ attack: String) throws {
        let stage = try Stage()
        let name =
            attack == "unix-abstract"
            ? "ljtest-\(getpid())-\(UInt32.random(in: 0...UInt32.max))" : stage.outside + "/socket"
        let place: Listener.Place =
            switch attack {
            case "unix": .unix(name)
            case "unix-dgram": .unixDatagram(name)
            default: .abstract(name)
            }
        let listener = try Listener(place)
        let control = try Probe.control([attack, name], on: stage)
        #expect(control.outcome == .worked, "the control run must work: \(control.result.out)")

        let result = try stage.launch(JailRun([Probe.escape, attack, name]))
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        withExtendedLifetime(listener) {}
    }

    static let sockets: [Attack] = [
        Attack("N2", "socket 2 1 262"),
        Attack("N2", "socket-high-bits 2 1 262"),
        Attack("N4", "socket 2 5 132", host: .mayLackIt),
        Attack("N4", "ping 127.0.0.1", who: .rootOnly),
        Attack.privileged("N4", "socket 2 3 255"),
        Attack.privileged("N4", "socket 17 3 768", denial: "family 17"),
        Attack("N5", "socket 40 1 0", denial: "family 40"),
        Attack("N5", "socket-high-bits 40 1 0", denial: "family 40"),
        Attack("N6", "socket 38 5 0", host: .mayLackIt),
        Attack("N6", "socket 16 3 4"),
        Attack("N6", "socket 16 3 6"),
        Attack("N6", "socket 16 3 9"),
        Attack("N6", "socket 16 3 12"),
        Attack("N6", "socket 16 3 15"),
        Attack("N6", "socket 16 3 16"),
        Attack("N6", "socket-high-bits 16 3 16"),
        Attack("N6", "socket 44 3 0", who: .rootOnly),
        Attack("N6", "socket 31 3 0", host: .mayLackIt),
        Attack("N6", "socket 30 2 0", host: .mayLackIt),
        Attack("N6", "socket 29 3 1", host: .mayLackIt),
        Attack("N6", "socket 21 5 0", host: .mayLackIt),
        Attack("N6", "socket 15 3 2", host: .mayLackIt),
        Attack("N6", "socket 43 1 0", host: .mayLackIt),
        Attack("N7", "io-uring-setup"),
        Attack("N7", "io-uring-enter"),
        Attack("N7", "io-uring-register"),
        Attack("N7", "io-uring-socket 2"),
        Attack.privileged("N20", "add-address"),
    ]

    @Test("sockets that leave the network namespace do not exist", arguments: Attack.applicable(sockets))
    func socketKind(_ attack: Attack) throws { try judge(attack) }

    /// N30, P21: whatever was open in the caller is not open in the command.
    @Test("no descriptor of the caller arrives")
    func inheritedDescriptors() throws {
        let stage = try Stage()
        let listener = try Listener(.tcp4("127.0.0.1"))
        let root = open("/", O_RDONLY | O_DIRECTORY)
        #expect(root >= 0)
        defer { close(root) }
        let extra: [Int32: Int32] = [9: root, 77: root, 300: root]
        let control = try Probe.control(["leaked-fds"], on: stage, extra: extra)
        #expect(control.outcome == .worked)
        var run = JailRun([Probe.escape, "leaked-fds"])
        run.extra = extra
        let result = try stage.launch(run)
        #expect(Probe.outcome(result) == .refused, "\(result.account)")
        withExtendedLifetime(listener) {}
    }

    /// N30: a descriptor that lies in a message on standard input.
    @Test("no descriptor can be received on standard input")
    func receivedDescriptor() throws {
        let stage = try Stage()
        for isControl in [true, false] {
            var ends: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            defer { ends.forEach { close($0) } }
            let root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            try send(descriptor: root, over: ends[0])
            close(root)
            if isControl {
                let control = try Probe.control(["stdin-rights"], on: stage, stdin: .descriptor(ends[1]))
                #expect(control.outcome == .worked, "\(control.result.out)")
            } else {
                // The end of the input lets the run end.
                shutdown(ends[0], Int32(SHUT_WR))
                var run = JailRun([Probe.escape, "stdin-rights"])
                run.stdin = .descriptor(ends[1])
                let result = try stage.launch(run)
                #expect(Probe.outcome(result) == .refused, "\(result.account)")
            }
        }
    }
}
