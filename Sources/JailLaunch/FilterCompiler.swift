internal import CJail
internal import CJailABI
internal import JailPlan

/// Compiles the plan's system call rules with libseccomp.
enum FilterCompiler {
    private static let capacity = 4096

    /// The filters in the order in which they are loaded: the ceiling first, then the one with the listener.
    static func compile(_ filter: SyscallFilter) throws(LaunchFailure) -> [CompiledFilter] {
        var rules: [cj_rule] = []
        for rule in filter.rules {
            guard let number = number(of: rule) else { continue }
            rules.append(encode(rule, number: number))
        }
        var buffer = [UInt8](repeating: 0, count: capacity * 8)
        // SAFETY: the buffer holds `capacity` instructions of 8 bytes, and both arrays outlive the calls.
        let ceiling = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe cj_ceiling_filter(SyscallFilter.ceiling, raw.baseAddress, capacity)
        }
        guard ceiling > 0 else { throw LaunchFailure(.compileFilter, errno: Int32(-ceiling)) }
        let first = CompiledFilter(instructions: Array(buffer.prefix(ceiling * 8)), hasListener: false)
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe rules.withUnsafeBufferPointer { table in
                unsafe cj_compile_filter(table.baseAddress, table.count, raw.baseAddress, capacity)
            }
        }
        guard count > 0 else { throw LaunchFailure(.compileFilter, errno: Int32(-count)) }
        let second = CompiledFilter(
            instructions: Array(buffer.prefix(count * 8)), hasListener: filter.hasListener)
        return [first, second]
    }

    /// The number in the native ABI; `nil` for a call that this architecture never had.
    private static func number(of rule: SyscallFilter.SyscallRule) -> Int32? {
        if let number = rule.number { return number }
        // SAFETY: the string is a null-terminated copy for the call.
        let number = unsafe cj_syscall_number(rule.name)
        return number < 0 ? nil : number
    }

    private static func encode(_ rule: SyscallFilter.SyscallRule, number: Int32) -> cj_rule {
        var out = cj_rule()
        out.syscall = number
        switch rule.action {
        case .errno(let error):
            out.action = CJ_ACTION_ERRNO.rawValue
            out.error = UInt32(error)
        case .notify: out.action = CJ_ACTION_NOTIFY.rawValue
        }
        out.condition_count = UInt32(rule.conditions.count)
        for (index, condition) in rule.conditions.enumerated() {
            let encoded = encode(condition)
            switch index {
            case 0: out.conditions.0 = encoded
            case 1: out.conditions.1 = encoded
            default: out.conditions.2 = encoded
            }
        }
        return out
    }

    private static func encode(_ condition: SyscallFilter.Condition) -> cj_condition {
        var out = cj_condition()
        out.argument = UInt32(condition.argument)
        switch condition.comparison {
        case .equals(let value):
            // The kernel drops the high half of an int argument, so the filter must not look at it.
            out.compare = CJ_COMPARE_MASKED_EQ.rawValue
            out.mask = 0xffff_ffff
            out.value = UInt64(value)
        case .masked(let mask, let value):
            out.compare = CJ_COMPARE_MASKED_EQ.rawValue
            out.mask = mask
            out.value = value
        case .greater(let value):
            out.compare = CJ_COMPARE_GT.rawValue
            out.value = value
        case .notEqual(let value):
            out.compare = CJ_COMPARE_NE.rawValue
            out.value = value
        }
        return out
    }
}
