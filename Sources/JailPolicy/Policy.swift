public import JailModel

/// What the user allows, as closed values.
///
/// Only the parser makes one, so an invalid policy cannot exist.
///
/// Every number has been range-checked, every path and pattern has been parsed, every default has been filled in.
public struct Policy: Sendable, Hashable {
    /// The name of a shipped policy or the path of the file it came from.
    public internal(set) var name: String
    public internal(set) var profile: Profile
    /// Whether command-line flags and children may add to what this policy grants.
    public internal(set) var isOverridable: Bool
    public internal(set) var workspace: WorkspaceRules
    public internal(set) var filesystem: FilesystemRules
    public internal(set) var network: NetworkRules
    public internal(set) var exec: ExecRules
    public internal(set) var environment: EnvironmentRules
    public internal(set) var secrets: SecretRules
    public internal(set) var gateways: [GatewayRoute]
    public internal(set) var budgets: Budgets
    public internal(set) var breaker: BreakerRule
    public internal(set) var inputs: [PinnedInput]
    public internal(set) var require: [Requirement]
    /// Keys that this policy (or one it extends) sets and that this version cannot enforce yet.
    ///
    /// Planning refuses with exit 6 while there is one: a key is never silently ignored.
    public internal(set) var deferredKeys: [DeferredKey]
}

/// A key that was set and is not enforced by this version.
public struct DeferredKey: Sendable, Hashable {
    /// The key path, as `budgets.max_llm_calls` or `workspace.mode: overlay`.
    public let key: String
    public let file: String
    public let line: Int
    public let column: Int

    public init(key: String, file: String, line: Int, column: Int) {
        self.key = key
        self.file = file
        self.line = line
        self.column = column
    }
}

// MARK: workspace

public struct WorkspaceRules: Sendable, Hashable {
    public internal(set) var mode: WorkspaceMode
    /// What may change, relative to the workspace.
    ///
    /// Empty: nothing.
    public internal(set) var write: [PathPattern]
    /// What never changes, even where `write` allows it and even if it does not exist yet.
    public internal(set) var protect: [PathPattern]
    /// Writable, thrown away after the run.
    public internal(set) var scratch: [PathPattern]
    /// Read only, never executed from, never a working directory.
    public internal(set) var untrusted: [PathPattern]
    /// Changes that may make something run outside the jail later.
    public internal(set) var handoff: [HandoffClass]
    public internal(set) var onPass: Disposition
    public internal(set) var onFail: Disposition
}

public enum WorkspaceMode: String, Sendable, Hashable, CaseIterable { case overlay, direct, readonly }

public enum Disposition: String, Sendable, Hashable, CaseIterable { case commit, keep, discard }

// MARK: filesystem

public struct FilesystemRules: Sendable, Hashable {
    /// Trees and files that exist in the jail, read-only.
    public internal(set) var read: [AbsolutePath]
    /// Paths outside the workspace that are written through; always noexec.
    public internal(set) var write: [AbsolutePath]
    /// Paths below `read` that are masked.
    public internal(set) var hide: [AbsolutePath]
    /// Size of the private /tmp.
    public internal(set) var tmp: ByteCount
}

/// A path from the root: `/`-separated components, none of them empty, `.` or `..`; no NUL, no control character.
public struct AbsolutePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let components: [String]

    /// `nil` unless the text is such a path.
    ///
    /// A trailing `/` is dropped, a doubled `/` is one.
    public init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard parts.allSatisfy(isSafePathComponent) else { return nil }
        components = parts
    }

    public init(components: [String]) { self.components = components }

    public var description: String { "/" + components.joined(separator: "/") }

    /// Whether `other` is this path or below it, component by component and byte by byte.
    public func contains(_ other: AbsolutePath) -> Bool {
        other.components.starts(with: components) { $0.utf8.elementsEqual($1.utf8) }
    }

    /// The path with one component more.
    public func appending(_ component: String) -> AbsolutePath { AbsolutePath(components: components + [component]) }

    /// The path with the pattern's literal components added.
    public func appending(contentsOf more: [String]) -> AbsolutePath { AbsolutePath(components: components + more) }

    /// The directory above; the root is its own parent.
    public var parent: AbsolutePath { AbsolutePath(components: Array(components.dropLast())) }

    public static func < (lhs: AbsolutePath, rhs: AbsolutePath) -> Bool {
        lhs.description.utf8.lexicographicallyPrecedes(rhs.description.utf8)
    }
}

/// Whether a path component is neither empty, `.`, `..` nor holds a control character.
package func isSafePathComponent(_ component: some StringProtocol) -> Bool {
    !component.isEmpty && component != "." && component != ".."
        && component.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
}

/// A pattern relative to the workspace: `X`, `X/` and `X/**` are the subtree at X, `*` stands for any run of characters
/// within one component, a leading or middle `**` for any number of components.
///
/// Refused at parse time: absolute paths, `..`, `~`, `%`, `$`, empty text, control characters.
public struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    public enum Component: Sendable, Hashable {
        case literal(String)
        /// A component that holds at least one `*`.
        case wildcard(String)
        /// `**` that is not the last component.
        case anyDepth
    }
    /// As the user wrote it.
    public let text: String
    /// Without a final `**`; empty means the workspace itself.
    public let components: [Component]

    package init(text: String, components: [Component]) {
        self.text = text
        self.components = components
    }

    /// The components when all of them are literal: a plain subtree, which the kernel can be told about.
    public var literalComponents: [String]? {
        var out: [String] = []
        for component in components {
            guard case .literal(let name) = component else { return nil }
            out.append(name)
        }
        return out
    }

    /// The components before the first that holds a wildcard.
    public var literalPrefix: [String] {
        var out: [String] = []
        for component in components {
            guard case .literal(let name) = component else { break }
            out.append(name)
        }
        return out
    }

    /// Whether this is the whole workspace (`**`).
    public var isEverything: Bool { components.isEmpty }

    public var description: String { text }

    /// Two spellings of one pattern (`a`, `a/`, `a/**`) are equal.
    public static func == (lhs: PathPattern, rhs: PathPattern) -> Bool { lhs.components == rhs.components }
    public func hash(into hasher: inout Hasher) { hasher.combine(components) }
}

// MARK: network

public struct NetworkRules: Sendable, Hashable {
    public internal(set) var mode: NetworkModeName
    public internal(set) var allow: [EgressRule]
    public internal(set) var allowlistFile: String?
    public internal(set) var onDenied: DeniedAction
}

/// One entry of `network.allow`.
public struct EgressRule: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable { case tls, http, tcp }
    public enum SNI: String, Sendable, Hashable, CaseIterable { case required, optional }
    public enum Host: Sendable, Hashable {
        case exact(String)
        /// `*.example.com`: any depth, but not the apex; holds `example.com`.
        case subdomains(String)
        case ipv4([UInt8])
        case ipv6([UInt8])
    }
    public let text: String
    public let host: Host
    /// `nil`: the default ports of the plain form, 443 as tls and 80 as http.
    public let port: UInt16?
    public let kind: Kind?
    public let sni: SNI
    public let allowsPrivate: Bool

    package init(text: String, host: Host, port: UInt16?, kind: Kind?, sni: SNI, allowsPrivate: Bool) {
        self.text = text
        self.host = host
        self.port = port
        self.kind = kind
        self.sni = sni
        self.allowsPrivate = allowsPrivate
    }
}

// MARK: exec

public struct ExecRules: Sendable, Hashable {
    /// Whether files of the workspace (never the untrusted ones) may be executed.
    public internal(set) var workspace: Permission
    /// What may be executed; `nil`: everything that `filesystem.read` shows.
    public internal(set) var allow: [ExecRule]?
    public internal(set) var ledger: ExecLedgerMode
}

public enum Permission: String, Sendable, Hashable, CaseIterable { case allow, deny }

public enum ExecLedgerMode: String, Sendable, Hashable, CaseIterable { case off, log, strict }

/// One entry of `exec.allow`: a file, or everything below a directory (`/usr/bin/**`), or one pinned file.
public enum ExecRule: Sendable, Hashable {
    case file(AbsolutePath)
    case subtree(AbsolutePath)
    case pinned(AbsolutePath, SHA256Value)
}

// MARK: environment and secrets

public struct EnvironmentRules: Sendable, Hashable {
    /// Names copied from the environment of launch-jail when they are set there.
    public internal(set) var pass: [EnvironmentName]
    /// Names and values given to the command.
    public internal(set) var set: [EnvironmentName: String]
}

/// A variable name: `[A-Za-z_][A-Za-z0-9_]*`.
public struct EnvironmentName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String

    public init?(_ text: String) {
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            default: false
            }
        }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let first = text.utf8.first, isWord(first), text.utf8.allSatisfy({ isWord($0) || isDigit($0) }) else {
            return nil
        }
        self.text = text
    }

    public var description: String { text }
    public static func < (lhs: EnvironmentName, rhs: EnvironmentName) -> Bool {
        lhs.text.utf8.lexicographicallyPrecedes(rhs.text.utf8)
    }
}

public struct SecretRules: Sendable, Hashable {
    public internal(set) var hold: [EnvironmentName]
    public internal(set) var inject: [SecretInjection]
    public internal(set) var scan: [ScanTarget]
}

public struct SecretInjection: Sendable, Hashable {
    public let host: String
    public let header: String
    public let value: String
    package init(host: String, header: String, value: String) {
        self.host = host
        self.header = header
        self.value = value
    }
}

public enum ScanTarget: String, Sendable, Hashable, CaseIterable { case stdout, stderr, changes, egress }

public struct GatewayRoute: Sendable, Hashable {
    public let name: String
    public let upstream: String
    public let env: EnvironmentName
    package init(name: String, upstream: String, env: EnvironmentName) {
        self.name = name
        self.upstream = upstream
        self.env = env
    }
}

// MARK: budgets

/// The limits, in the unit of each kind: seconds, bytes or a count.
///
/// Inclusive.
public struct Budgets: Sendable, Hashable {
    public internal(set) var limits: [BudgetKind: UInt64]

    public subscript(kind: BudgetKind) -> UInt64? { limits[kind] }
}

public struct BreakerRule: Sendable, Hashable {
    public internal(set) var failures: Int
    public internal(set) var cooldownSeconds: Int
}

public struct PinnedInput: Sendable, Hashable {
    public enum Pin: Sendable, Hashable { case sha256(SHA256Value), gitRef(String) }
    public let path: String
    public let pin: Pin
    package init(path: String, pin: Pin) {
        self.path = path
        self.pin = pin
    }
}

/// A guarantee that must be enforced here, or nothing starts (exit 6).
///
/// A plain name asks for the strongest form that the guarantee has: the kernel for paths, egress and execution; for
/// budgets it means that every budget is enforced while the step runs, by the kernel or by the supervisor. The mapping
/// form (`- {budgets: kernel}`) names the level.
public struct Requirement: Sendable, Hashable {
    public let guarantee: Guarantee
    public let level: EnforcementLevel

    public init(guarantee: Guarantee, level: EnforcementLevel? = nil) {
        self.guarantee = guarantee
        self.level = level ?? (guarantee == .budgets ? .supervisor : .kernel)
    }
}
