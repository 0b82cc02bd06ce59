import JailLaunch
import JailModel
import JailPlan

/// The launch is the probe: a step that the host refuses says which poorer tier may be tried.
///
/// Never silently: the plan of the next tier claims less, and a policy that requires more ends the run with exit 6.
enum TierLadder {
    /// The facts to plan with next; `nil` when the failure is not the host's lack of a feature.
    static func lower(_ facts: HostFacts, after failure: LaunchFailure) -> HostFacts? {
        var next = facts
        let isRefusal = [1, 13, 22, 28, 38, 95, 87].contains(failure.errno)  // EPERM EACCES EINVAL ENOSPC ENOSYS …
        switch failure.step {
        case .tail(.seccomp) where failure.errno == 16 && facts.hasSeccompListener:
            next.hasSeccompListener = false
            return next
        case .plan(.proc) where facts.tier == .t1 && isRefusal:
            next.tier = .t2
            return next
        case .plan(.write) where facts.tier == .t1 && [1, 13, 30].contains(failure.errno):
            next.tier = .t2
            return next
        case .plan(.landlockRuleset), .tail(.landlock):
            guard facts.landlockABI > 0 else { return nil }
            next.landlockABI = 0
            if facts.tier == .t3 { next.tier = .t4 }
            return next
        case .clone, .keepCapabilities, .mapIDs, .mapTree:
            // EROFS: a container may mount /proc read-only, and with it the maps.
            return isRefusal || failure.errno == 30 ? withoutNamespaces(facts) : nil
        case .plan(let step):
            return step.needsNamespaces && [1, 13, 38].contains(failure.errno) ? withoutNamespaces(facts) : nil
        case .tail(.securebits), .tail(.boundingSet):
            return nil
        default: return nil
        }
    }

    private static func withoutNamespaces(_ facts: HostFacts) -> HostFacts? {
        guard facts.tier >= .t2 else { return nil }
        var next = facts
        next.tier = facts.landlockABI >= 1 ? .t3 : .t4
        // No id map: root's workspace stays root's, and planning refuses to be host uid 0.
        if facts.target.isMapped {
            next.target.outsideUID = facts.target.insideUID
            next.target.outsideGID = facts.target.insideGID
        }
        return next
    }
}

extension PlanStep {
    /// Whether the step can only fail for want of namespaces, mounts or the rights in them.
    var needsNamespaces: Bool {
        switch self {
        case .setIDs, .privateMounts, .openTree, .tmpfs, .attach, .devpts, .setAttributes, .pivotRoot, .loopbackUp,
            .hostname, .proc, .unmount:
            true
        case .changeDirectory, .makeDirectory, .makeFile, .symlink, .write, .sendDescriptor, .pty, .landlockRuleset,
            .landlockPath, .subreaper, .overlay, .removeDirectory, .probeAttribute:
            false
        }
    }
}
