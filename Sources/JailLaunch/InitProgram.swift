internal import JailModel
public import JailSystem

/// Finds jail-init beside launch-jail or where `make install` puts it.
public enum InitProgram {
    /// Opens it for execution only.
    ///
    /// - Throws: ENOENT when it is in none of its places.
    public static func open() throws(SystemError) -> OwnedFD {
        let own = try Files.readLink("/proc/self/exe").string ?? ""
        let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let places = ["\(directory)/jail-init", "\(directory)/../libexec/launch-jail/jail-init"]
        for place in places {
            do throws(SystemError) {
                return try Files.open(place, [.path])
            } catch {
                if error.errno != 2 { throw error }
            }
        }
        throw SystemError(
            "find", errno: 2, subject: "jail-init (looked for \(places.joined(separator: ", ")))",
            hint: "reinstall launch-jail: `make install` puts both programs in place")
    }
}
