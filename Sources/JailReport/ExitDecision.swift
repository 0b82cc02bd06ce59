public import JailModel

/// What `--exit-code` asks for.
public enum ExitMode: String, Sendable, Hashable, CaseIterable { case verdict, child }

/// The number that launch-jail exits with (contract, section 2).
public enum ExitDecision {
    /// The verdict's code; with ``ExitMode/child`` the command's own status for verdicts 0 and 1, else 240 + code.
    ///
    /// - Parameters:
    ///   - child: How the command ended; `nil` when it did not start.
    public static func code(_ verdict: Verdict, mode: ExitMode, child: ChildEnd?) -> Int32 {
        guard mode == .child else { return verdict.exitCode }
        switch (verdict, child) {
        case (.pass, .exited(let status)?), (.childFailed, .exited(let status)?): return status & 0xff
        case (.pass, .signaled(let number)?), (.childFailed, .signaled(let number)?): return 128 + (number & 0x7f)
        default: return 240 + verdict.exitCode
        }
    }
}
