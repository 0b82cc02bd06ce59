/// Programs in Python that make, change and describe trees: the same text runs in the jail and beside it.
enum OperationScripts {
    /// `prepare SEED SEQUENCES`: one small tree for each sequence, in the current directory.
    static let prepare = #"""
        import os, random, sys
        os.umask(0o022)
        seed, sequences = int(sys.argv[1]), int(sys.argv[2])
        random.seed(seed)
        def stamp(path):
            ns = 1_500_000_000_000_000_000 + random.randrange(10**15)
            os.utime(path, ns=(ns, ns), follow_symlinks=False)
        def write(path, data):
            with open(path, "wb") as f: f.write(data)
            stamp(path)
        for n in range(sequences):
            top = b"s%04d/" % n
            for name in (b"", b"a", b"a/b", b"a/b/c", b"empty", b"od\nd \xff"): os.makedirs(top + name, exist_ok=True)
            for name in (b"f", b"a/f", b"a/b/f", b"a/b/g", b"od\nd \xff/\xfe\x80 x"):
                write(top + name, b"".join(b"line %d of %d\n" % (i, random.randrange(1000)) for i in range(8)))
            write(top + b"a/binary", random.randbytes(300))
            for name, text in ((b"l", b"f"), (b"a/dangling", b"/nowhere/at all"), (b"a/up", b"../empty")):
                os.symlink(text, top + name)
                stamp(top + name)
        """#

    /// `operate SEED SEQUENCES OPERATIONS`: random changes to each of the trees, and a line for what each came to.
    ///
    /// Times are set from the seed. Modes leave the owner what he needs: beside the jail root would not be held by them.
    static let operate = #"""
        import errno, os, random, shutil, stat, sys
        os.umask(0o022)
        seed, sequences, operations = map(int, sys.argv[1:4])
        random.seed(seed + 1)
        def stamp(path):
            ns = 1_600_000_000_000_000_000 + random.randrange(10**15)
            os.utime(path, ns=(ns, ns), follow_symlinks=False)
        def lines(count): return b"".join(b"%d\n" % random.randrange(10**6) for _ in range(count))
        def everything(top):
            files, dirs = [], []
            for here, below, names in os.walk(top):
                below.sort()
                for name in sorted(names) + below:
                    path = here + b"/" + name
                    is_dir = stat.S_ISDIR(os.lstat(path).st_mode)
                    (dirs if is_dir else files).append(path)
            return sorted(files), sorted(dirs)
        def regular(paths): return [p for p in paths if stat.S_ISREG(os.lstat(p).st_mode)]
        def pick(paths):
            if not paths: raise OSError(errno.ENOENT, "nothing")
            return random.choice(paths)
        def fresh(top, dirs):
            word = random.choice([b"n", b"new name", b"x\ny", b"\xff\xfe", b".dot", b"-dash", b"\xc3\xa9", b"q\"\\", b"w" * 200])
            return random.choice(dirs + [top]) + b"/" + word + b"%d" % random.randrange(4)
        def shared(path):
            for here, _, names in os.walk(path):
                if any(os.lstat(here + b"/" + n).st_nlink > 1 for n in names): return True
            return False
        def move(old, new):
            # What mv(1) does: a directory of a lower layer cannot be renamed, but copied.
            if stat.S_ISDIR(os.lstat(old).st_mode) and shared(old): raise OSError(errno.EMLINK, "links inside")
            try:
                os.rename(old, new)
            except OSError as e:
                if e.errno != errno.EXDEV: raise
                if os.path.lexists(new): os.rmdir(new)
                shutil.copytree(old, new, symlinks=True)
                shutil.rmtree(old)
        def content(path, mode, data, at=None):
            with open(path, mode) as f:
                if at is not None: f.seek(at)
                f.write(data)
            stamp(path)
        def remove(path):
            if stat.S_ISDIR(os.lstat(path).st_mode): shutil.rmtree(path)
            else: os.unlink(path)
        def step(top, kind):
            files, dirs = everything(top)
            whole = regular(files)
            if kind == "create": content(fresh(top, dirs), "xb", lines(random.randrange(6)))
            elif kind == "write": content(pick(whole), "wb", lines(random.randrange(1, 9)))
            elif kind == "append": content(pick(whole), "ab", lines(random.randrange(1, 4)))
            elif kind == "patch": content(pick(whole), "r+b", random.randbytes(5), random.randrange(100))
            elif kind == "same":
                path = pick(whole)
                with open(path, "rb") as f: data = f.read()
                content(path, "wb", data)
            elif kind == "truncate":
                path = pick(whole)
                os.truncate(path, random.choice([0, 1, 50, 5000]))
                stamp(path)
            elif kind == "sparse":
                path = fresh(top, dirs)
                content(path, "xb", b"end", random.choice([70_000, 300_001]))
                os.truncate(path, 400_000)
                stamp(path)
            elif kind == "mkdir": os.makedirs(fresh(top, dirs) + random.choice([b"", b"/deep/er"]))
            elif kind == "rename":
                old, new = pick(files), random.choice([fresh(top, dirs), pick(files)])
                # One link over the other does nothing, for which an overlay may say ESTALE.
                if os.lstat(old).st_nlink > 1: raise OSError(errno.EMLINK, "a link")
                os.rename(old, new)
            elif kind == "tree":
                new = fresh(top, dirs)
                os.mkdir(new)
                content(new + b"/in", "xb", lines(3))
                os.rename(new, new + b"-moved")
            elif kind == "move": move(pick(dirs), random.choice([fresh(top, dirs), pick(dirs)]))
            elif kind == "link": os.link(pick(whole), fresh(top, dirs), follow_symlinks=False)
            elif kind == "symlink":
                path = fresh(top, dirs)
                os.symlink(random.choice([b"f", b"../f", b"no\xff where", b"t" * 500]), path)
                stamp(path)
            elif kind == "retarget":
                path = pick([p for p in files if stat.S_ISLNK(os.lstat(p).st_mode)])
                os.unlink(path)
                os.symlink(b"elsewhere", path)
                stamp(path)
            elif kind == "atomic":
                path = pick(whole)
                content(path + b".new", "xb", lines(4))
                os.rename(path + b".new", path)
            elif kind == "chmod": os.chmod(pick(whole), random.choice([0o600, 0o644, 0o664, 0o755, 0o640]))
            elif kind == "chmod-dir": os.chmod(pick(dirs), random.choice([0o700, 0o755, 0o750, 0o775]))
            elif kind == "xattr":
                path = pick(whole + dirs)
                os.setxattr(path, b"user.test%d" % random.randrange(2), random.randbytes(random.randrange(20)))
            elif kind == "unxattr":
                path = pick(whole + dirs)
                for name in sorted(os.listxattr(path)):
                    if name.startswith("user.test"): os.removexattr(path, name)
            elif kind == "times": stamp(pick(files))
            elif kind == "delete": os.unlink(pick(files))
            elif kind == "delete-tree": shutil.rmtree(pick(dirs))
            elif kind == "dir-to-file":
                path = pick(dirs)
                shutil.rmtree(path)
                content(path, "xb", lines(2))
            elif kind == "file-to-dir":
                path = pick(files)
                os.unlink(path)
                os.mkdir(path)
                content(path + b"/inside", "xb", lines(2))
            elif kind == "dir-again":
                path = pick(dirs)
                shutil.rmtree(path)
                os.mkdir(path)
                if random.random() < 0.5: content(path + b"/again", "xb", lines(2))
            elif kind == "dir-and-back":
                path = pick(dirs)
                shutil.rmtree(path)
                content(path, "xb", lines(2))
                os.unlink(path)
                os.mkdir(path)
            elif kind == "swap":
                one, two = pick(whole), pick(whole)
                if one != two and os.lstat(one).st_nlink == os.lstat(two).st_nlink == 1:
                    os.rename(one, one + b"~")
                    os.rename(two, one)
                    os.rename(one + b"~", two)
        kinds = """create create write append patch same truncate sparse mkdir rename rename tree move move link symlink
            retarget atomic chmod chmod-dir xattr unxattr times delete delete delete-tree dir-to-file file-to-dir
            dir-again dir-and-back swap""".split()
        for n in range(sequences):
            top = b"s%04d" % n
            for i in range(operations):
                kind = random.choice(kinds)
                try:
                    step(top, kind)
                    print(n, i, kind)
                except OSError as e:
                    print(n, i, kind, errno.errorcode.get(e.errno, e.errno))
                except shutil.Error as e:
                    print(n, i, kind, "copy", e)
        """#

    /// `describe [DIRECTORY]`: a line for each object with all that a commit and a rollback keep.
    static let describe = #"""
        import hashlib, os, stat, sys
        root = os.fsencode(sys.argv[1]) if len(sys.argv) > 1 else b"."
        groups, out = {}, []
        def visit(path, shown):
            s = os.lstat(path)
            kind = stat.S_IFMT(s.st_mode)
            words = [repr(shown), oct(s.st_mode), s.st_uid, s.st_gid]
            if kind == stat.S_IFREG:
                with open(path, "rb") as f: words += [s.st_size, hashlib.sha256(f.read()).hexdigest()[:16]]
                if s.st_nlink > 1: words.append("links " + repr(groups.setdefault(s.st_ino, shown)))
            if kind == stat.S_IFLNK: words.append(repr(os.readlink(path)))
            else:
                words += [(n, os.getxattr(path, n)) for n in sorted(os.listxattr(path)) if n.startswith("user.")]
            if kind != stat.S_IFDIR: words.append(s.st_mtime_ns)
            out.append(" ".join(map(str, words)))
            if kind == stat.S_IFDIR:
                for name in sorted(os.listdir(path)): visit(path + b"/" + name, shown + b"/" + name)
        visit(root, b"")
        print("\n".join(out))
        """#
}
