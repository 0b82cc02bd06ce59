internal import CJail
internal import Glibc
public import JailModel

/// This process: its environment, its raw arguments, its end.
public enum CurrentProcess {
    /// The environment; entries that are not UTF-8 are left out, since no policy can name them.
    public static let environment: [String: String] = {
        var out: [String: String] = [:]
        // SAFETY: nothing in this program changes the environment, so the table and its strings stay as they are.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")),
                let name = String(validating: bytes[..<equals], as: UTF8.self),
                let value = String(validating: bytes[(equals + 1)...], as: UTF8.self)
            {
                out[name] = value
            }
            unsafe entry += 1
        }
        return out
    }()

    /// The arguments after the first `--`, byte for byte: a parser's strings would repair what is not UTF-8.
    public static var commandArguments: [ByteString]? {
        let all: [[UInt8]] = (0..<Int(CommandLine.argc)).compactMap { index in
            // SAFETY: the table has `argc` strings, and they live as long as the process.
            guard let text = unsafe CommandLine.unsafeArgv[index] else { return nil }
            return unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
        guard let separator = all.firstIndex(of: Array("--".utf8)) else { return nil }
        return all[(separator + 1)...].compactMap { ByteString($0) }
    }

    /// Puts /dev/null where a standard stream is closed: a file that is opened later must not become one of them.
    ///
    /// One that is open the wrong way round is as good as closed.
    public static func reserveStandardStreams() {
        for fd: Int32 in 0...2 {
            let flags = cj_status_flags(fd)
            let wrong = fd == 0 ? O_WRONLY : O_RDONLY
            guard flags < 0 || flags & O_ACCMODE == wrong else { continue }
            // SAFETY: the path is a constant string.
            let null = unsafe open("/dev/null", O_RDWR)
            if null >= 0, null != fd {
                dup2(null, fd)
                close(null)
            }
        }
    }

    /// Ends without running exit handlers of libraries: nothing of ours waits to be flushed.
    public static func exit(_ code: Int32) -> Never { _exit(code) }
}
