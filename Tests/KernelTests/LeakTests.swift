import Glibc
import RunSupport
import Synchronization
import Testing

/// Nothing is left of a run: no descriptor, no zombie, no mount, no namespace, no cgroup, no temporary file.
///
/// Run alone, see scripts/test.sh: the counts are the machine's.
@Suite("Leaks", .serialized)
struct LeakTests {
    /// What can be left behind, as seen from outside.
    struct Census: Equatable, CustomStringConvertible {
        var processes: Int
        var zombies: Int
        var descriptors: Int
        var mounts: Int
        var namespaces: Int
        var cgroups: Int
        var temporaryFiles: Int

        /// Whether nothing is more than before; what an earlier killed run had left may be gone.
        func isAtMost(_ before: Census) -> Bool {
            processes <= before.processes && zombies <= before.zombies && descriptors <= before.descriptors
                && mounts <= before.mounts && namespaces <= before.namespaces && cgroups <= before.cgroups
                && temporaryFiles <= before.temporaryFiles
        }

        var description: String {
            "processes \(processes), zombies \(zombies), descriptors \(descriptors), mounts \(mounts), "
                + "namespaces \(namespaces), cgroups \(cgroups), temporary files \(temporaryFiles)"
        }
    }

    /// Groups that launch-jail made, in any hierarchy.
    private func groups(below path: String, depth: Int = 6) -> Int {
        guard depth > 0, let names = try? Files.list(path) else { return 0 }
        var count = 0
        for name in names {
            var info = stat()
            guard lstat(path + "/" + name, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { continue }
            count += (name.contains("launch-jail") ? 1 : 0) + groups(below: path + "/" + name, depth: depth - 1)
        }
        return count
    }

    /// Files of launch-jail in a directory that others use too.
    private func files(in directory: String) -> Int {
        let names = (try? Files.list(directory)) ?? []
        return names.filter { $0.contains("launch-jail") }.count
    }

    private func take() throws -> Census {
        var processes = 0
        var zombies = 0
        var namespaces = Set<String>()
        for name in try Files.list("/proc") {
            guard let pid = Int32(name), pid != getpid() else { continue }
            guard let status = try? Files.text("/proc/\(pid)/stat") else { continue }
            processes += 1
            if status.split(separator: ")").last?.hasPrefix(" Z") == true { zombies += 1 }
            for kind in ["mnt", "net", "pid", "user"] {
                var text = [CChar](repeating: 0, count: 128)
                let length = readlink("/proc/\(pid)/ns/\(kind)", &text, text.count - 1)
                if length > 0 {
                    namespaces.insert(String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self))
                }
            }
        }
        let mounts = try Files.text("/proc/self/mountinfo").utf8.filter { $0 == 0x0a }.count
        let names = (try? Files.list(Environment.temporaryDirectory)) ?? []
        return Census(
            processes: processes, zombies: zombies, descriptors: try Files.list("/proc/self/fd").count, mounts: mounts,
            namespaces: namespaces.count, cgroups: groups(below: "/sys/fs/cgroup"),
            temporaryFiles: names.filter { !$0.hasPrefix("ljtest-") }.count + files(in: "/dev/shm") + files(in: "/tmp"))
    }

    /// Waits until the counts are as before: the kernel takes namespaces down in its own time.
    private func expectUnchanged(_ before: Census, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let start = monotonicSeconds()
        var after = try take()
        while !after.isAtMost(before), monotonicSeconds() - start < 5 {
            usleep(20_000)
            after = try take()
        }
        #expect(after.isAtMost(before), "before \(before), after \(after)", sourceLocation: sourceLocation)
    }

    @Test("five hundred launches leave the machine as it was")
    func manyLaunches() throws {
        let stage = try Stage()
        // The first one may make what stays for good, such as the state directory.
        #expect(try stage.launch(JailRun(["/bin/true"])).code == 0)
        let before = try take()
        let next = Atomic<Int>(0)
        let failures = Mutex<[String]>([])
        func work() {
            while true {
                let number = next.add(1, ordering: .relaxed).newValue
                if number > 500 { return }
                var run = JailRun([Probe.trueProgram])
                run.runName = "run\(number)"
                do {
                    let result = try stage.launch(run)
                    if result.code != 0 { failures.withLock { $0.append(result.account) } }
                    Files.removeTree(result.runDirectory)
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
        }
        let group = try Workers(count: 2, body: work)
        group.join()
        #expect(failures.withLock { $0.count } == 0, "\(failures.withLock { $0.first ?? "" })")
        try expectUnchanged(before)
        let left = try Files.list(stage.state).filter { $0 != "run" && $0.hasPrefix("run") && $0 != "runs" }
        #expect(left.isEmpty)
    }

    @Test("launches that fail leave nothing either")
    func failedLaunches() throws {
        let stage = try Stage()
        try stage.file("plain.txt")
        #expect(try stage.launch(JailRun(["/bin/true"])).code == 0)
        let before = try take()
        let workspaceBefore = try Files.list(stage.workspace)
        let cases: [JailRun] = [
            JailRun(["/bin/does-not-exist"]), JailRun(["./plain.txt"]), JailRun(["/usr"]),
            JailRun(["/bin/true"], policy: "nonsense: true\n"),
            JailRun(["/bin/true"], policy: Policies.direct(read: ["/does/not/exist"])),
            JailRun(["/bin/true"], policy: Policies.direct(workspace: ["protect: [\"a/b/c\", \"d\"]"])),
            JailRun(["/bin/sleep", "30"], policy: Policies.budgets(["max_runtime_s: 1"])),
            JailRun([Probe.escape, "daemon", stage.outside + "/lock"]),
            JailRun(["/bin/sh", "-c", "kill -9 $$"]),
        ]
        for (index, item) in cases.enumerated() {
            var run = item
            run.runName = "failed\(index)"
            _ = try stage.launch(run)
        }
        try expectUnchanged(before)
        #expect(try Files.list(stage.workspace) == workspaceBefore)
    }

    @Test("a killed launch-jail leaves no process, mount or namespace; its cgroup goes with the next run")
    func killed() throws {
        let stage = try Stage()
        #expect(try stage.launch(JailRun(["/bin/true"])).code == 0)
        let before = try take()
        for number in 0..<5 {
            var run = JailRun([Probe.escape, "stay-family", stage.work("lock")])
            run.runName = "killed\(number)"
            let process = try RunningProcess(try stage.request(run))
            try process.wait(forOutput: "ready")
            process.send(SIGKILL)
            _ = process.finish()
            #expect(Lock.becomesFree(stage.work("lock"), within: 3))
        }
        var run = JailRun(["/bin/true"])
        run.runName = "after"
        #expect(try stage.launch(run).code == 0)
        try expectUnchanged(before)
    }
}

/// Threads of a test.
private final class Workers {
    private var threads: [pthread_t] = []

    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    init(count: Int, body: @escaping () -> Void) throws {
        for _ in 0..<count {
            let job = Unmanaged.passRetained(Body(body))
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { raw in
                    guard let raw else { return nil }
                    Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                    return nil
                }, job.toOpaque())
            guard error == 0 else { throw SystemCallError("pthread_create", error) }
            threads.append(thread)
        }
    }

    func join() {
        for thread in threads { pthread_join(thread, nil) }
    }
}
