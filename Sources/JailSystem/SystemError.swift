/// A system call that failed: what was being done, on what, why, and what to do about it where that is known.
public struct SystemError: Error, Sendable, Equatable {
    /// What was being done, as a verb phrase: `open`, `create the cgroup`.
    public var operation: String
    /// The kernel's error number.
    public var errno: Int32
    /// The path, process or setting that it was done to; escaped for printing.
    public var subject: String
    /// One sentence that the user can act on; empty when none is known.
    public var hint: String

    public init(_ operation: String, errno: Int32, subject: String = "", hint: String = "") {
        self.operation = operation
        self.errno = errno
        self.subject = subject
        self.hint = hint
    }

    /// The error's name, as `EACCES`.
    public var name: String { Errno.name(errno) }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        var text = "cannot \(operation)"
        if !subject.isEmpty { text += " \(subject)" }
        text += ": \(Errno.name(errno)) (\(Errno.text(errno)))"
        if !hint.isEmpty { text += "; \(hint)" }
        return text
    }
}
