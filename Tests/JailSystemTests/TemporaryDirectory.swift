import Glibc
import JailModel
import JailSystem

/// A directory of one test, removed with what is in it.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/launch-jail-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("create a temporary directory", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Writes a file below the directory, with the directories above it.
    func write(_ name: String, _ text: String) throws {
        let parts = name.split(separator: "/").dropLast()
        var here = path
        for part in parts {
            here += "/\(part)"
            _ = mkdir(here, 0o755)
        }
        let file = try Files.open("\(path)/\(name)", [.write, .create, .truncate], mode: 0o644)
        try Files.writeAll(file.rawValue, Array(text.utf8))
    }

    func read(_ name: String) throws -> String { try Files.readText("\(path)/\(name)") }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, "\(path)/\(name)") == 0 else { throw SystemError("link", errno: errno) }
    }

    deinit { Self.empty(path) }

    private static func empty(_ path: String) {
        if let directory = try? Files.open(path, [.read, .directory, .noFollow]),
            let names = try? Files.names(directory.rawValue)
        {
            for name in names {
                let status = try? Files.status(name, at: directory.rawValue)
                if status?.kind == .directory, let text = name.string {
                    empty("\(path)/\(text)")
                } else {
                    try? Files.remove(name, at: directory.rawValue)
                }
            }
        }
        try? Files.remove(path, isDirectory: true)
    }
}

/// A pipe as two owners.
struct Pipe: ~Copyable {
    let reading: OwnedFD
    let writing: OwnedFD

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemError("make a pipe", errno: errno) }
        reading = OwnedFD(taking: ends[0])
        writing = OwnedFD(taking: ends[1])
    }

    consuming func split(_ body: (consuming OwnedFD, consuming OwnedFD) throws -> Void) rethrows {
        try body(reading, writing)
    }
}

/// A child that has stopped itself; it goes on with its script when it is told to, and is killed when its owner goes.
struct IdleChild: ~Copyable {
    let pid: Int32

    init(script: String = "") throws {
        var number: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [
            strdup("/bin/sh"), strdup("-c"), strdup("kill -STOP $$; \(script)"), nil,
        ]
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let code = posix_spawn(&number, "/bin/sh", nil, nil, &arguments, &environment)
        guard code == 0 else { throw SystemError("start a child", errno: code) }
        pid = number
        // It has started all the way once it has stopped itself.
        var status: Int32 = 0
        while waitpid(number, &status, WUNTRACED) < 0 && errno == EINTR {}
    }

    /// Lets the script run to its end; the result is the wait status, which stays readable.
    borrowing func finish() {
        kill(pid, SIGCONT)
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
    }

    deinit {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    }
}
