internal import Glibc

/// Runs a system call again while a signal interrupts it, and turns -1 into a typed error.
///
/// EBADF and EFAULT are bugs of the caller and trap: going on could act on somebody else's file. signal(7).
///
/// - Parameters:
///   - operation: What is being done, as a verb phrase for the error.
///   - subject: What it is done to; asked for only when the call fails.
///   - hint: What the user can do; asked for only when the call fails.
///   - body: One call that returns -1 and sets errno on failure, and does nothing else after it.
/// - Returns: What the call returned, zero or more.
@discardableResult
public func retrying<Result: SignedInteger>(
    _ operation: String, on subject: @autoclosure () -> String = "", hint: @autoclosure () -> String = "",
    _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code == EINTR { continue }
        precondition(code != EBADF && code != EFAULT, "a bad descriptor or address reached the kernel")
        throw SystemError(operation, errno: code, subject: subject(), hint: hint())
    }
}
