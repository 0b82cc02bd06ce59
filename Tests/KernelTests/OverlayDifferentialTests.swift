import Glibc
import RunSupport
import Testing

/// Random operations in the jail and beside it: the trees are equal after commit, and the old one is back after rollback.
@Suite("Overlay against a plain tree")
struct OverlayDifferentialTests {
    private static let sequences = "250"
    private static let operations = "10"

    @Test(
        "commit gives the tree that no jail would have given, rollback the one before", arguments: Layer.allCases, 1...4
    )
    func differential(_ layer: Layer, _ seed: Int) throws {
        let stage = try Stage()
        let copy = stage.scratch("copy")
        let words = ["\(seed * 1000)", Self.sequences]
        _ = try stage.python(OperationScripts.prepare, words)
        #expect(try execute(ProcessRequest(["/bin/cp", "-a", stage.workspace, copy])).code == 0)
        let before = try stage.describe()
        #expect(before == (try stage.describe(copy)))

        let commits = seed % 2 == 0
        var run = JailRun(
            ["/usr/bin/python3", "-c", OperationScripts.operate] + words + [Self.operations],
            policy: Policies.overlay(
                workspace: ["on_pass: \(commits ? "commit" : "keep")"], budgets: [layer.budget]))
        run.limit = 120
        let result = try stage.launch(run)
        #expect(result.code == 0, "\(result.account)")
        #expect(
            result.changes["layer"].text == layer.word,
            "\(result.changes["layer"])")
        let plain = try stage.python(OperationScripts.operate, words + [Self.operations], in: copy)
        #expect(
            result.process.out == plain,
            "\(differences(plain.split(separator: "\n"), result.process.out.split(separator: "\n")))")

        if !commits {
            #expect(before == (try stage.describe()), "changed before the commit")
            let committed = try stage.decide("commit", result)
            #expect(committed.code == 0, "\(committed.out)\(committed.err)")
        }
        let (wanted, got) = (try stage.describe(copy), try stage.describe())
        #expect(wanted == got, "seed \(seed)\n\(differences(wanted, got))")

        let proof = try stage.decide("rollback", result, ["--verify-only"])
        #expect(proof.code == 0, "\(proof.out)\(proof.err)")
        let undone = try stage.decide("rollback", result)
        #expect(undone.code == 0, "\(undone.out)\(undone.err)")
        let after = try stage.describe()
        #expect(before == after, "seed \(seed)\n\(differences(before, after))")
    }

    @Test("where the run directory can hold no layer: the same on a private copy", arguments: 1...2)
    func privateCopy(_ seed: Int) throws {
        let stage = try Stage()
        let place = try stage.scratch.directory("nest")
        let policy = try stage.scratch.file(
            "policy.yaml", Policies.overlay(workspace: ["on_pass: keep"], budgets: [Layer.disk.budget]))
        for (name, text) in [
            ("prepare", OperationScripts.prepare), ("operate", OperationScripts.operate),
            ("describe", OperationScripts.describe),
        ] { try Files.write(place + "/" + name, text) }
        // An overlay takes no other overlay as its upper layer.
        let mounting = """
            set -e; d=$1
            mkdir -p $d/l $d/u $d/w $d/m
            mount -t overlay o -o lowerdir=$d/l,upperdir=$d/u,workdir=$d/w,userxattr $d/m
            shift; exec "$@"
            """
        let script = """
            set -e
            d=$1 lj=$2 policy=$3 seed=$4 count=$5 run=$1/m/run
            mkdir $d/ws; cd $d/ws; python3 $d/prepare $seed $count; cp -a $d/ws $d/copy
            python3 $d/describe >$d/before
            $lj run --policy $policy --run-dir $run -- /usr/bin/python3 -c "$(cat $d/operate)" $seed $count 10 >$d/inside
            cp $run/report.json $d/report.json
            python3 $d/describe >$d/unchanged
            $lj commit $run
            python3 $d/describe >$d/got
            $lj rollback --verify-only $run
            $lj rollback $run
            python3 $d/describe >$d/after
            cd $d/copy; python3 $d/operate $seed $count 10 >$d/plain; python3 $d/describe >$d/wanted
            """
        // Only the mount needs to be root; an ordinary user is himself again for all that follows.
        let ids = ["--map-user=\(geteuid())", "--map-group=\(getegid())"]
        let back = Environment.isRoot ? [] : ["/usr/bin/unshare", "-U"] + ids
        var request = ProcessRequest(
            ["/usr/bin/unshare", Environment.isRoot ? "-m" : "-Urm", "/bin/sh", "-c", mounting, "sh", place] + back
                + ["/bin/sh", "-c", script, "sh", place, Environment.launchJail, policy, "\(seed * 77)", "60"],
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": stage.home, "XDG_STATE_HOME": stage.state],
            directory: stage.workspace)
        request.limit = 120
        let result = try execute(request)
        #expect(result.code == 0, "\(result.out)\(result.err)")
        let report = try JSON(parsing: try Files.read(place + "/report.json"))
        #expect(report["changes"]["layer"].text == "private copy")
        func lines(_ name: String) throws -> [Substring] { try Files.text(place + "/" + name).split(separator: "\n") }
        for (one, two) in [("plain", "inside"), ("before", "unchanged"), ("wanted", "got"), ("before", "after")] {
            let (left, right) = (try lines(one), try lines(two))
            #expect(left == right && !left.isEmpty, "\(one), \(two):\n\(differences(left, right))")
        }
    }
}
