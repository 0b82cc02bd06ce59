import CJailABI
import JailDigest
public import JailModel

/// A filter that libseccomp compiled: 8 bytes for each instruction.
public struct CompiledFilter: Sendable, Hashable {
    public let instructions: [UInt8]
    public let hasListener: Bool

    public init(instructions: [UInt8], hasListener: Bool) {
        self.instructions = instructions
        self.hasListener = hasListener
    }
}

extension Plan {
    /// The digest of the plan's text; equal plans have equal digests.
    public var digest: SHA256Value { SHA256Value.of(description.utf8) }

    /// The flat form that jail-init replays (`cj_plan.h`), little-endian as both architectures are.
    public func encoded(
        filters: [CompiledFilter], pidNamespace: UInt64, lastCapability: UInt32
    ) -> [UInt8] {
        var encoder = PlanEncoder()
        return encoder.encode(
            self, filters: filters, pidNamespace: pidNamespace, lastCapability: lastCapability)
    }
}

/// Lays a plan out in one buffer: header, tables, filters, strings.
///
/// Offsets count from the first byte.
struct PlanEncoder {
    private var bytes: [UInt8] = []
    private var strings: [[UInt8]: UInt32] = [:]

    private static let headerSize = MemoryLayout<cj_plan_header>.size

    mutating func encode(
        _ plan: Plan, filters: [CompiledFilter], pidNamespace: UInt64, lastCapability: UInt32
    ) -> [UInt8] {
        bytes = [UInt8](repeating: 0, count: Self.headerSize)
        var header = cj_plan_header()
        header.magic = UInt64(CJ_PLAN_MAGIC)
        header.version = UInt32(CJ_PLAN_VERSION)
        let tail = plan.tail
        // Strings come first, so that the tables only hold numbers and stay aligned.
        header.exec_path = string(tail.executable)
        header.cwd_path = string(tail.cwd)
        let argv = tail.argv.map { string($0.bytes) }
        let environment = tail.environment.map { string($0.bytes) }
        let ops = plan.steps.map { op($0) }
        let canaries = tail.canaries.map { canary($0) }
        header.argv_offset = table(argv)
        header.argc = UInt32(argv.count)
        header.envp_offset = table(environment)
        header.envc = UInt32(environment.count)
        header.op_offset = table(ops)
        header.op_count = UInt32(ops.count)
        header.canary_offset = table(canaries)
        header.canary_count = UInt32(canaries.count)
        header.rlimit_offset = table(
            tail.rlimits.map {
                cj_rlimit(resource: $0.resource.rawValue, reserved: 0, soft: $0.value, hard: $0.value)
            })
        header.rlimit_count = UInt32(tail.rlimits.count)
        let places = filters.map { filter -> cj_filter in
            align()
            let offset = UInt32(bytes.count)
            bytes += filter.instructions
            return cj_filter(
                offset: offset, length: UInt32(filter.instructions.count / 8),
                flags: filter.hasListener ? UInt32(CJ_FILTER_LISTENER) : 0, reserved: 0)
        }
        precondition(places.count <= Int(CJ_MAX_FILTERS), "at most two filters are stacked")
        if places.count > 0 { header.filters.0 = places[0] }
        if places.count > 1 { header.filters.1 = places[1] }
        header.filter_count = UInt32(places.count)
        header.cwd_device = tail.cwdIdentity?.device ?? 0
        header.cwd_inode = tail.cwdIdentity?.inode ?? 0
        header.flags = flags(plan)
        header.umask = tail.umask
        // SECBIT_NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off but locked, NO_CAP_AMBIENT_RAISE; each with its lock.
        header.securebits = 0b1110_1111
        header.last_capability = lastCapability
        header.uid = tail.uid
        header.gid = tail.gid
        header.landlock_flags = tail.landlockFlags
        header.parent_pid_namespace = pidNamespace
        align()
        header.size = UInt32(bytes.count)
        withUnsafeBytes(of: header) { raw in
            for (index, byte) in raw.enumerated() { bytes[index] = byte }
        }
        return bytes
    }

    private func flags(_ plan: Plan) -> UInt32 {
        var flags: UInt32 = 0
        if plan.tail.hasPIDNamespace { flags |= UInt32(CJ_PLAN_PID_NAMESPACE) }
        if plan.tail.usesLandlock { flags |= UInt32(CJ_PLAN_LANDLOCK) }
        if plan.hasTerminal { flags |= UInt32(CJ_PLAN_TTY) }
        if plan.tail.dropsIDs { flags |= UInt32(CJ_PLAN_DROP_IDS_LATE) }
        if plan.tail.locksSecureBits { flags |= UInt32(CJ_PLAN_SECUREBITS) }
        return flags
    }

    private mutating func align() {
        while bytes.count % 8 != 0 { bytes.append(0) }
    }

    private mutating func string(_ text: String) -> UInt32 { string(Array(text.utf8)) }

    private mutating func string(_ text: [UInt8]) -> UInt32 {
        if let known = strings[text] { return known }
        let offset = UInt32(bytes.count)
        bytes += text
        bytes.append(0)
        strings[text] = offset
        return offset
    }

    private mutating func table<Element>(_ elements: [Element]) -> UInt32 {
        align()
        let offset = UInt32(bytes.count)
        elements.withUnsafeBytes { bytes += $0 }
        return offset
    }

    private mutating func op(_ step: PlanStep) -> cj_op {
        var op = cj_op()
        func kind(_ value: cj_op_kind) { op.kind = UInt16(value.rawValue) }
        switch step {
        case .setIDs(let uid, let gid):
            kind(CJ_OP_SET_IDS)
            op.a = UInt64(uid)
            op.b = UInt64(gid)
        case .privateMounts: kind(CJ_OP_PRIVATE_MOUNTS)
        case .openTree(let path, let slot, let identity, let optional):
            kind(CJ_OP_OPEN_TREE)
            op.p = string(path)
            op.slot = Int32(slot.index)
            op.a = UInt64(CJ_TREE_RECURSIVE)
            if let identity {
                op.a |= UInt64(CJ_TREE_CHECK_IDENTITY)
                op.b = identity.device
                op.c = identity.inode
            }
            op.flags = optional ? UInt16(CJ_OP_OPTIONAL) : 0
        case .tmpfs(let target, let options, let attributes):
            kind(CJ_OP_TMPFS)
            op.p = string(target)
            op.q = string(options)
            op.a = attributes.mountFlags
        case .changeDirectory(let path):
            kind(CJ_OP_CHDIR)
            op.p = string(path)
        case .makeDirectory(let path, let mode):
            kind(CJ_OP_MKDIR)
            op.p = string(path)
            op.a = UInt64(mode)
        case .makeFile(let path, let mode):
            kind(CJ_OP_TOUCH)
            op.p = string(path)
            op.a = UInt64(mode)
        case .symlink(let text, let path):
            kind(CJ_OP_SYMLINK)
            op.p = string(text)
            op.q = string(path)
        case .attach(let slot, let target, let attributes, let keepSlot, let optional):
            kind(CJ_OP_ATTACH)
            op.slot = Int32(slot.index)
            op.p = string(target)
            op.a = attributes.rawValue
            op.b = UInt64(CJ_ATTACH_RECURSIVE_ATTR) | (keepSlot ? UInt64(CJ_ATTACH_COPY) : 0)
            op.flags = optional ? UInt16(CJ_OP_OPTIONAL) : 0
        case .proc(let target):
            kind(CJ_OP_PROC)
            op.p = string(target)
            op.a = MountAttributes([.noSetuid, .noDevices, .noExec]).mountFlags
        case .devpts(let target, let options):
            kind(CJ_OP_DEVPTS)
            op.p = string(target)
            op.q = string(options)
            op.a = MountAttributes([.noSetuid, .noExec]).mountFlags
        default: encodeRest(step, into: &op)
        }
        return op
    }

    private mutating func encodeRest(_ step: PlanStep, into op: inout cj_op) {
        func kind(_ value: cj_op_kind) { op.kind = UInt16(value.rawValue) }
        switch step {
        case .setAttributes(let path, let set, let recursive):
            kind(CJ_OP_SET_ATTR)
            op.p = string(path)
            op.a = set.rawValue
            op.c = recursive ? 1 : 0
        case .pivotRoot: kind(CJ_OP_PIVOT)
        case .write(let path, let text):
            kind(CJ_OP_WRITE)
            op.p = string(path)
            op.q = string(text)
        case .loopbackUp: kind(CJ_OP_LOOPBACK_UP)
        case .hostname(let name):
            kind(CJ_OP_HOSTNAME)
            op.p = string(name)
        case .sendDescriptor(let path, let tag):
            kind(CJ_OP_SEND_FD)
            op.p = string(path)
            op.a = 0
            op.b = UInt64(tag.rawValue)
        case .pty: kind(CJ_OP_PTY)
        case .landlockRuleset(let files, let tcp, let scopes):
            kind(CJ_OP_LANDLOCK_CREATE)
            op.a = files.rawValue
            op.b = tcp ? 3 : 0
            op.c = scopes ? 3 : 0
        case .landlockPath(let path, let rights, let optional):
            kind(CJ_OP_LANDLOCK_PATH)
            op.p = string(path)
            op.a = rights.rawValue
            op.flags = optional ? UInt16(CJ_OP_OPTIONAL) : 0
        case .subreaper: kind(CJ_OP_SUBREAPER)
        case .overlay(let target, let options, let attributes):
            kind(CJ_OP_OVERLAY)
            op.p = string(target)
            op.q = string(options)
            op.a = attributes.mountFlags
        case .unmount(let path):
            kind(CJ_OP_UNMOUNT)
            op.p = string(path)
        case .removeDirectory(let path):
            kind(CJ_OP_RMDIR)
            op.p = string(path)
        case .probeAttribute(let path):
            kind(CJ_OP_PROBE_ATTRIBUTE)
            op.p = string(path)
        default: preconditionFailure("encoded by op(_:)")
        }
    }

    private mutating func canary(_ canary: Canary) -> cj_canary {
        switch canary.attempt {
        case .createFile(let path): cj_canary(kind: CJ_CANARY_CREATE_FILE.rawValue, p: string(path))
        case .readFile(let path): cj_canary(kind: CJ_CANARY_OPEN_READ.rawValue, p: string(path))
        case .connect: cj_canary(kind: CJ_CANARY_CONNECT.rawValue, p: 0)
        case .mount(let path): cj_canary(kind: CJ_CANARY_MOUNT.rawValue, p: string(path))
        case .unshareUser: cj_canary(kind: CJ_CANARY_UNSHARE_USER.rawValue, p: 0)
        case .ptraceInit: cj_canary(kind: CJ_CANARY_PTRACE.rawValue, p: 0)
        case .setHostname: cj_canary(kind: CJ_CANARY_SET_HOSTNAME.rawValue, p: 0)
        case .executableMapping(let path): cj_canary(kind: CJ_CANARY_EXEC_MAP.rawValue, p: string(path))
        }
    }
}

extension MountAttributes {
    /// The same attributes as mount(2) flags.
    var mountFlags: UInt64 {
        var flags: UInt64 = 0
        if contains(.readOnly) { flags |= 1 }
        if contains(.noSetuid) { flags |= 2 }
        if contains(.noDevices) { flags |= 4 }
        if contains(.noExec) { flags |= 8 }
        return flags
    }
}
