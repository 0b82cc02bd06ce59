internal import CJail
internal import CJailABI
internal import Glibc
internal import JailModel
internal import JailSystem

/// The process behind a notification, read for the record. All of it is what the process shows at that moment.
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

    /// What execve or execveat is about to start. Another thread can change it before the kernel looks: a log, no proof.
    func exec(_ call: cj_notification, named name: String) -> ExecRecord? {
        let isAt = name == "execveat"
        let pathAddress = isAt ? call.arguments.1 : call.arguments.0
        let argvAddress = isAt ? call.arguments.2 : call.arguments.1
        guard let path = text(at: pathAddress) else { return nil }
        return ExecRecord(path: path.description, argv: arguments(at: argvAddress), cwd: link("cwd"))
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

    /// The address of connect or sendto, as `host:port/proto`; `nil` for loopback and local sockets.
    func address(_ call: cj_notification, named name: String) -> String? {
        let pointer = name == "sendto" ? call.arguments.4 : call.arguments.1
        guard pointer != 0, let raw = memory(at: pointer, count: 28) ?? memory(at: pointer, count: 16), raw.count >= 16
        else { return nil }
        let family = UInt16(raw[0]) | UInt16(raw[1]) << 8
        let port = UInt16(raw[2]) << 8 | UInt16(raw[3])
        switch Int32(family) {
        case AF_INET:
            let octets = raw[4..<8]
            guard octets.first != 127, !octets.allSatisfy({ $0 == 0 }) else { return nil }
            return octets.map { String($0) }.joined(separator: ".") + ":\(port)"
        case AF_INET6:
            guard raw.count >= 24 else { return nil }
            let octets = Array(raw[8..<24])
            let isLoopback = octets.prefix(15).allSatisfy { $0 == 0 } && octets[15] <= 1
            let isMappedLoopback =
                octets.prefix(10).allSatisfy { $0 == 0 } && octets[10] == 0xff && octets[11] == 0xff
                && octets[12] == 127
            guard !isLoopback, !isMappedLoopback else { return nil }
            let groups = stride(from: 0, to: 16, by: 2).map { index in
                String(UInt16(octets[index]) << 8 | UInt16(octets[index + 1]), radix: 16)
            }
            return "[" + groups.joined(separator: ":") + "]:\(port)"
        default: return nil
        }
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
