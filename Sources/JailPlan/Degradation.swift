import JailModel
import JailPolicy

/// What each guarantee rests on in a tier, and what stays open there.
///
/// The one place where degradation is decided.
struct Degradation {
    let policy: Policy
    let facts: HostFacts
    let layer: WorkspaceLayer?

    var hasNamespaces: Bool { facts.tier >= .t2 }

    func claims(budgets: EnforcementClaim) -> [Guarantee: EnforcementClaim] {
        [
            .hermeticPaths: paths, .networkEgress: egress, .budgets: budgets, .untrustedExec: execution,
            .changeBudget: changeBudget, .rollback: rollback,
        ]
    }

    private var changeBudget: EnforcementClaim {
        switch policy.workspace.mode {
        case .readonly: EnforcementClaim(level: .kernel, mechanisms: ["read-only-mount"])
        case .direct:
            EnforcementClaim(level: .none, gaps: ["workspace.mode direct: writes reach the workspace uncounted"])
        case .overlay:
            switch layer {
            case .memory:
                EnforcementClaim(level: .kernel, mechanisms: ["overlayfs", "tmpfs-ceiling", "change-set"])
            case .disk: EnforcementClaim(level: .supervisor, mechanisms: ["overlayfs", "layer-walk", "change-set"])
            case .copy: EnforcementClaim(level: .supervisor, mechanisms: ["private-copy", "change-set"])
            case nil: .none
            }
        }
    }

    private var rollback: EnforcementClaim {
        switch policy.workspace.mode {
        case .readonly: EnforcementClaim(level: .kernel, mechanisms: ["read-only-mount"])
        case .direct:
            EnforcementClaim(level: .none, gaps: ["workspace.mode direct: what was there before is not kept"])
        case .overlay:
            EnforcementClaim(
                level: .supervisor, mechanisms: [layer.isCopy ? "private-copy" : "overlayfs", "journal", "undo"])
        }
    }

    private var landlock: [String] { facts.landlockABI >= 1 ? ["landlock:\(facts.landlockABI)"] : [] }

    private var paths: EnforcementClaim {
        if hasNamespaces {
            let gaps = facts.landlockABI >= 1 ? [] : ["Landlock is absent: mounts are the only wall"]
            return EnforcementClaim(
                level: .kernel, mechanisms: ["mount-ns", "pivot-root"] + landlock + ["seccomp", "no-capabilities"],
                gaps: gaps)
        }
        guard facts.landlockABI >= 1 else {
            return EnforcementClaim(
                level: .none, mechanisms: ["seccomp"],
                gaps: ["neither a mount namespace nor Landlock: every file of the user can be read and written"])
        }
        var gaps = [
            "no mount namespace: names and metadata outside the granted paths can be seen, and mode, owner, times and "
                + "extended attributes of the user's own files can be changed"
        ]
        if facts.landlockABI < 3 { gaps.append("Landlock before ABI 3: files that can be read can be truncated") }
        if !policy.filesystem.hide.isEmpty { gaps.append("filesystem.hide is not held") }
        if policy.workspace.mode == .direct, !policy.workspace.protect.isEmpty {
            gaps.append("protected paths inside a writable directory are not held")
        }
        return EnforcementClaim(level: .kernel, mechanisms: landlock + ["seccomp"], gaps: gaps)
    }

    private var egress: EnforcementClaim {
        switch policy.network.mode {
        case .host: return .none
        case .none, .allowlist:
            if hasNamespaces {
                return EnforcementClaim(level: .kernel, mechanisms: ["netns", "seccomp:sockets"])
            }
            return EnforcementClaim(level: .kernel, mechanisms: ["seccomp:no-sockets"])
        }
    }

    private var execution: EnforcementClaim {
        guard hasNamespaces else {
            guard facts.landlockABI >= 1 else {
                return EnforcementClaim(level: .none, gaps: ["nothing limits what may be executed"])
            }
            return EnforcementClaim(
                level: .kernel, mechanisms: landlock + ["seccomp"],
                gaps: ["no noexec mounts: a file that can be read can be run through the dynamic loader"])
        }
        var mechanisms = ["noexec-mounts"] + landlock + ["no-new-privs", "no-user-ns"]
        if policy.exec.workspace == .deny { mechanisms.append("no-memfd") }
        let gaps = facts.landlockABI >= 1 ? [] : ["Landlock is absent: exec.allow is not held"]
        let notes =
            policy.exec.allow == nil
            ? [] : ["the dynamic loader can start what lies in a library directory, listed or not"]
        return EnforcementClaim(level: .kernel, mechanisms: mechanisms, gaps: gaps, notes: notes)
    }

    /// Refuses when a required guarantee is not whole here (exit 6).
    func check(_ claims: [Guarantee: EnforcementClaim]) throws(PlanError) {
        var missing: [String] = []
        for requirement in policy.require {
            if requirement.guarantee == .networkEgress, policy.network.mode == .host {
                missing.append("network_egress: network.mode is host, which gives the network away")
                continue
            }
            let claim = claims[requirement.guarantee] ?? .none
            if claim.level < requirement.level || !claim.gaps.isEmpty {
                let why =
                    claim.gaps.isEmpty
                    ? "enforced by \(claim.level.rawValue) only, \(requirement.level.rawValue) is required"
                    : claim.gaps.joined(separator: "; ")
                missing.append("\(requirement.guarantee.rawValue): \(why)")
            }
        }
        guard !missing.isEmpty else { return }
        throw PlanError(
            .unenforceable, .notEnforceable,
            "this host (tier \(facts.tier.rawValue)) cannot enforce what the policy requires: "
                + missing.joined(separator: " | "),
            hint: "`launch-jail doctor` says what is missing and the remedy; or drop the entry from `require:`")
    }
}
