internal import JailModel

/// Finds the causes of what does not work, and what a person can do about each (launch-core.md, section 5.2).
struct DoctorRemedies {
    let findings: DoctorFindings

    private static let EPERM: Int32 = 1
    private static let EACCES: Int32 = 13
    private static let EBUSY: Int32 = 16
    private static let ENOSPC: Int32 = 28
    private static let ENOSYS: Int32 = 38
    private static let EOPNOTSUPP: Int32 = 95

    var all: [Remedy] {
        [namespaces, proc, landlock, listener, cgroup, taskClock].compactMap { $0 }
    }

    private var settings: HostSettings { findings.settings }

    /// The first wall that fails decides what to say; the others follow from it.
    private var namespaces: Remedy? {
        let walls: [ProbeName] = [.userNamespace, .allNamespaces, .tmpfs, .mountAPI, .pivotRoot, .networkNamespace]
        guard let name = walls.first(where: { findings.failure($0) != nil }), let result = findings.results[name]
        else { return nil }
        let symptom = "\(result.step) fails with \(Errno.name(result.errno))"
        let isRefusal = result.errno == Self.EPERM || result.errno == Self.EACCES
        if isRefusal, settings.appArmorRestrictsUserNamespaces == 1, settings.uid != 0 {
            return appArmor(symptom)
        }
        if isRefusal, settings.unprivilegedUserNamespaces == 0, settings.uid != 0 {
            return Remedy(
                symptom: symptom, cause: "this kernel lets only root make user namespaces",
                steps: ["sudo sysctl -w kernel.unprivileged_userns_clone=1"], gain: "tier T1")
        }
        if result.errno == Self.ENOSPC {
            return Remedy(
                symptom: symptom,
                cause: "user.max_user_namespaces is used up or 0, as it is inside a jail of launch-jail",
                steps: [
                    "on the host: sudo sysctl -w user.max_user_namespaces=15000",
                    "inside another jail nothing: a nested run works in tier T3 by design",
                ], gain: "tier T1")
        }
        if isRefusal || result.errno == Self.ENOSYS, settings.seccompMode == 2 { return container(symptom) }
        if result.errno == Self.ENOSYS {
            return Remedy(
                symptom: symptom, cause: "this kernel does not have the call",
                steps: ["use Linux 5.12 or newer (5.13 for Landlock); see docs/kernel-matrix.md"], gain: "tier T1")
        }
        return Remedy(
            symptom: symptom,
            cause: "this host refuses it, and neither AppArmor nor a seccomp filter was seen to do so",
            steps: ["look for a security module or runtime policy on the host (dmesg, the journal)"], gain: "tier T1")
    }

    private func appArmor(_ symptom: String) -> Remedy {
        let program = settings.executable.isEmpty ? "/usr/local/bin/launch-jail" : settings.executable
        let profile =
            #"abi <abi/4.0>,\ninclude <tunables/global>\nprofile launch-jail "# + program
            + #" flags=(unconfined) {\n  userns,\n}\n"#
        return Remedy(
            symptom: symptom + ", and kernel.apparmor_restrict_unprivileged_userns is 1",
            cause: "Ubuntu 23.10 and later let only programs with an AppArmor profile use user namespaces",
            steps: [
                "give launch-jail one: printf '\(profile)' | sudo tee /etc/apparmor.d/launch-jail"
                    + " && sudo apparmor_parser -r /etc/apparmor.d/launch-jail",
                "or, as on a hosted CI machine with passwordless sudo: "
                    + "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
                "or start it with sudo: the command still runs as the user behind sudo",
            ], gain: "tier T1")
    }

    private func container(_ symptom: String) -> Remedy {
        Remedy(
            symptom: symptom + ", and this process is under a seccomp filter already",
            cause: "the container's default profile refuses namespaces and mounts",
            steps: [
                "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
                    + "--security-opt systempaths=unconfined …",
                "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL …",
                "Kubernetes: securityContext with seccompProfile type Unconfined, procMount Unmasked and "
                    + "hostUsers false",
                "or a custom profile that adds clone, clone3, unshare, mount, umount2, pivot_root, open_tree, "
                    + "move_mount, mount_setattr",
                "or accept tier T3: Landlock and seccomp hold, what they leave open is said in every report",
            ], gain: "tier T1")
    }

    private var proc: Remedy? {
        guard findings.tier == .t2, let failure = findings.failure(.procMount) else { return nil }
        let masks = settings.maskedProc.prefix(3).joined(separator: ", ")
        return Remedy(
            symptom: "mounting a fresh /proc fails with \(Errno.name(failure))"
                + (masks.isEmpty ? "" : ", and mounts hide parts of /proc: \(SafeText.escape(masks))"),
            cause: "the kernel refuses a new /proc where the present one is partly hidden by a container runtime",
            steps: [
                "docker run --security-opt systempaths=unconfined …",
                "podman run --security-opt unmask=ALL …",
                "Kubernetes: procMount Unmasked together with hostUsers false",
                "or accept tier T2: the container's /proc is shown, other processes' command lines can be read",
            ], gain: "tier T1")
    }

    private var landlock: Remedy? {
        guard findings.landlockABI == 0 else { return nil }
        let failed =
            findings.failure(.landlockABI).map { ($0, ProbeName.landlockABI) }
            ?? findings.failure(.landlockRestrict).map { ($0, ProbeName.landlockRestrict) }
        guard let (failure, name) = failed else { return nil }
        let step = findings.results[name]?.step ?? ""
        let isOff = failure == Self.EOPNOTSUPP
        return Remedy(
            symptom: "\(step) fails with \(Errno.name(failure))",
            cause: isOff
                ? "Landlock is built into this kernel and switched off"
                : "this kernel has no Landlock, or something above refuses it",
            steps: isOff
                ? ["add landlock to the lsm= kernel parameter (first in the list) and boot again"]
                : ["use Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK", "gVisor has none: use another runtime"],
            gain: findings.tier == .t4 ? "tier T3" : "a second wall, and exec.allow")
    }

    private var listener: Remedy? {
        guard let failure = findings.failure(.seccompListener) else { return nil }
        return Remedy(
            symptom: "a seccomp listener fails with \(Errno.name(failure))",
            cause: failure == Self.EBUSY
                ? "the runtime around this process has a seccomp listener of its own, and there can be only one"
                : "this kernel or the runtime around it has no seccomp notification (Linux 5.5 for all of it)",
            steps: ["run outside it; otherwise denials still hold and are counted, but not itemised"],
            gain: "each denial by name in the report")
    }

    private var cgroup: Remedy? {
        if findings.works(.cgroup) {
            switch findings.settings.cgroup {
            case .v1(let directories) where directories["memory"] != nil && directories["pids"] != nil: return nil
            case .v2(_, let controllers) where controllers.isSuperset(of: ["memory", "pids"]): return nil
            default: break
            }
        }
        return Remedy(
            symptom: "no cgroup with the memory and pids controllers may be made here",
            cause: "the group of this process is not delegated to it; memory is polled instead of limited",
            steps: [
                "systemd-run --user --scope -p Delegate=yes -- launch-jail run …",
                "in a systemd unit: Delegate=yes",
                "in a container: mount cgroup v2 writable in a private cgroup namespace, or run as root on the host",
            ], gain: "memory and process budgets held by the kernel")
    }

    private var taskClock: Remedy? {
        guard let failure = findings.failure(.taskClock) else { return nil }
        switch findings.settings.cgroup {
        case .v2: return nil
        case .v1(let directories) where directories["cpuacct"] != nil: return nil
        case .v1, .none: break
        }
        return Remedy(
            symptom: "perf_event_open fails with \(Errno.name(failure))",
            cause: "CPU time of a whole tree can then be read from rusage only, which a program can evade",
            steps: ["sudo sysctl -w kernel.perf_event_paranoid=2", "or a delegated cgroup"],
            gain: "CPU budget that cannot be evaded")
    }
}
