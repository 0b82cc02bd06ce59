import JailSystem
import JailWorkspace
import Testing

@Suite("the moment between before and after a step")
struct ChangeFenceTests {
    @Test("what changed before is not later, what changes after is, also where stamps are fine")
    func separates() throws {
        let space = try ScanSpace()
        let tree = try space.tree("out")
        for _ in 0..<40 {
            for name in ["before", "after"] {
                if try Files.statusIfPresent(name, at: tree.descriptor) != nil {
                    try Files.remove(name, at: tree.descriptor)
                }
            }
            _ = try Files.open("before", [.write, .create, .exclusive], mode: 0o600, at: tree.descriptor)
            // A stamp that was looked at is followed by a finer one.
            _ = try Files.status(tree.descriptor)
            try Files.rename("before", at: tree.descriptor, to: "after", at: tree.descriptor, .replace)
            try Files.rename("after", at: tree.descriptor, to: "before", at: tree.descriptor, .replace)
            let fence = ChangeFence.take()
            let directory = try Files.status(tree.descriptor)
            #expect(directory.changed <= fence)
            #expect(directory.modified <= fence)
            #expect(try Files.status("before", at: tree.descriptor).changed <= fence)
            _ = try Files.open("after", [.write, .create, .exclusive], mode: 0o600, at: tree.descriptor)
            #expect(try Files.status("after", at: tree.descriptor).changed > fence)
        }
    }
}
