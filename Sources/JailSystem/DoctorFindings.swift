public import JailModel

/// What the host says about itself; `nil` where it does not.
public struct HostSettings: Sendable, Hashable {
    public var kernel = ""
    public var arch = ""
    public var uid: UInt32 = 0
    /// The path of the running program, for remedies that must name it.
    public var executable = ""
    /// Mounts that hide parts of /proc, as container runtimes make them.
    public var maskedProc: [String] = []
    /// `Seccomp:` of /proc/self/status: 0 none, 2 a filter of somebody above us.
    public var seccompMode: Int64?
    /// kernel.apparmor_restrict_unprivileged_userns (Ubuntu 23.10 and later).
    public var appArmorRestrictsUserNamespaces: Int64?
    /// kernel.unprivileged_userns_clone (Debian before 11, hardened kernels).
    public var unprivilegedUserNamespaces: Int64?
    /// user.max_user_namespaces.
    public var maxUserNamespaces: Int64?
    /// kernel.yama.ptrace_scope.
    public var yamaScope: Int64?
    /// dev.tty.legacy_tiocsti.
    public var legacyTIOCSTI: Int64?
    /// vm.memfd_noexec.
    public var memfdNoexec: Int64?
    /// kernel.perf_event_paranoid.
    public var perfParanoid: Int64?
    public var cgroup: CgroupAccess = .none

    public init() {}
}

/// Everything that the doctor saw: the input of ``DoctorReport``.
public struct DoctorFindings: Sendable, Hashable {
    public var settings: HostSettings
    public var results: [ProbeName: ProbeResult]

    public init(settings: HostSettings, results: some Sequence<ProbeResult>) {
        self.settings = settings
        self.results = Dictionary(results.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// Whether a feature was tried and worked.
    public func works(_ name: ProbeName) -> Bool { results[name]?.isOK ?? false }

    /// The error of a feature that was tried and failed.
    func failure(_ name: ProbeName) -> Int32? {
        guard let result = results[name], !result.isOK else { return nil }
        return result.errno
    }

    /// 0 when Landlock is absent or does not restrict.
    public var landlockABI: Int {
        guard works(.landlockRestrict), let result = results[.landlockABI], result.isOK else { return 0 }
        return Int(result.value)
    }

    /// How much of the jail this host can build; `nil` when not even a seccomp filter can be loaded, and nothing runs.
    public var tier: Tier? {
        guard works(.seccompFilter) else { return nil }
        let walls: [ProbeName] = [.userNamespace, .allNamespaces, .tmpfs, .mountAPI, .pivotRoot, .networkNamespace]
        if walls.allSatisfy(works) { return works(.procMount) ? .t1 : .t2 }
        return landlockABI >= 1 ? .t3 : .t4
    }
}
