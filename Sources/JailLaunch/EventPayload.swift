internal import JailModel

/// The payloads of the supervisor's events.
enum EventPayload {
    static func applied(_ applied: AppliedState) -> [String: JSONValue] {
        func hex(_ set: UInt64) -> JSONValue { .string("0x" + String(set, radix: 16)) }
        return [
            "effective": hex(applied.effectiveCapabilities), "permitted": hex(applied.permittedCapabilities),
            "inheritable": hex(applied.inheritableCapabilities), "bounding": hex(applied.boundingCapabilities),
            "ambient": hex(applied.ambientCapabilities), "no_new_privs": .bool(applied.hasNoNewPrivileges),
            "securebits": hex(UInt64(applied.secureBits)), "seccomp_filters": .integer(Int64(applied.seccompFilters)),
            "uid": .integer(Int64(applied.uid)), "gid": .integer(Int64(applied.gid)),
        ]
    }

    static func denial(_ denial: Denial) -> [String: JSONValue] {
        [
            "kind": .string(denial.kind.rawValue), "subject": .string(denial.subject), "rule": .string(denial.rule),
            "remedy": .string(denial.remedy), "pid": .integer(Int64(denial.pid)),
            "executable": .string(denial.executable),
        ]
    }

    static func exec(_ record: ExecRecord) -> [String: JSONValue] {
        ["path": .string(record.path), "argv": .strings(record.argv), "cwd": .string(record.cwd)]
    }

    static func breach(_ breach: BudgetBreach) -> [String: JSONValue] {
        [
            "budget": .string(breach.kind.rawValue), "error_code": .string(breach.kind.errorCode.rawValue),
            "limit": .integer(Int64(clamping: breach.limit)), "observed": .integer(Int64(clamping: breach.observed)),
            "meter": .string(breach.meter),
        ]
    }
}
