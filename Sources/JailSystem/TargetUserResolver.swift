public import JailModel

/// Decides who the command is: pure, from what was read of the host.
///
/// An ordinary user stays who it is. Root never hands host uid 0 to the command, because file ownership alone then
/// opens /proc/sys for writing and switches RLIMIT_NPROC off (workspace.md, section 7); the command becomes the user
/// behind sudo, or the owner of the workspace, or, when root owns that too, an otherwise unused host id that sees
/// itself as uid 0.
public struct TargetUserResolver: Sendable {
    /// The ids that started launch-jail.
    public var uid: UInt32
    public var gid: UInt32
    /// The owner of the workspace directory.
    public var workspaceUID: UInt32
    public var workspaceGID: UInt32
    public var accounts: [Account]
    /// Ids that belong to somebody else's containers.
    public var subordinate: [IDRange]
    /// The ids that exist in this user namespace.
    public var mapped: [IDRange]
    /// What the kernel shows for ids that are not mapped.
    public var overflowUID: UInt32

    public init(
        uid: UInt32, gid: UInt32, workspaceUID: UInt32, workspaceGID: UInt32, accounts: [Account] = [],
        subordinate: [IDRange] = [], mapped: [IDRange] = [IDRange(first: 0, count: .max)], overflowUID: UInt32 = 65534
    ) {
        self.uid = uid
        self.gid = gid
        self.workspaceUID = workspaceUID
        self.workspaceGID = workspaceGID
        self.accounts = accounts
        self.subordinate = subordinate
        self.mapped = mapped
        self.overflowUID = overflowUID
    }

    /// The command's user.
    ///
    /// `environment` gives `SUDO_UID`, `SUDO_GID`, `HOME` and `USER`.
    public func resolve(_ environment: (String) -> String?) -> TargetUser {
        guard uid == 0 else {
            let account = account(uid)
            let home = account?.home ?? environment("HOME") ?? ""
            return TargetUser(
                insideUID: uid, insideGID: gid, outsideUID: uid, outsideGID: gid,
                name: account?.name ?? Self.word(environment("USER")) ?? "user\(uid)", home: Self.usable(home))
        }
        if let sudo = environment("SUDO_UID").flatMap(UInt32.init), sudo != 0 {
            return same(sudo, environment("SUDO_GID").flatMap(UInt32.init) ?? 0)
        }
        if workspaceUID != 0, isMapped(workspaceUID) { return same(workspaceUID, workspaceGID) }
        let outside = unusedID()
        return TargetUser(
            insideUID: 0, insideGID: 0, outsideUID: outside, outsideGID: outside, name: "root", home: "/root")
    }

    /// A user that is the same inside and outside.
    ///
    /// Group 0 of the host is never passed on.
    private func same(_ uid: UInt32, _ gid: UInt32) -> TargetUser {
        let account = account(uid)
        let group = [gid, account?.gid ?? 0].first { $0 != 0 } ?? uid
        return TargetUser(
            insideUID: uid, insideGID: group, outsideUID: uid, outsideGID: group,
            name: account?.name ?? "user\(uid)", home: Self.usable(account?.home ?? ""))
    }

    /// A host id that owns nothing: the first from 100000 up that no account, no subordinate range and not the
    /// overflow id uses.
    ///
    /// A user namespace with fewer ids (a rootless container) gives its highest free one; with only one id there is
    /// no other, and that namespace's uid 0 is not the host's.
    private func unusedID() -> UInt32 {
        var candidate: UInt32 = 100_000
        while candidate < UInt32.max - 1 {
            if let taken = subordinate.first(where: { $0.contains(candidate) }) {
                let (next, overflow) = taken.first.addingReportingOverflow(taken.count)
                if overflow { break }
                candidate = next
            } else if isTaken(candidate) {
                candidate += 1
            } else {
                break
            }
        }
        if isMapped(candidate), !isTaken(candidate) { return candidate }
        for range in mapped.sorted(by: { $0.first > $1.first }) where range.count > 1 {
            let last = range.first + min(range.count - 1, UInt32.max - 2 - min(range.first, UInt32.max - 2))
            for id in stride(from: last, to: range.first, by: -1).prefix(4096) where !isTaken(id) && id != 0 {
                return id
            }
        }
        return uid
    }

    private func account(_ uid: UInt32) -> Account? { accounts.first { $0.uid == uid } }

    private func isTaken(_ id: UInt32) -> Bool {
        id == overflowUID || account(id) != nil || accounts.contains { $0.gid == id }
    }

    private func isMapped(_ id: UInt32) -> Bool { mapped.contains { $0.contains(id) } }

    /// A home that can be shown in the jail; the root directory stands for "none".
    private static func usable(_ home: String) -> String { home.hasPrefix("/") ? home : "/" }

    private static func word(_ text: String?) -> String? {
        guard let text, !text.isEmpty, !text.utf8.contains(UInt8(ascii: ":")), !text.utf8.contains(UInt8(ascii: "\n"))
        else { return nil }
        return text
    }
}
