internal import Glibc
internal import JailModel
internal import JailSystem

/// Feeds launch-jail's standard input to the command through a pipe of the jail's own, so that no file of the caller
/// is reachable through /proc/self/fd/0.
struct InputPump: ~Copyable {
    private var target: OpenFile?
    private var isSourceOpen: Bool
    private let isTerminal: Bool
    private var pending: ArraySlice<UInt8> = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Feeds from descriptor 0 into `target`, whose other end the command holds.
    init(target: consuming OwnedFD, isTerminal: Bool = false) {
        self.isTerminal = isTerminal
        isSourceOpen = Terminal.isOpen(0)
        Descriptors.makeNonBlocking(target.rawValue)
        self.target = isSourceOpen ? OpenFile(target) : nil
    }

    /// Feeds nothing.
    init() {
        isSourceOpen = false
        isTerminal = false
    }

    var targetDescriptor: Int32? { target?.rawValue }

    var interests: [(fd: Int32, interest: Poller.Interest)] {
        guard let fd = target?.rawValue else { return [] }
        if !pending.isEmpty { return [(fd, .writable)] }
        var out: [(fd: Int32, interest: Poller.Interest)] = [(fd, [])]
        if isSourceOpen, mayReadSource { out.append((0, .readable)) }
        return out
    }

    /// A background job that reads its terminal would be stopped (SIGTTIN), and its budgets with it.
    private var mayReadSource: Bool {
        guard Terminal.isTerminal(0) else { return true }
        return tcgetpgrp(0) == getpgrp()
    }

    mutating func step(targetGone: Bool, sourceReady: Bool) {
        if targetGone {
            target = nil
            return
        }
        if sourceReady, pending.isEmpty, isSourceOpen {
            do throws(SystemError) {
                let count = try Files.read(0, into: &buffer)
                if count > 0 {
                    pending = buffer[..<count]
                } else {
                    isSourceOpen = false
                    // A terminal has no end; its reader is told by a character (VEOF).
                    if isTerminal { pending = [4] }
                }
            } catch {
                if error.errno != EAGAIN { isSourceOpen = false }
            }
        }
        while !pending.isEmpty, let fd = target?.rawValue {
            do throws(SystemError) {
                pending = pending.dropFirst(try Files.write(fd, pending.prefix(4096)))
            } catch {
                if error.errno == EAGAIN { return }
                target = nil
            }
        }
        // A terminal stays: closing our copy would say nothing, and its echo may still come.
        if !isSourceOpen, pending.isEmpty { target = nil }
    }
}
