internal import CJail
internal import Glibc

/// Settings of descriptors that only the supervisor holds.
enum Descriptors {
    /// Lets reads and writes return EAGAIN.
    ///
    /// Only for an open file description of our own: the flag is shared.
    static func makeNonBlocking(_ fd: Int32) {
        let flags = cj_status_flags(fd)
        if flags >= 0 { _ = cj_set_status_flags(fd, flags | O_NONBLOCK) }
    }
}
