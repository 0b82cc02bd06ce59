internal import JailModel
public import JailSystem

/// The signals that stop a run, readable instead of deadly from the first preparation to the written report.
///
/// Make it before anything that a sudden end would leave behind. signalfd(2).
public final class StopSignals {
    let source: SignalFD

    /// Blocks the signals and opens their descriptor.
    public init() throws(SystemError) {
        source = try SignalFD([.interrupt, .terminate, .hangUp, .quit, .windowChanged])
    }

    /// A signal that came after the step had ended and asks to stop; `nil` when none waits.
    public func pending() -> Int32? {
        while let received = (try? source.next()) ?? nil {
            if received.number != SignalNumber.windowChanged.rawValue { return received.number }
        }
        return nil
    }
}
