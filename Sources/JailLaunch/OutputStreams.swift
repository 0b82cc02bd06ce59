internal import Glibc
internal import JailDigest
internal import JailModel
internal import JailSystem

/// One stream of the command: read from its pipe, counted, stored in the run directory, shown to the caller.
///
/// Nothing here blocks: what the caller does not take in time waits in a bounded queue, and the pipe is left full, so
/// that the command waits and not the supervisor.
struct OutputPump: ~Copyable {
    let name: String
    private var source: OpenFile?
    private let log: Int32
    private var sink: Sink
    private var buffer: [UInt8]
    private(set) var record = StreamRecord()
    private var digest = SHA256Stream()
    /// Why the log is incomplete, when it is.
    private(set) var gap: String?

    private static let queueLimit = 1 << 20
    private static let chunk = 1 << 16

    /// - Parameters:
    ///   - source: Our end of the command's pipe or pty; it is made non-blocking.
    ///   - log: The file in the run directory, open for appending; it stays the caller's.
    init(name: String, source: consuming OwnedFD, log: Int32, sink: consuming Sink) {
        Descriptors.makeNonBlocking(source.rawValue)
        self.name = name
        self.source = OpenFile(source)
        self.log = log
        self.sink = consume sink
        buffer = [UInt8](repeating: 0, count: Self.chunk)
    }

    var isOpen: Bool { source != nil }
    /// Whether the caller has yet to take what the command wrote.
    var hasPendingOutput: Bool { sink.hasPending }
    /// Whether the source waits for the caller, and not for the command.
    var isHeldByReader: Bool { isOpen && sink.pendingCount >= Self.queueLimit }

    /// What to wait for, as long as the stream is open or something waits to be shown.
    var interests: [(fd: Int32, interest: Poller.Interest)] {
        var out: [(fd: Int32, interest: Poller.Interest)] = []
        if let fd = source?.rawValue, sink.pendingCount < Self.queueLimit { out.append((fd, .readable)) }
        if let fd = sink.descriptor, sink.hasPending { out.append((fd, .writable)) }
        return out
    }

    /// Reads what is there, at most a few chunks, and stores as much as the output budget leaves.
    ///
    /// - Parameter allowance: Bytes of stdout and stderr together that may still be stored.
    mutating func read(allowance: inout UInt64) {
        for _ in 0..<8 {
            guard let fd = source?.rawValue, sink.pendingCount < Self.queueLimit else { return }
            let count: Int
            do throws(SystemError) {
                count = try Files.read(fd, into: &buffer)
            } catch {
                // A pty whose last slave has closed reads as EIO: that is its end.
                if error.errno == EAGAIN { return }
                source = nil
                return
            }
            if count == 0 {
                source = nil
                return
            }
            store(buffer[..<count], allowance: &allowance)
            if count < Self.chunk { return }
        }
    }

    private mutating func store(_ bytes: ArraySlice<UInt8>, allowance: inout UInt64) {
        record.bytes += UInt64(bytes.count)
        let kept = bytes.prefix(Int(min(allowance, UInt64(bytes.count))))
        allowance -= UInt64(kept.count)
        if kept.count < bytes.count { record.isTruncated = true }
        guard !kept.isEmpty else { return }
        let copy = Array(kept)
        if gap == nil {
            do throws(SystemError) {
                try Files.writeAll(log, copy)
                digest.update(copy)
                record.stored += UInt64(copy.count)
            } catch {
                gap = "\(name).log is incomplete: \(error)"
            }
        }
        sink.enqueue(copy)
    }

    /// Shows what waits, as far as the caller takes it without making us wait.
    mutating func flush() { sink.flush() }

    /// Ends the stream and gives its record.
    mutating func finish() -> StreamRecord {
        source = nil
        sink.finish()
        record.sha256 = digest.finish()
        return record
    }

    /// Stops reading; a process that kept the pipe open can no longer add to the evidence.
    mutating func closeSource() { source = nil }
}

/// Where a stream is shown: a terminal, a pipe, a file, or nowhere.
struct Sink: ~Copyable {
    private var stream: OpenFile?
    private var isNonBlocking = false
    private var pending: [UInt8] = []
    private var start = 0
    private var text: TerminalText?

    /// A sink that shows nothing.
    init() { stream = nil }

    /// Shows on a standard stream of launch-jail; on a terminal without escape sequences unless it is passed raw.
    init(standard fd: Int32, isRaw: Bool) {
        // A stream that cannot be opened is shown nowhere; its log is complete all the same.
        do throws(SystemError) {
            if let opened = try Terminal.reopenForWriting(fd) {
                isNonBlocking = opened.isNonBlocking
                stream = OpenFile(try opened.descriptor.duplicate(atLeast: 3))
            }
        } catch {
            stream = nil
        }
        text = !isRaw && Terminal.isTerminal(fd) ? TerminalText() : nil
    }

    var descriptor: Int32? { stream?.rawValue }
    var pendingCount: Int { pending.count - start }
    var hasPending: Bool { pendingCount > 0 && stream != nil }

    mutating func enqueue(_ bytes: [UInt8]) {
        guard stream != nil else { return }
        pending += text?.neutralise(bytes) ?? bytes
        flush()
    }

    mutating func flush() {
        while start < pending.count, let fd = stream?.rawValue {
            // A descriptor that may block takes what poll says it can, and never more than a pipe surely has room for.
            if !isNonBlocking, !Self.isWritable(fd) { break }
            let limit = isNonBlocking ? 1 << 16 : 4096
            let slice = pending[start..<min(pending.count, start + limit)]
            do throws(SystemError) {
                start += try Files.write(fd, slice)
            } catch {
                if error.errno == EAGAIN { break }
                // The reader is gone (EPIPE) or its disk is full: the log has the rest.
                stream = nil
            }
        }
        if start == pending.count {
            pending.removeAll(keepingCapacity: true)
            start = 0
        }
    }

    /// Shows what was held back as the possible start of an escape sequence.
    mutating func finish() {
        if var text, stream != nil {
            pending += text.finish()
            pending += text.restoration()
        }
        flush()
    }

    private static func isWritable(_ fd: Int32) -> Bool {
        var poller = Poller()
        guard let ready = try? poller.wait([(fd, .writable)], until: .zero).first else { return true }
        return !ready.isEmpty
    }
}
