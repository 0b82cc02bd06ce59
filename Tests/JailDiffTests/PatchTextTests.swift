import JailDiff
import JailDigest
import JailModel
import Testing

/// Patches written out by hand.
@Suite struct PatchTextTests {
    private func side(_ text: String, _ mode: PatchMode = .regular) -> PatchSide {
        PatchSide(mode: mode, content: .bytes(bytes(text)))
    }

    private func text(_ file: FilePatch, limits: PatchLimits = PatchLimits()) -> String {
        String(decoding: PatchText.render(file, limits: limits), as: UTF8.self)
    }

    @Test func aChangedFile() {
        let old = (1...20).map { "\($0)\n" }.joined()
        let new = old.replacing("5\n6\n", with: "five\n6\n").replacing("20\n", with: "20")
        #expect(
            text(FilePatch(path: "d/a b", old: side(old), new: side(new, .executable))) == """
                diff --git a/d/a b b/d/a b
                old mode 100644
                new mode 100755
                index 0ff3bbb9c8bba2291654cd64067fa417ff54c508..\(GitBlobID.of(bytes(new)))
                --- a/d/a b\t
                +++ b/d/a b\t
                @@ -2,7 +2,7 @@
                 2
                 3
                 4
                -5
                +five
                 6
                 7
                 8
                @@ -17,4 +17,4 @@
                 17
                 18
                 19
                -20
                +20
                \\ No newline at end of file

                """)
    }

    @Test func newRemovedAndEmptyFiles() {
        #expect(
            text(FilePatch(path: "n", old: nil, new: side("hello\n"))) == """
                diff --git a/n b/n
                new file mode 100644
                index 0000000000000000000000000000000000000000..ce013625030ba8dba906f756967f9e9ca394464a
                --- /dev/null
                +++ b/n
                @@ -0,0 +1 @@
                +hello

                """)
        #expect(
            text(FilePatch(path: "n", old: side("target", .link), new: nil)) == """
                diff --git a/n b/n
                deleted file mode 120000
                index 1de565933b05f74c75ff9a6520af5f9f8a5a2f1d..0000000000000000000000000000000000000000
                --- a/n
                +++ /dev/null
                @@ -1 +0,0 @@
                -target
                \\ No newline at end of file

                """)
        #expect(
            text(FilePatch(path: "e", old: nil, new: side("", .executable))) == """
                diff --git a/e b/e
                new file mode 100755
                index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391

                """)
    }

    @Test func renames() {
        #expect(
            text(FilePatch(path: "to x", from: "from", old: side("a\n"), new: side("a\n"))) == """
                diff --git a/from "b/to x"
                similarity index 100%
                rename from from
                rename to to x

                """)
        #expect(
            text(FilePatch(path: "b", from: "a", old: side("1\n2\n3\n4\n"), new: side("1\n2\n3\n5\n")))
                == """
                diff --git a/a b/b
                similarity index 75%
                rename from a
                rename to b
                index 94ebaf900161394059478fd88aec30e59092a1d7..a9cee7d8b2a2a2b4f5b8f6f6a6d0c1a3b2c1d0e9 100644
                --- a/a
                +++ b/b
                @@ -1,4 +1,4 @@
                 1
                 2
                 3
                -4
                +5

                """.replacing("a9cee7d8b2a2a2b4f5b8f6f6a6d0c1a3b2c1d0e9", with: GitBlobID.of(bytes("1\n2\n3\n5\n")).hex)
        )
    }

    @Test func nothingThatGitRecords() {
        #expect(text(FilePatch(path: "a", old: side("x"), new: side("x"))) == "")
        #expect(text(FilePatch(path: "a", from: "a", old: side("x"), new: side("x"))) == "")
        #expect(text(FilePatch(path: "a", old: nil, new: nil)) == "")
    }

    @Test func aLinkThatBecomesAFileIsRemovedAndAdded() {
        let patch = text(FilePatch(path: "a", old: side("x", .link), new: side("x")))
        #expect(patch.contains("deleted file mode 120000") && patch.contains("new file mode 100644"))
    }

    @Test func namesAreQuotedAsGitDoes() throws {
        let path = try #require(ByteString(bytes("a\n\"\\\t ") + [0xff, 0x7f, 0xc3, 0xa9]))
        let patch = text(FilePatch(path: path, old: side("1\n"), new: side("2\n")))
        let name = #"a\n\"\\\t \377\177\303\251""#
        #expect(patch.hasPrefix("diff --git \"a/\(name) \"b/\(name)\n"))
        #expect(patch.contains("\n--- \"a/\(name)\t\n+++ \"b/\(name)\t\n"))
    }

    @Test func binaryFiles() {
        let patch = text(FilePatch(path: "b", old: nil, new: side("\0")))
        #expect(patch.contains("\nGIT binary patch\nliteral 1\n"))
        #expect(patch.hasSuffix("\n\nliteral 0\nKcmV+b0RR6000031\n\n"))
    }

    @Test func largeFilesAreOnlySaidToDiffer() {
        var limits = PatchLimits()
        limits.textBytes = 3
        limits.binaryBytes = 2
        let told = "diff --git a/b b/b\ndeleted file mode 100644\n"
        #expect(text(FilePatch(path: "b", old: side("a\0b"), new: nil), limits: limits).hasPrefix(told))
        #expect(
            text(FilePatch(path: "b", old: side("a\0b"), new: nil), limits: limits)
                .hasSuffix("\nBinary files a/b and /dev/null differ\n"))
        #expect(
            text(FilePatch(path: "b", old: side("abcd"), new: side("")), limits: limits)
                .hasSuffix(" 100644\nBinary files a/b and b/b differ\n"))
        #expect(text(FilePatch(path: "b", old: side("abc"), new: side("")), limits: limits).contains("\n-abc\n"))
        #expect(limits.needsContent(size: 3) && !limits.needsContent(size: 4))
    }

    @Test func contentThatWasNotRead() {
        let one = PatchContent.omitted(digest: SHA256Value.of([1]))
        let other = PatchContent.omitted(digest: SHA256Value.of([2]))
        let file = PatchSide(mode: .regular, content: one)
        #expect(text(FilePatch(path: "b", old: file, new: file)) == "")
        #expect(
            text(FilePatch(path: "b", from: "a", old: file, new: file)) == """
                diff --git a/a b/b
                similarity index 100%
                rename from a
                rename to b

                """)
        #expect(
            text(FilePatch(path: "b", old: file, new: PatchSide(mode: .regular, content: other)))
                == "diff --git a/b b/b\nBinary files a/b and b/b differ\n")
        let unknown = PatchSide(mode: .regular, content: .omitted(digest: nil))
        #expect(text(FilePatch(path: "b", old: unknown, new: unknown)).hasSuffix("differ\n"))
    }

    @Test func modesThatGitKnows() {
        func state(_ kind: ObjectKind, _ mode: UInt32) -> ObjectState {
            ObjectState(kind: kind, mode: mode, uid: 0, gid: 0, modified: 0)
        }
        #expect(PatchMode(state(.file, 0o600)) == .regular)
        #expect(PatchMode(state(.file, 0o700)) == .executable)
        #expect(PatchMode(state(.link, 0o777)) == .link)
        #expect(PatchMode(state(.directory, 0o755)) == nil)
    }
}
