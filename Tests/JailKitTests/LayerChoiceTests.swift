import JailModel
import JailPlan
import JailPolicy
import JailSystem
import Testing

@testable import JailKit

@Suite("where changes land")
struct LayerChoiceTests {
    private func choice(
        available: UInt64? = 64 << 30, open: ChangeFile.Content? = nil
    ) throws -> LayerChoice {
        LayerChoice(run: try path("/state/runs/r1"), availableMemory: available, open: open)
    }

    /// What `max_bytes_written: 1GiB` takes in memory.
    private static let ceiling: UInt64 = (1 << 30) + (1 << 28) + (4 << 20)

    @Test("only overlay has a layer", arguments: ["direct", "readonly"])
    func none(mode: String) throws {
        let policy = try policy("workspace: {mode: \(mode)}")
        for open in [nil, ChangeFile.Content.disk, .copy] { #expect(try choice(open: open).choose(policy) == nil) }
    }

    @Test("memory holds the budget with room, and its objects are bounded by the smaller count")
    func memory() throws {
        let layer = try choice().choose(policy("budgets: {max_files_changed: 10, max_file_writes: 30}"))
        #expect(layer == .memory(bytes: Self.ceiling, inodes: 512 + 80))
        let other = try choice().choose(policy("budgets: {max_files_changed: 30, max_file_writes: 10}"))
        #expect(other == .memory(bytes: Self.ceiling, inodes: 512 + 80))
    }

    @Test("a quarter of the free memory is the limit, inclusive")
    func quarter() throws {
        let policy = try policy("")
        let disk = WorkspaceLayer.disk(try path("/state/runs/r1/pending"))
        let exact = try choice(available: Self.ceiling * 4).choose(policy)
        #expect(exact == .memory(bytes: Self.ceiling, inodes: 512 + 800))
        #expect(try choice(available: Self.ceiling * 4 - 1).choose(policy) == disk)
        #expect(try choice(available: 0).choose(policy) == disk)
        #expect(try choice(available: nil).choose(policy) == disk)
    }

    @Test("huge budgets go to the disk, and no arithmetic overflows")
    func huge() throws {
        let disk = WorkspaceLayer.disk(try path("/state/runs/r1/pending"))
        for size in ["1TiB", "8388607TiB"] {
            let policy = try policy("budgets: {max_bytes_written: \(size)}")
            #expect(try choice(available: .max).choose(policy) == disk)
        }
        let many = try policy("budgets: {max_files_changed: 1000000000000, max_file_writes: 1000000000000}")
        #expect(try choice().choose(many) == .memory(bytes: Self.ceiling, inodes: 512 + 80_000_000))
    }

    @Test("open changes are continued where they lie")
    func continued() throws {
        let policy = try policy("")
        #expect(try choice(open: .disk).choose(policy) == .disk(path("/state/runs/r1/pending")))
        #expect(try choice(open: .copy).choose(policy) == .copy(path("/state/runs/r1/pending/copy")))
    }

    @Test("a host that refuses a layer gets the next: memory, disk, copy")
    func next() throws {
        let disk = WorkspaceLayer.disk(try path("/state/runs/r1/pending"))
        let copy = WorkspaceLayer.copy(try path("/state/runs/r1/pending/copy"))
        let choice = try choice()
        #expect(choice.next(after: .memory(bytes: 1, inodes: 1)) == disk)
        #expect(choice.next(after: disk) == copy)
        #expect(choice.next(after: copy) == nil)
        #expect(try self.choice(open: .disk).next(after: disk) == nil)
    }

    @Test("the kernel tells its free memory, and the mounts below a directory, outermost only")
    func host() throws {
        #expect(try #require(LayerChoice.availableMemory()) > 1 << 20)
        let mounts = LayerChoice.submounts(of: try path("/"))
        #expect(mounts.contains(try path("/proc")))
        #expect(mounts.allSatisfy { path in !mounts.contains { $0 != path && $0.contains(path) } })
        #expect(LayerChoice.submounts(of: try path("/proc/self/nothing")).isEmpty)
    }
}
