/// Makes random trees and does random things to them, as steps do.
///
/// Arguments: `make DIRECTORY SEED`, `change DIRECTORY SEED`, or `overlay DIRECTORY FIRST COUNT`, which for each seed
/// makes `DIRECTORY/SEED/lower`, changes it through an overlay with the layer `upper`, and leaves what the step saw in
/// `out`. It must then run in a mount and user namespace of its own.
let randomSteps = #"""
    import ctypes, os, random, shutil, subprocess, sys

    NAMES = [b"a", b"b", b"c", b"d", b"\xff\xfe", b"new\nline"]

    def path(rng, depth=3):
        return b"/".join(rng.choice(NAMES) for _ in range(rng.randint(1, depth)))

    def content(rng):
        # Few different contents, so that equal files and renames come up; sometimes a hole.
        return rng.choice([b"", b"one\n", b"two\n", b"one\ntwo\n", bytes([rng.randrange(256)]) * rng.choice([1, 5000])])

    def existing(rng, root=b"."):
        found = []
        for top, folders, files in os.walk(root):
            found += [os.path.join(top, name)[2:] for name in folders + files]
        return rng.choice(sorted(found)) if found else path(rng)

    def write(rng, name, flags):
        file = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | flags, 0o644)
        os.write(file, content(rng))
        if rng.random() < 0.1: os.ftruncate(file, 200000)
        os.close(file)

    def remove(name):
        if os.path.isdir(name) and not os.path.islink(name): shutil.rmtree(name)
        else: os.unlink(name)

    def operation(rng):
        kind = rng.randrange(16)
        name, other = existing(rng), path(rng)
        if kind == 0: write(rng, other, os.O_CREAT)
        elif kind == 1: write(rng, name, os.O_TRUNC)
        elif kind == 2: write(rng, name, os.O_APPEND)
        elif kind == 3: os.rename(name, other)
        elif kind == 4 and not os.path.realpath(other).startswith(os.path.realpath(name)):
            shutil.move(os.fsdecode(name), os.fsdecode(other))
        elif kind == 5: os.link(name, other, follow_symlinks=False)
        elif kind == 6: os.symlink(rng.choice([b"a", b"b/c", b"/etc", b"../.."]), other)
        elif kind == 7 and not os.path.islink(name):
            os.chmod(name, rng.choice([0o644, 0o600, 0o755, 0o444, 0o1755]) | (0o111 if os.path.isdir(name) else 0))
        elif kind == 8: os.setxattr(name, "user.x", content(rng)[:100], follow_symlinks=False)
        elif kind == 9: os.removexattr(name, "user.x", follow_symlinks=False)
        elif kind == 10: remove(name)
        elif kind == 11: os.makedirs(other)
        elif kind == 12: remove(name); os.mkdir(name); write(rng, os.path.join(name, rng.choice(NAMES)), os.O_CREAT)
        elif kind == 13: remove(name); write(rng, name, os.O_CREAT)
        elif kind == 14: os.utime(name, ns=(0, rng.randrange(3) * 10**9 + 7), follow_symlinks=False)
        elif kind == 15: os.close(os.open(name, os.O_RDWR | os.O_NOFOLLOW))

    def change(directory, seed, count):
        rng = random.Random(seed)
        os.chdir(directory)
        for _ in range(count):
            try: operation(rng)
            except (OSError, shutil.Error): pass

    mode, directory = sys.argv[1], os.fsencode(sys.argv[2])
    if mode == "make":
        change(directory, int(sys.argv[3]), 40)
    elif mode == "change":
        change(directory, 1000000 + int(sys.argv[3]), 25)
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        for seed in range(int(sys.argv[3]), int(sys.argv[3]) + int(sys.argv[4])):
            here = os.path.join(directory, b"%d" % seed)
            for part in [b"", b"lower", b"upper", b"work", b"merged"]: os.mkdir(os.path.join(here, part))
            change(os.path.join(here, b"lower"), seed, 40)
            os.chdir(here)
            options = b"userxattr,lowerdir=lower,upperdir=upper,workdir=work"
            if libc.mount(b"overlay", b"merged", b"overlay", 0, options) != 0:
                sys.exit("cannot mount an overlay: " + os.strerror(ctypes.get_errno()))
            change(os.path.join(here, b"merged"), 1000000 + seed, 25)
            os.chdir(here)
            subprocess.run(["cp", "-a", "merged", "out"], check=True)
            if libc.umount(b"merged") != 0: sys.exit("cannot unmount")
    """#
