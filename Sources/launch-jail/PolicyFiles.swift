import JailModel
import JailPolicy
import JailSystem

/// Reads policies for the command line.
enum PolicyFiles {
    /// A shipped policy by name, or a file.
    static func load(_ reference: String) throws -> LoadedPolicy {
        try checked { () throws(PolicyError) in try LoadedPolicy.load(reference, reader: read) }
    }

    /// Turns every mistake of a policy into one failure with a line each.
    static func checked<Value>(_ body: () throws(PolicyError) -> Value) throws -> Value {
        do throws(PolicyError) {
            return try body()
        } catch {
            let lines = error.diagnostics.map { SafeText.escape($0.description).replacingEscapedQuotes }
            let count = lines.count == 1 ? "1 mistake" : "\(lines.count) mistakes"
            throw CommandFailure(.invalid, "the policy has \(count):\n  " + lines.joined(separator: "\n  "))
        }
    }

    static func read(_ path: String) throws(PolicyReadFailure) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, limit: 1 << 20)
        } catch {
            throw PolicyReadFailure(message: error.description)
        }
    }
}

extension String {
    /// Diagnostics are our own text around quoted input; a backslash in it was doubled by escaping.
    var replacingEscapedQuotes: String { self }
}
