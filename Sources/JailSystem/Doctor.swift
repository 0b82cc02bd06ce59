internal import CJail
internal import Glibc
internal import JailModel

/// Tries each kernel feature that a jail rests on, each in a throw-away child; about 20 ms in all.
///
/// Versions are never believed: what counts is the attempt (launch-core.md, section 5.2). No mount, process, cgroup or
/// setting outlives the examination.
public enum Doctor {
    /// How long one probe may take before its child is killed (the result is then ETIMEDOUT).
    public static let patience = Duration.seconds(2)

    /// Tries everything.
    ///
    /// - Parameter workspace: Where an id-mapped mount is tried, because that depends on the file system.
    public static func examine(workspace: String) throws(SystemError) -> DoctorFindings {
        let settings = readSettings()
        var results: [ProbeResult] = []
        for name in ProbeName.allCases { results.append(try probe(name, workspace: workspace)) }
        return DoctorFindings(settings: settings, results: results)
    }

    /// Tries one feature.
    ///
    /// - Throws: when no child could be made at all (EAGAIN, ENOMEM, EMFILE).
    public static func probe(_ name: ProbeName, workspace: String) throws(SystemError) -> ProbeResult {
        guard let kind = name.kind else { return probeCgroup() }
        var raw = cj_probe_result()
        let timeout = Int32(clamping: patience.wholeNanoseconds / 1_000_000)
        try retrying("start the probe", on: name.rawValue) {
            // SAFETY: the path and the result outlive the call.
            unsafe workspace.withCString { unsafe cj_probe(kind, $0, timeout, &raw) }
        }
        // SAFETY: the step is an array of bytes inside `raw`, which is alive and only read.
        let step = unsafe withUnsafeBytes(of: raw.step) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ProbeResult(name, errno: raw.error, step: step, value: raw.value)
    }

    private static func probeCgroup() -> ProbeResult {
        do throws(SystemError) {
            guard let group = try Cgroup.create(under: HostFactsReader.cgroupAccess(), runID: "doctor") else {
                return ProbeResult(.cgroup, errno: EACCES, step: "find a writable cgroup")
            }
            let problems = group.remove()
            guard let problem = problems.first else { return ProbeResult(.cgroup) }
            return ProbeResult(.cgroup, errno: problem.errno, step: problem.operation)
        } catch {
            return ProbeResult(.cgroup, errno: error.errno, step: error.operation)
        }
    }

    private static func readSettings() -> HostSettings {
        var settings = HostSettings()
        (settings.kernel, settings.arch) = HostFactsReader.kernelAndMachine()
        settings.uid = geteuid()
        // Each file may be missing; then the host says nothing about it.
        settings.executable = (try? Files.readLink("/proc/self/exe")).map(\.description) ?? ""
        let mounts = MountEntry.parse((try? Files.read("/proc/self/mountinfo", limit: 8 << 20)) ?? [])
        settings.maskedProc = MaskedPaths.below("/proc", in: mounts)
        let status = (try? Files.read("/proc/self/status", limit: 65536)) ?? []
        settings.seccompMode = KernelText.value(of: "Seccomp", in: status).map { Int64(clamping: $0) }
        settings.appArmorRestrictsUserNamespaces = sysctl("kernel/apparmor_restrict_unprivileged_userns")
        settings.unprivilegedUserNamespaces = sysctl("kernel/unprivileged_userns_clone")
        settings.maxUserNamespaces = sysctl("user/max_user_namespaces")
        settings.yamaScope = sysctl("kernel/yama/ptrace_scope")
        settings.legacyTIOCSTI = sysctl("dev/tty/legacy_tiocsti")
        settings.memfdNoexec = sysctl("vm/memfd_noexec")
        settings.perfParanoid = sysctl("kernel/perf_event_paranoid")
        settings.cgroup = HostFactsReader.cgroupAccess()
        return settings
    }

    private static func sysctl(_ name: String) -> Int64? {
        guard let text = try? Files.readText("/proc/sys/\(name)", limit: 4096) else { return nil }
        return text.split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) }
    }
}

/// Finds what a container runtime hides: mounts below a directory.
///
/// proc_pid_mountinfo(5).
enum MaskedPaths {
    /// binfmt_misc is an own file system that many hosts mount there, and hides nothing.
    static func below(_ directory: String, in mounts: [MountEntry]) -> [String] {
        Set(
            mounts.filter { $0.mountPoint.hasPrefix(directory + "/") && !ownFilesystems.contains($0.filesystem) }
                .map(\.mountPoint)
        ).sorted()
    }

    private static let ownFilesystems: Set<String> = ["binfmt_misc", "autofs", "nfsd", "rpc_pipefs"]
}
