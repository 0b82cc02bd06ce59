import JailModel
import JailSystem

/// JSON lines for programs, on the descriptor of `--status-fd`.
struct StatusLines {
    let descriptor: Int32?

    /// Writes one object; a reader that is gone is no fault of the run.
    func write(_ members: [String: JSONValue]) {
        guard let descriptor else { return }
        // A reader that does not read for a second is not waited for.
        var poller = Poller()
        let ready = (try? poller.wait([(descriptor, .writable)], until: SystemClock.now() + .seconds(1)))?.first
        guard ready?.contains(.writable) == true else { return }
        try? Files.writeAll(descriptor, JSONValue.object(members).encoded() + [UInt8(ascii: "\n")])
    }
}
