import JailModel
import JailTestSupport

extension ReportCase {
    /// Every kind of change, published.
    static let changed = ReportCase(
        name: "changed",
        record: StepRecord.good().with {
            $0.changes = changeRecord(
                kinds, .committed,
                .published(treeBefore: .repeating(0x61), treeAfter: .repeating(0x62), operations: 9, problems: []))
            $0.changes?.set.notes = ["run/agent.sock is a socket: it is not published"]
            $0.usage.filesChanged = 8
            $0.usage.fileWrites = 4
            $0.usage.bytesWritten = 4576
        }, verdict: .pass)

    /// Others changed two of the paths meanwhile.
    static let conflict = ReportCase(
        name: "conflict",
        record: StepRecord.good().with {
            let paths: [ByteString] = ["src/main.c", odd]
            $0.changes = changeRecord(
                [.modified("src/main.c", LineCounts(added: 1, removed: 1)), .modified(odd, LineCounts(added: 1))],
                .pending, .conflict(paths))
            $0.changes?.set.refused = [RefusedObject(path: "pipe", reason: .fifo)]
        }, verdict: .violation)

    static func changeRecord(
        _ paths: [ChangedPath], _ state: ChangeState, _ publication: Publication
    ) -> ChangeRecord {
        ChangeRecord(
            layer: "overlay on tmpfs", set: ChangeSet(paths: paths), fileWrites: UInt64(paths.count), state: state,
            publication: publication, patch: StreamRecord(bytes: 1234, stored: 1234, sha256: .repeating(0x63)))
    }

    /// A name that is no UTF-8.
    private static let odd = ByteString([0x73, 0x72, 0x63, 0x2f, 0xff, 0x25, 0x2e, 0x74, 0x78, 0x74]) ?? ""

    private static var link: ObjectState {
        var link = ObjectState.file(0x57, size: 7, mode: 0o777)
        link.kind = .link
        return link
    }

    private static let directory = ObjectState(kind: .directory, mode: 0o755, uid: 1000, gid: 1000, modified: 0)

    /// Sorted by path, as a change set is.
    private static let kinds: [ChangedPath] = [
        ChangedPath(path: "build", kind: .added, before: nil, after: directory),
        ChangedPath(path: "current", kind: .symlink, before: nil, after: link),
        ChangedPath(
            path: "data", kind: .type, before: directory, after: .file(0x58, size: 16),
            lines: LineCounts(added: 1)),
        ChangedPath(
            path: "logo.png", kind: .added, before: nil, after: .file(0x53, size: 4000), isBinary: true),
        ChangedPath(
            path: "new.c", kind: .renamed, from: "old.c", before: .file(0x54, size: 90), after: .file(0x54, size: 90),
            lines: LineCounts()),
        ChangedPath(
            path: "notes.txt", kind: .deleted, before: .file(0x55, size: 12), after: nil,
            lines: LineCounts(removed: 2)),
        ChangedPath(
            path: "run.sh", kind: .mode, before: .file(0x56, size: 30), after: .file(0x56, size: 30, mode: 0o755)),
        .modified("src/main.c", LineCounts(added: 4, removed: 2, formatting: 3)),
        ChangedPath(
            path: odd, kind: .added, before: nil, after: .file(0x59, size: 320), lines: LineCounts(added: 10)),
    ]
}
