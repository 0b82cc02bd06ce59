internal import CJail
internal import Glibc
public import JailModel
public import JailPlan
internal import JailSystem

/// Plan -> running step -> what became of it: the one call into this module.
public enum StepLauncher {
    /// Launches the plan's command and supervises it until no process of it is left.
    ///
    /// - Parameters:
    ///   - signals: What stops the run; the caller keeps it until its report is written.
    ///   - emit: Called for each event as it happens, on the calling thread.
    /// - Throws: ``LaunchFailure`` when the jail could not even be cloned; a failure inside it is in the outcome.
    public static func run(
        _ plan: Plan, _ context: LaunchContext, signals: StopSignals, emit: (Event) -> Void
    ) throws(LaunchFailure) -> StepOutcome {
        let program: OwnedFD
        do throws(SystemError) {
            program = try InitProgram.open()
        } catch {
            throw LaunchFailure(.prepare("find jail-init"), errno: error.errno)
        }
        // Orphans of a jail without a pid namespace must come to us when its init dies.
        if !plan.tail.hasPIDNamespace { _ = cj_become_subreaper() }
        let clock = SystemClock.now()
        let group = try makeCgroup(plan, context)
        let launcher = Launcher(plan: plan, initProgram: program, pidNamespace: context.pidNamespace)
        let launched = try launcher.launch(cgroup: group)
        let cloned = SystemClock.now()
        let streams = Streams(plan: plan, context: context, pipes: launched.pipes)
        var supervisor = Supervisor(
            plan: plan, context: context, jail: launched.jail, streams: streams, cgroup: group, startedAt: clock)
        supervisor.noteTiming("clone", cloned - clock)
        return supervisor.run(signals: signals.source, emit: emit)
    }

    private static func makeCgroup(
        _ plan: Plan, _ context: LaunchContext
    ) throws(LaunchFailure) -> Holder<Cgroup> {
        guard let limits = plan.limits.cgroup else { return Holder(nil) }
        do throws(SystemError) {
            let group = Holder(try Cgroup.create(under: context.host.cgroup, runID: context.runID))
            try group.value?.limit(
                Cgroup.Limits(memory: limits.memory.map { ByteCount($0) }, processes: limits.processes))
            return group
        } catch {
            throw LaunchFailure(.cgroup, errno: error.errno)
        }
    }
}
