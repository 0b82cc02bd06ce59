internal import CJail
internal import CJailABI
internal import Glibc
internal import JailModel
internal import JailSystem

/// The process behind a notification, read for the record.
///
/// All of it is what the process shows at that moment.
struct Caller {
    let pid: Int32

    var executable: String { link("exe") }

    private func link(_ name: String) -> String {
        // A process that is gone has no link any more; the record then stays without it.
        guard let text = try? Files.readLink("/proc/\(pid)/\(name)") else { return "" }
        return text.description
    }

    /// A null-terminated string of the process; `nil` when it cannot be read.
    func text(at address: UInt64, limit: Int = 4096) -> ByteString? {
        guard address != 0 else { return nil }
        var out: [UInt8] = []
        var next = address
        while out.count < limit {
            // Up to the end of the page: the next one may not be mapped.
            let rest = 4096 - Int(next & 4095)
            guard let chunk = memory(at: next, count: min(rest, limit - out.count)), !chunk.isEmpty else { break }
            if let end = chunk.firstIndex(of: 0) {
                out += chunk[..<end]
                return ByteString(out)
            }
            out += chunk
            next &+= UInt64(chunk.count)
        }
        return out.isEmpty ? nil : ByteString(out)
    }

    private func memory(at address: UInt64, count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        // SAFETY: the kernel writes at most the count of the array, which is exclusively borrowed.
        let got = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe cj_read_memory(pid, address, raw.baseAddress, raw.count)
        }
        return got < 0 ? nil : Array(buffer.prefix(got))
    }

    // MARK: exec

    private static let argumentLimit = 64
    private static let argumentBytes = 4096

    /// What execve or execveat is about to start.
    ///
    /// Another thread can change it before the kernel looks: a log, no proof.
    func exec(_ call: cj_notification, named name: String) -> ExecRecord {
        let isAt = name == "execveat"
        let pathAddress = isAt ? call.arguments.1 : call.arguments.0
        let argvAddress = isAt ? call.arguments.2 : call.arguments.1
        let path = text(at: pathAddress)?.description ?? "(unreadable)"
        return ExecRecord(path: path, argv: arguments(at: argvAddress), cwd: link("cwd"))
    }

    private func arguments(at address: UInt64) -> [String] {
        guard address != 0, let table = memory(at: address, count: 8 * Self.argumentLimit) ?? smallTable(at: address)
        else { return [] }
        var out: [String] = []
        var budget = Self.argumentBytes
        for index in 0..<(table.count / 8) {
            let pointer = table[index * 8..<index * 8 + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard pointer != 0, budget > 0, let argument = text(at: pointer, limit: min(budget, 1024)) else { break }
            out.append(argument.description)
            budget -= argument.bytes.count + 1
        }
        return out
    }

    /// The table may end at the end of the stack, before the limit.
    private func smallTable(at address: UInt64) -> [UInt8]? { memory(at: address, count: 4096 - Int(address & 4095)) }

    // MARK: network

    /// Where a socket call leads.
    enum Destination {
        /// Loopback, a local socket, or none.
        case harmless
        /// `host:port`.
        case remote(String)
        case unreadable
    }

    /// The first remote address of connect, sendto, sendmsg or sendmmsg.
    func address(_ call: cj_notification, named name: String) -> Destination {
        let arguments = call.arguments
        switch name {
        case "connect": return destination(at: arguments.1, length: arguments.2)
        case "sendto": return destination(at: arguments.4, length: arguments.5)
        case "sendmsg": return message(at: arguments.1)
        default:
            // struct mmsghdr is 64 bytes; the kernel takes at most 1024 of them, the record looks at the first 16.
            for index in 0..<min(UInt64(UInt32(truncatingIfNeeded: arguments.2)), 16) {
                switch message(at: arguments.1 &+ index &* 64) {
                case .harmless: continue
                case let found: return found
                }
            }
            return .harmless
        }
    }

    /// struct msghdr: the name's address, then its length.
    private func message(at address: UInt64) -> Destination {
        guard let header = memory(at: address, count: 12), header.count == 12 else { return .unreadable }
        let name = header[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let length = header[8..<12].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return destination(at: name, length: length)
    }

    private func destination(at pointer: UInt64, length: UInt64) -> Destination {
        let size = Int(min(UInt64(UInt32(truncatingIfNeeded: length)), 128))
        guard pointer != 0, size >= 2 else { return .harmless }
        guard let raw = memory(at: pointer, count: size), raw.count == size else { return .unreadable }
        switch Int32(UInt16(raw[0]) | UInt16(raw[1]) << 8) {
        case AF_INET where size >= 8: return ipv4(raw[4..<8], port: port(raw))
        case AF_INET6 where size >= 24: return ipv6(Array(raw[8..<24]), port: port(raw))
        default: return .harmless
        }
    }

    private func port(_ raw: [UInt8]) -> UInt16 { UInt16(raw[2]) << 8 | UInt16(raw[3]) }

    private func ipv4(_ octets: ArraySlice<UInt8>, port: UInt16) -> Destination {
        // 0.0.0.0 is this host, as 127.0.0.0/8 is.
        guard octets.first != 127, !octets.allSatisfy({ $0 == 0 }) else { return .harmless }
        return .remote(octets.map { String($0) }.joined(separator: ".") + ":\(port)")
    }

    private func ipv6(_ octets: [UInt8], port: UInt16) -> Destination {
        if octets.prefix(15).allSatisfy({ $0 == 0 }), octets[15] <= 1 { return .harmless }
        if octets.prefix(10).allSatisfy({ $0 == 0 }), octets[10] == 0xff, octets[11] == 0xff {
            return ipv4(octets[12..<16], port: port)
        }
        let groups = stride(from: 0, to: 16, by: 2).map { index in
            String(UInt16(octets[index]) << 8 | UInt16(octets[index + 1]), radix: 16)
        }
        return .remote("[" + groups.joined(separator: ":") + "]:\(port)")
    }

    // MARK: other calls

    /// The call with the arguments that matter, as `mount(tmpfs)` or `socket(AF 40)`.
    func subject(_ call: cj_notification, named name: String) -> String {
        let arguments = call.arguments
        switch name {
        case "mount":
            let type = text(at: arguments.2, limit: 64)?.description ?? ""
            let target = text(at: arguments.1, limit: 256)?.description ?? ""
            return "mount(\(type) on \(target))"
        case "umount2", "chroot", "pivot_root", "swapon", "acct":
            return "\(name)(\(text(at: arguments.0, limit: 256)?.description ?? ""))"
        case "unshare": return "unshare(0x\(String(UInt32(truncatingIfNeeded: arguments.0), radix: 16)))"
        case "clone": return "clone(0x\(String(UInt32(truncatingIfNeeded: arguments.0), radix: 16)))"
        case "socket":
            return "socket(family \(UInt32(truncatingIfNeeded: arguments.0)), type "
                + "\(UInt32(truncatingIfNeeded: arguments.1) & 0xf))"
        case "ioctl": return "ioctl(0x\(String(UInt32(truncatingIfNeeded: arguments.1), radix: 16)))"
        case "ptrace":
            return "ptrace(request \(UInt32(truncatingIfNeeded: arguments.0)))"
        case "personality": return "personality(0x\(String(UInt32(truncatingIfNeeded: arguments.0), radix: 16)))"
        case "bpf", "keyctl": return "\(name)(\(UInt32(truncatingIfNeeded: arguments.0)))"
        default: return name
        }
    }
}
