public import JailModel

/// A path as a system call takes it: text, or bytes that need not be UTF-8.
public protocol KernelPath: Sendable {
    /// The bytes without a terminator.
    var kernelBytes: [UInt8] { get }
}

extension String: KernelPath {
    public var kernelBytes: [UInt8] { Array(utf8) }
}

extension ByteString: KernelPath {
    public var kernelBytes: [UInt8] { bytes }
}

extension KernelPath {
    /// The path for a message: escaped, so that a file name cannot steer a terminal (guarantee E).
    public var forMessage: String { SafeText.escape(kernelBytes) }

    /// Lends a terminated copy to one call.
    ///
    /// A NUL inside would make the kernel see a shorter path than the caller checked, so it traps; text from outside
    /// is parsed into a `ByteString`, which holds none, before it comes here.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        var bytes = kernelBytes
        precondition(!bytes.contains(0), "a path with a NUL byte reached the kernel boundary")
        bytes.append(0)
        // SAFETY: UInt8 and CChar have one layout, and the terminated copy outlives the call.
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { preconditionFailure("a terminated copy is not empty") }
                return unsafe body(start)
            }
        }
    }
}
