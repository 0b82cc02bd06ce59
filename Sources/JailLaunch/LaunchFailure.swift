import JailModel
public import JailPlan

/// A launch that did not reach its command: which step, which error.
///
/// The caller decides whether a poorer tier may be tried; the text is made here and nowhere else.
public struct LaunchFailure: Error, Sendable, Hashable {
    /// The step that failed, in the order in which they happen.
    public enum Step: Sendable, Hashable {
        case prepare(String)
        case compileFilter
        case clone
        case keepCapabilities
        case executeInit
        case mapIDs(String)
        case mapTree(String)
        case cgroup
        case hold(String)
        /// A step of the plan, replayed by init.
        case plan(PlanStep)
        /// A step of the job half's fixed tail.
        case tail(TailStep)
        case canary(String)
        case initDied
    }

    public let step: Step
    public let errno: Int32

    public init(_ step: Step, errno: Int32) {
        self.step = step
        self.errno = errno
    }
}

/// The fixed tail of the job half, as `cj_plan.h` numbers it.
public enum TailStep: UInt32, Sendable, Hashable {
    case readPlan = 1, waitForGo, checkPIDNamespace, fork, newSession, takeTerminal, setLimits, enterDirectory
    case noNewPrivileges, landlock, securebits, boundingSet, changeIDs, dropCapabilities, closeDescriptors, seccomp
    case sendListener, readBack, canaries, execute

    var words: String {
        switch self {
        case .readPlan: "read the plan"
        case .waitForGo: "receive the supervisor's descriptors"
        case .checkPIDNamespace: "check that the pid namespace is our own"
        case .fork: "fork the command"
        case .newSession: "start a session (setsid)"
        case .takeTerminal: "take the terminal"
        case .setLimits: "set resource limits"
        case .enterDirectory: "enter the working directory"
        case .noNewPrivileges: "set no_new_privs"
        case .landlock: "enforce the Landlock ruleset"
        case .securebits: "lock securebits"
        case .boundingSet: "empty the capability bounding set"
        case .changeIDs: "become the target user"
        case .dropCapabilities: "drop capabilities"
        case .closeDescriptors: "close descriptors"
        case .seccomp: "load the seccomp filter"
        case .sendListener: "hand over the seccomp listener"
        case .readBack: "read back what was applied"
        case .canaries: "try the canaries"
        case .execute: "execute the command"
        }
    }
}

extension LaunchFailure {
    /// The step in words, as reports have it.
    public var stepText: String {
        switch step {
        case .prepare(let what): what
        case .compileFilter: "compile the seccomp filter"
        case .clone: "clone the jail into new namespaces"
        case .keepCapabilities: "keep namespace capabilities over the exec"
        case .executeInit: "execute jail-init"
        case .mapIDs(let file): "write \(file) of the new user namespace"
        case .mapTree(let path): "map ids on \(SafeText.escape(path))"
        case .cgroup: "put the jail into its cgroup"
        case .hold(let path): "hold the place of \(SafeText.escape(path))"
        case .plan(let step): step.description
        case .tail(let step): step.words
        case .canary(let name): "canary \(name): an operation that must be refused was allowed"
        case .initDied: "jail-init ended before the command started"
        }
    }

    /// Whether the host has no seccomp filters at all.
    public var isMissingSeccomp: Bool {
        switch step {
        case .compileFilter: true
        case .tail(.seccomp): errno != 16
        default: false
        }
    }

    /// Whether the command itself could not be executed: the user's mistake, not the host's (exit 2).
    public var isCommandProblem: Bool {
        step == .tail(.execute) && [2, 8, 13, 20, 21, 7, 40].contains(errno)
    }
}
