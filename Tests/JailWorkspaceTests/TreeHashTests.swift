import JailModel
import JailSystem
import JailWorkspace
import Testing

@Suite("the digest of a whole tree")
struct TreeHashTests {
    @Test("equal trees have equal digests, and every kind of difference shows")
    func differences() throws {
        let space = try ScanSpace()
        let tree = try space.tree("out")
        func write(_ name: String, _ text: String) throws {
            let file = try Files.open(name, [.write, .create, .truncate], mode: 0o644, at: tree.descriptor)
            try Files.writeAll(file.rawValue, Array(text.utf8))
            try Files.setModified(file.rawValue, 1_000_000_000)
        }
        try write("a", "one")
        try Files.makeDirectory("d", at: tree.descriptor)
        try Files.makeLink("a", named: "d/link", at: tree.descriptor)
        try Files.setModified("d/link", 1_000_000_000, at: tree.descriptor)
        let first = try TreeHash.of(tree)
        try write("a", "one")
        #expect(try TreeHash.of(tree) == first)
        try write("a", "two")
        #expect(try TreeHash.of(tree) != first)
        try write("a", "one")
        try Files.setMode("a", 0o600, at: tree.descriptor)
        #expect(try TreeHash.of(tree) != first)
        try Files.setMode("a", 0o644, at: tree.descriptor)
        try write("b", "")
        #expect(try TreeHash.of(tree) != first)
        #expect(try TreeHash.of(tree, excluded: ["b"]) == first)
        try Files.remove("b", at: tree.descriptor)
        try Files.remove("d/link", at: tree.descriptor)
        #expect(try TreeHash.of(tree) != first)
    }
}
