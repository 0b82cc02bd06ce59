import Glibc
import JailModel

/// This process: its environment, its raw arguments, its end.
enum Process {
    /// The environment; entries that are not UTF-8 are left out, since no policy can name them.
    static let environment: [String: String] = {
        var out: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let bytes = UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")),
                let name = String(validating: bytes[..<equals], as: UTF8.self),
                let value = String(validating: bytes[(equals + 1)...], as: UTF8.self)
            {
                out[name] = value
            }
            entry += 1
        }
        return out
    }()

    /// The arguments after the first `--`, byte for byte: the parser's strings would repair what is not UTF-8.
    static var commandArguments: [ByteString]? {
        let all = (0..<Int(CommandLine.argc)).compactMap { index in
            CommandLine.unsafeArgv[index].map { text in
                UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
            }
        }
        guard let separator = all.firstIndex(of: Array("--".utf8)) else { return nil }
        return all[(separator + 1)...].compactMap { ByteString($0) }
    }

    /// Puts /dev/null where a standard stream is closed: a file that is opened later must not become one of them.
    static func reserveStandardStreams() {
        for fd: Int32 in 0...2 {
            let flags = fcntl(fd, F_GETFL)
            let wrong = fd == 0 ? O_WRONLY : O_RDONLY
            // One that is open the wrong way round is as good as closed.
            guard flags < 0 || flags & O_ACCMODE == wrong else { continue }
            let null = open("/dev/null", O_RDWR)
            if null >= 0, null != fd {
                dup2(null, fd)
                close(null)
            }
        }
    }

    /// Ends without running exit handlers of libraries: nothing of ours waits to be flushed.
    static func exit(_ code: Int32) -> Never { Glibc._exit(code) }
}
