internal import CJail
internal import Glibc

/// A file descriptor with exactly one owner, closed when the owner goes.
///
/// Closing a number that is not open is a bug that could close somebody else's file, so it traps.
/// close(2). Guarantee B: no descriptor of the host outlives its use and reaches the jail.
public struct OwnedFD: ~Copyable, Sendable {
    private let number: Int32

    /// Takes over an open descriptor; nobody else may close it from now on.
    public init(taking number: Int32) {
        precondition(number >= 0, "a descriptor is not negative")
        self.number = number
    }

    /// The number, lent for the duration of a call.
    public var rawValue: Int32 { number }

    /// Gives the number away without closing it.
    public consuming func release() -> Int32 {
        let released = number
        discard self
        return released
    }

    /// Closes now and tells what a delayed write came to (EIO, ENOSPC, EDQUOT), which the end of life cannot.
    public consuming func close(_ subject: String = "") throws(SystemError) {
        let code = OwnedFD.end(number)
        discard self
        if code != 0 { throw SystemError("close", errno: code, subject: subject) }
    }

    /// A second descriptor of the same open file, close-on-exec, with a number of at least `minimum`.
    public func duplicate(atLeast minimum: Int32 = 0) throws(SystemError) -> OwnedFD {
        OwnedFD(taking: try retrying("duplicate a descriptor") { cj_duplicate(number, minimum) })
    }

    deinit { _ = OwnedFD.end(number) }

    /// Closes; the result is 0 or the error of a delayed write.
    ///
    /// Linux frees the number even on EINTR.
    private static func end(_ number: Int32) -> Int32 {
        if Glibc.close(number) == 0 { return 0 }
        let code = errno
        precondition(code != EBADF, "a descriptor was closed twice")
        return code == EINTR ? 0 : code
    }
}
