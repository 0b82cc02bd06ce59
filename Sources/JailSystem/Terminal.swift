internal import CJail
internal import Glibc

/// The size of a terminal in characters.
public struct WindowSize: Sendable, Hashable {
    public let rows: UInt16
    public let columns: UInt16

    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// Questions to a terminal.
///
/// ioctl_tty(2).
public enum Terminal {
    /// Whether a descriptor is open at all; standard streams may be closed by the caller.
    public static func isOpen(_ fd: Int32) -> Bool { cj_status_flags(fd) >= 0 }

    /// Whether a descriptor is a terminal.
    ///
    /// isatty(3).
    public static func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }

    /// The window size, `nil` when this is no terminal or it does not know.
    public static func windowSize(_ fd: Int32) -> WindowSize? {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        // SAFETY: both numbers are exclusively borrowed for the call.
        guard unsafe cj_window_size_get(fd, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        return WindowSize(rows: rows, columns: columns)
    }

    /// Sets the window size; the foreground process group gets SIGWINCH.
    public static func setWindowSize(_ fd: Int32, _ size: WindowSize) throws(SystemError) {
        try retrying("set the window size") { cj_window_size_set(fd, size.rows, size.columns) }
    }

    /// Gives an own open file for a standard stream, so that making it non-blocking changes nothing for its other users.
    ///
    /// A terminal or pipe is opened again through /proc/self/fd; where that is refused (a socket, another user's
    /// terminal) and for a regular file, whose offset must stay shared, the descriptor is duplicated and blocks.
    ///
    /// - Returns: `nil` when the stream is closed.
    public static func reopenForWriting(_ fd: Int32) throws(SystemError) -> OutputStream? {
        guard isOpen(fd) else { return nil }
        let kind = try Files.status(fd).kind
        if kind == .fifo || isTerminal(fd) {
            let flags: Files.OpenFlags = [.write, .nonBlocking, .noControllingTerminal]
            // The reason is irrelevant: a duplicate works everywhere.
            if let own = try? Files.open("/proc/self/fd/\(fd)", flags) {
                return OutputStream(descriptor: own, isNonBlocking: true)
            }
        }
        let copy = OwnedFD(taking: try retrying("duplicate a stream") { cj_duplicate(fd, 3) })
        return OutputStream(descriptor: copy, isNonBlocking: false)
    }
}

/// A standard stream that was opened again or duplicated.
public struct OutputStream: ~Copyable, Sendable {
    public let descriptor: OwnedFD
    /// Whether a write returns EAGAIN instead of waiting.
    public let isNonBlocking: Bool
}

/// A terminal that passes each byte through, as it was before when this value goes.
///
/// termios(3).
public struct RawTerminal: ~Copyable {
    private let fd: Int32
    private let saved: termios

    /// Switches the terminal to raw mode; the descriptor is borrowed and must outlive this value.
    public init(_ fd: Int32) throws(SystemError) {
        var mode = termios()
        // SAFETY: `mode` is exclusively borrowed for each call.
        try retrying("read the terminal's mode") { unsafe tcgetattr(fd, &mode) }
        let original = mode
        unsafe cfmakeraw(&mode)
        // ORDER: the fields come last, so that a refused switch has nothing to restore.
        try retrying("set the terminal's mode") { unsafe tcsetattr(fd, TCSADRAIN, &mode) }
        saved = original
        self.fd = fd
    }

    deinit {
        var mode = saved
        // SAFETY: `mode` outlives the call. A terminal that is gone needs no mode.
        unsafe tcsetattr(fd, TCSADRAIN, &mode)
    }
}
