/// Something that the jail refused, as often as it was tried with the same subject by the same rule.
public struct Denial: Sendable, Hashable {
    /// The kind of thing that was refused; the raw value stands in reports.
    public enum Kind: String, Sendable, Hashable { case network, file, exec, syscall, budget }

    public var kind: Kind
    /// What was tried, such as a call with its arguments, an address with its port, or a path.
    ///
    /// Untrusted text; print it through ``SafeText``.
    public var subject: String
    public var count: UInt64
    /// The rule that refused it: `network.mode: none`, `seccomp: mount`.
    public var rule: String
    /// The one policy line that would allow it; empty where none exists.
    public var remedy: String
    /// The process that tried first: its number inside the jail's pid namespace is not known, so this is the host's.
    public var pid: Int32
    /// The executable of that process, when it could be read.
    public var executable: String

    public init(
        kind: Kind, subject: String, count: UInt64 = 1, rule: String, remedy: String = "", pid: Int32 = 0,
        executable: String = ""
    ) {
        self.kind = kind
        self.subject = subject
        self.count = count
        self.rule = rule
        self.remedy = remedy
        self.pid = pid
        self.executable = executable
    }
}

/// An executable that was started in the jail, as often as with the same path and arguments.
public struct ExecRecord: Sendable, Hashable {
    public var path: String
    public var sha256: String
    public var argv: [String]
    public var cwd: String
    public var count: UInt64

    public init(path: String, sha256: String = "", argv: [String], cwd: String = "", count: UInt64 = 1) {
        self.path = path
        self.sha256 = sha256
        self.argv = argv
        self.cwd = cwd
        self.count = count
    }
}

/// One destination that the command talked to, or tried to.
public struct EgressRecord: Sendable, Hashable {
    public enum Decision: String, Sendable, Hashable { case allow, deny }
    public var host: String
    public var port: UInt16
    public var verdict: Decision
    public var connections: UInt64
    public var bytesOut: UInt64
    public var bytesIn: UInt64
    public var reason: String

    public init(
        host: String, port: UInt16, verdict: Decision, connections: UInt64 = 1, bytesOut: UInt64 = 0,
        bytesIn: UInt64 = 0, reason: String = ""
    ) {
        self.host = host
        self.port = port
        self.verdict = verdict
        self.connections = connections
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        self.reason = reason
    }
}
