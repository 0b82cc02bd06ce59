import Glibc

/// What the surroundings of a test run say.
public enum Environment {
    public static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Whether a thing that cannot be tried is a failure: always in CI.
    public static let mustWork = value("LAUNCH_JAIL_MUST_WORK") == "1"

    public static let temporaryDirectory = value("TMPDIR") ?? "/tmp"

    public static let isRoot = geteuid() == 0

    /// The directory of Package.swift.
    public static let packageRoot: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// The program under test.
    public static let launchJail = value("LAUNCH_JAIL_BIN") ?? packageRoot + "/.build/debug/launch-jail"

    /// The directory of the compiled probes.
    public static let probes = value("LAUNCH_JAIL_PROBES") ?? packageRoot + "/.build/probes"

    /// Whether this machine has a program; looked for where a jail's own search path looks.
    public static func program(_ name: String) -> String? {
        for directory in ["/usr/local/bin", "/usr/bin", "/bin"] {
            let path = directory + "/" + name
            if access(path, X_OK) == 0 { return path }
        }
        return nil
    }
}

/// Something that a test needs and this machine lacks.
public struct MissingHere: Error, CustomStringConvertible {
    public let description: String
    public init(_ what: String) { description = what }
}
