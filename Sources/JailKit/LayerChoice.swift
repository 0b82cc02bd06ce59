import JailModel
import JailPlan
import JailPolicy
import JailSystem

/// Chooses where the changes of a step land: pure, so that `plan` shows what `run` does.
struct LayerChoice {
    /// The run directory.
    let run: AbsolutePath
    /// What the kernel could give to new programs, in bytes (MemAvailable); `nil` when it does not tell.
    let availableMemory: UInt64?
    /// What holds the changes that an earlier step of this run directory left and this one continues.
    let open: ChangeFile.Content?

    static let folder = "pending"

    /// A tmpfs where the budget fits a quarter of the free memory, so that the kernel holds the ceiling; else the disk.
    func choose(_ policy: Policy) -> WorkspaceLayer? {
        guard policy.workspace.mode == .overlay else { return nil }
        let disk = WorkspaceLayer.disk(run.appending(Self.folder))
        if open == .copy { return .copy(run.appending(Self.folder).appending("copy")) }
        guard open == nil, let budget = policy.budgets[.bytesWritten], let availableMemory,
            budget < 1 << 40
        else { return disk }
        // The exact budget is judged on the change set; the ceiling leaves room for pages and what is gone at the end.
        let bytes = budget + budget / 4 + (4 << 20)
        guard bytes <= availableMemory / 4 else { return disk }
        let files = [policy.budgets[.filesChanged], policy.budgets[.fileWrites]].compactMap { $0 }.min() ?? 100_000
        return .memory(bytes: bytes, inodes: 512 + min(files, 10_000_000) * 8)
    }

    /// What is tried when the host refuses a layer; `nil` when there is nothing left.
    func next(after layer: WorkspaceLayer) -> WorkspaceLayer? {
        switch layer {
        case .memory: .disk(run.appending(Self.folder))
        case .disk: open != nil ? nil : .copy(run.appending(Self.folder).appending("copy"))
        case .copy: nil
        }
    }

    /// The copy, unless it is what was refused or changes are open in another form.
    func copy(after layer: WorkspaceLayer) -> WorkspaceLayer? {
        if case .copy = layer { return nil }
        return open == nil ? .copy(run.appending(Self.folder).appending("copy")) : nil
    }

    /// MemAvailable of /proc/meminfo, in bytes.
    static func availableMemory() -> UInt64? {
        guard let text = try? Files.readText("/proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 * 1024 }
        }
        return nil
    }

    /// Mount points below a directory.
    ///
    /// proc_pid_mountinfo(5): the fifth field, blanks as octal.
    static func submounts(of workspace: AbsolutePath) -> [AbsolutePath] {
        guard let text = try? Files.readText("/proc/self/mountinfo", limit: 16 << 20) else { return [] }
        var out: Set<AbsolutePath> = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, let path = AbsolutePath(unescaped(fields[4])), path != workspace,
                workspace.contains(path)
            else { continue }
            out.insert(path)
        }
        return out.filter { path in !out.contains { $0 != path && $0.contains(path) } }.sorted()
    }

    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
