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
            let lines = error.diagnostics.map { SafeText.escape($0.description) }
            // A flag's mistake is not the policy's.
            if error.diagnostics.allSatisfy({ $0.file.hasPrefix("--") }) {
                throw CommandFailure(.invalid, lines.joined(separator: "\n  "))
            }
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
