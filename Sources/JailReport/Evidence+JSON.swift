import JailModel

extension JSONValue {
    /// A count, clamped to what JSON readers hold.
    static func count(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }

    /// Milliseconds with three places.
    static func milliseconds(_ duration: Duration) -> JSONValue {
        let parts = duration.components
        return .decimal(units: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000, places: 3)
    }
}

extension CommandRecord {
    var json: JSONValue {
        let isText = argv.allSatisfy { $0.string != nil }
        return [
            "argv": .strings(argv.map { $0.string ?? PercentText.escape($0.bytes) }),
            "argv_bytes": isText ? nil : .strings(argv.map { Base64.encode($0.bytes) }),
            "cwd": .string(cwd), "executable": .string(executable), "sha256": .string(sha256?.hex ?? ""),
        ]
    }
}

extension LaunchOutcome {
    var json: JSONValue {
        func members(
            _ kind: JSONValue, code: String = "", message: String = "", hint: String = "", step: String = "",
            errno: Int32 = 0
        ) -> JSONValue {
            [
                "error_code": .string(code), "errno": .integer(Int64(errno)), "hint": .string(hint), "kind": kind,
                "message": .string(message), "step": .string(step),
            ]
        }
        return switch self {
        case .ended: members("ended")
        case .refused(let refusal):
            members("refused", code: refusal.code.rawValue, message: refusal.message, hint: refusal.hint)
        case .failed(let fault, _):
            members(
                "failed", code: ErrorCode.launchFailed.rawValue, message: fault.message, step: fault.step,
                errno: fault.errno)
        }
    }
}

extension Usage {
    var json: JSONValue {
        [
            "bytes_written": .count(bytesWritten), "connections": .count(connections), "cpu_meter": .string(cpuMeter),
            "cpu_s": .seconds(cpu), "denials": .count(denials), "egress_bytes": .count(egressBytes),
            "execs": .count(execs), "file_writes": .count(fileWrites), "files_changed": .count(filesChanged),
            "llm_calls": .count(llmCalls), "llm_tokens": .count(llmTokens), "max_rss_bytes": .count(maxRSS.value),
            "memory_meter": .string(memoryMeter), "output_bytes": .count(outputBytes), "wall_s": .seconds(wall),
        ]
    }
}

extension BudgetBreach {
    var json: JSONValue {
        [
            "budget": .string(kind.rawValue), "error_code": .string(kind.errorCode.rawValue), "limit": .count(limit),
            "meter": .string(meter), "observed": .count(observed),
        ]
    }
}

extension Denial {
    var json: JSONValue {
        [
            "count": .count(count), "executable": .string(executable), "kind": .string(kind.rawValue),
            "pid": .integer(Int64(pid)), "remedy": .string(remedy), "rule": .string(rule),
            "subject": .string(subject),
        ]
    }
}

extension ExecRecord {
    var json: JSONValue {
        [
            "argv": .strings(argv), "count": .count(count), "cwd": .string(cwd), "path": .string(path),
            "sha256": .string(sha256),
        ]
    }
}

extension EgressRecord {
    var json: JSONValue {
        [
            "bytes_in": .count(bytesIn), "bytes_out": .count(bytesOut), "connections": .count(connections),
            "host": .string(host), "port": .integer(Int64(port)), "reason": .string(reason),
            "verdict": .string(verdict.rawValue),
        ]
    }
}

extension CanaryResult {
    var json: JSONValue {
        [
            "denied": .bool(wasDenied), "errno": .integer(Int64(errno)), "guarantee": .string(guarantee.rawValue),
            "name": .string(name),
        ]
    }
}

extension TrustHandoff {
    func json(isAllowed: Bool) -> JSONValue {
        [
            "allowed": .bool(isAllowed), "class": .string(handoff.rawValue),
            "path": .string(path.string ?? PercentText.escape(path.bytes)),
            "path_bytes": path.string == nil ? .string(Base64.encode(path.bytes)) : nil, "reason": .string(reason),
        ]
    }
}

extension AppliedState {
    var json: JSONValue {
        func hex(_ value: some BinaryInteger) -> JSONValue { .string("0x" + String(value, radix: 16)) }
        return [
            "ambient": hex(ambientCapabilities), "bounding": hex(boundingCapabilities),
            "effective": hex(effectiveCapabilities), "gid": .integer(Int64(gid)),
            "inheritable": hex(inheritableCapabilities), "landlock_abi": .integer(Int64(landlockABI)),
            "no_new_privs": .bool(hasNoNewPrivileges), "permitted": hex(permittedCapabilities),
            "seccomp_filters": .integer(Int64(seccompFilters)), "securebits": hex(secureBits),
            "uid": .integer(Int64(uid)),
        ]
    }
}

extension HostFacts {
    var json: JSONValue {
        let cgroupName: JSONValue =
            switch cgroup {
            case .none: "none"
            case .v1: "v1"
            case .v2: "v2"
            }
        return [
            "arch": .string(arch), "cgroup": cgroupName, "kernel": .string(kernel),
            "landlock_abi": .integer(Int64(landlockABI)), "seccomp_listener": .bool(hasSeccompListener),
            "tier": .string(tier.rawValue), "uid": .integer(Int64(uid)),
            "user": [
                "inside_uid": .integer(Int64(target.insideUID)), "outside_uid": .integer(Int64(target.outsideUID)),
            ],
        ]
    }
}

extension StreamRecord {
    var json: JSONValue {
        [
            "bytes": .count(bytes), "sha256": .string(sha256?.hex ?? ""), "stored": .count(stored),
            "truncated": .bool(isTruncated),
        ]
    }
}
