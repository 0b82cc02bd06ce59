/// A set of capabilities as the kernel has it, with names for people.
///
/// capabilities(7); guarantee B. Machines read the number, which stays in the report.
public struct CapabilitySet: Sendable, Hashable, CustomStringConvertible {
    /// Bit n is capability n.
    public let bits: UInt64

    public init(_ bits: UInt64) { self.bits = bits }

    public var isEmpty: Bool { bits == 0 }

    /// The names in the order of the numbers.
    public var names: [String] { (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.map(Self.name(of:)) }

    /// `cap_chown, cap_setuid`, or `none`.
    public var description: String { isEmpty ? "none" : names.joined(separator: ", ") }

    /// The name of one capability; its number for one that is younger than this table.
    ///
    /// A test compares the table with libcap's.
    public static func name(of number: Int) -> String {
        table.indices.contains(number) ? table[number] : String(number)
    }

    /// By number, as linux/capability.h has them.
    private static let table = [
        "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid",
        "cap_setuid", "cap_setpcap", "cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast",
        "cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio",
        "cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice",
        "cap_sys_resource", "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write",
        "cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog", "cap_wake_alarm",
        "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
    ]
}
