import Glibc
import Synchronization

/// A server outside the jail that answers every message with "pong" and counts who came.
public final class Listener: Sendable {
    /// What it listens on.
    public enum Place: Sendable, Hashable {
        case tcp4(String)
        case tcp6(String)
        case udp4(String)
        case udp6(String)
        case mptcp4(String)
        case unix(String)
        case unixDatagram(String)
        case abstract(String)
    }

    public let port: UInt16
    private let fd: Int32
    private let heard = Mutex<Int>(0)
    private let thread = Mutex<pthread_t?>(nil)
    private let stopPipe: Pipe
    private let isStream: Bool

    /// How many connections or datagrams arrived.
    public var contacts: Int { heard.withLock { $0 } }

    public init(_ place: Place) throws {
        stopPipe = try Pipe()
        switch place {
        case .tcp4(let host): (fd, port) = try Self.bindIPv4(host, Int32(SOCK_STREAM.rawValue), 0)
        case .udp4(let host): (fd, port) = try Self.bindIPv4(host, Int32(SOCK_DGRAM.rawValue), 0)
        case .mptcp4(let host): (fd, port) = try Self.bindIPv4(host, Int32(SOCK_STREAM.rawValue), 262)
        case .tcp6(let host): (fd, port) = try Self.bindIPv6(host, Int32(SOCK_STREAM.rawValue))
        case .udp6(let host): (fd, port) = try Self.bindIPv6(host, Int32(SOCK_DGRAM.rawValue))
        case .unix(let path):
            (fd, port) = (try Self.bindUnix(path, Int32(SOCK_STREAM.rawValue), isAbstract: false), 0)
        case .unixDatagram(let path):
            (fd, port) = (try Self.bindUnix(path, Int32(SOCK_DGRAM.rawValue), isAbstract: false), 0)
        case .abstract(let name):
            (fd, port) = (try Self.bindUnix(name, Int32(SOCK_STREAM.rawValue), isAbstract: true), 0)
        }
        switch place {
        case .udp4, .udp6, .unixDatagram: isStream = false
        default: isStream = true
        }
        if isStream {
            guard listen(fd, 16) == 0 else { throw SystemCallError("listen") }
            // The backlog of TCP fast open; harmless where it does not apply.
            var queue: Int32 = 16
            setsockopt(fd, Int32(IPPROTO_TCP), 23, &queue, socklen_t(MemoryLayout<Int32>.size))
        }
        startThread()
    }

    deinit {
        close(stopPipe.writeEnd)
        if let thread = thread.withLock({ $0 }) { pthread_join(thread, nil) }
        close(fd)
        close(stopPipe.readEnd)
    }

    /// What the serving thread needs; it must not keep the listener alive.
    private final class Job {
        let fd: Int32
        let stop: Int32
        let isStream: Bool
        let count: () -> Void
        init(fd: Int32, stop: Int32, isStream: Bool, count: @escaping () -> Void) {
            (self.fd, self.stop, self.isStream, self.count) = (fd, stop, isStream, count)
        }

        func serve() {
            while true {
                var waits = [pollfd(fd: fd, events: Int16(POLLIN), revents: 0)]
                waits.append(pollfd(fd: stop, events: Int16(POLLIN), revents: 0))
                guard poll(&waits, 2, -1) > 0, waits[1].revents == 0 else { return }
                if isStream { answerConnection() } else { answerDatagram() }
            }
        }

        private func answerConnection() {
            let peer = accept(fd, nil, nil)
            guard peer >= 0 else { return }
            count()
            var limit = timeval(tv_sec: 2, tv_usec: 0)
            setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var data = [UInt8](repeating: 0, count: 64)
            if recv(peer, &data, data.count, 0) > 0 { send(peer, "pong", 4, Int32(MSG_NOSIGNAL)) }
            close(peer)
        }

        private func answerDatagram() {
            var data = [UInt8](repeating: 0, count: 64)
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    guard recvfrom(fd, &data, data.count, 0, address, &length) > 0 else { return }
                    count()
                    if length > 2 { sendto(fd, "pong", 4, Int32(MSG_NOSIGNAL), address, length) }
                }
            }
        }
    }

    private func startThread() {
        let count: () -> Void = { [weak self] in self?.heard.withLock { $0 += 1 } }
        let job = Unmanaged.passRetained(Job(fd: fd, stop: stopPipe.readEnd, isStream: isStream, count: count))
        var handle = pthread_t()
        pthread_create(
            &handle, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Job>.fromOpaque(raw).takeRetainedValue().serve()
                return nil
            }, job.toOpaque())
        thread.withLock { $0 = handle }
    }

    private static func bindIPv4(_ host: String, _ type: Int32, _ protocolNumber: Int32) throws -> (Int32, UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw MissingHere("address \(host)") }
        let fd = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber)
        guard fd >= 0 else { throw SystemCallError("socket") }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemCallError("bind \(host)") }
        return (fd, UInt16(bigEndian: address.sin_port))
    }

    private static func bindIPv6(_ host: String, _ type: Int32) throws -> (Int32, UInt16) {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { throw MissingHere("address \(host)") }
        let fd = socket(AF_INET6, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw SystemCallError("socket") }
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        guard isBound else { throw SystemCallError("bind \(host)") }
        return (fd, UInt16(bigEndian: address.sin6_port))
    }

    private static func bindUnix(_ name: String, _ type: Int32, isAbstract: Bool) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = (isAbstract ? [0] : []) + Array(name.utf8)
        guard bytes.count < 107 else { throw MissingHere("the socket's name is too long") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let fd = socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw SystemCallError("socket") }
        // As the probe: the family's two bytes, the name, and one more byte.
        let length = socklen_t(2 + name.utf8.count + 1)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, length) == 0 }
        }
        guard isBound else { throw SystemCallError("bind \(name)") }
        return fd
    }
}
