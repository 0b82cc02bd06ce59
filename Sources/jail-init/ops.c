// The ops of a plan: one op, one step that the supervisor can name when it fails.
#include "init.h"

static long open_tree(struct init *in, const struct cj_op *op) {
    const char *path = plan_string(in, op->p);
    unsigned flags = CJ_OPEN_TREE_CLONE | (unsigned)LJ_O_CLOEXEC;
    if (op->a & CJ_TREE_RECURSIVE) flags |= LJ_AT_RECURSIVE;
    if (!(op->a & CJ_TREE_FOLLOW)) flags |= LJ_AT_SYMLINK_NOFOLLOW;
    const long fd = SYS3(LJ_NR_open_tree, LJ_AT_FDCWD, path, flags);
    if (fd < 0) return fd;
    if (op->a & CJ_TREE_CHECK_IDENTITY) {
        struct { uint64_t words[32]; } status; // device and inode are the first two words
        clear(&status, sizeof status);
        const long error = SYS4(__NR_newfstatat, fd, "", &status, LJ_AT_EMPTY_PATH);
        if (error < 0) return error;
        // The supervisor verified a directory; something else stands at its path now.
        if (status.words[0] != op->b || status.words[1] != op->c) return -LJ_ESTALE;
    }
    in->slots[op->slot] = (int)fd;
    return 0;
}

static long set_attr(int fd, const char *path, uint64_t set, uint64_t clr, int recursive) {
    struct cj_mount_attr attr = {set, clr, 0, 0};
    const unsigned flags = (path[0] == 0 ? (unsigned)LJ_AT_EMPTY_PATH : 0U) | (recursive ? (unsigned)LJ_AT_RECURSIVE : 0U);
    return SYS5(LJ_NR_mount_setattr, fd, path, flags, &attr, sizeof attr);
}

static long attach(struct init *in, const struct cj_op *op) {
    int fd = in->slots[op->slot];
    if (fd < 0) return (op->flags & CJ_OP_OPTIONAL) ? 0 : -LJ_ENOENT;
    if (op->b & CJ_ATTACH_COPY) {
        const long copy = SYS3(LJ_NR_open_tree, fd, "",
                               CJ_OPEN_TREE_CLONE | (unsigned)LJ_O_CLOEXEC | LJ_AT_EMPTY_PATH | LJ_AT_RECURSIVE);
        if (copy < 0) return copy;
        fd = (int)copy;
    }
    long error = 0;
    if (op->a != 0) error = set_attr(fd, "", op->a, 0, (op->b & CJ_ATTACH_RECURSIVE_ATTR) != 0);
    if (error >= 0) {
        error = SYS5(LJ_NR_move_mount, fd, "", LJ_AT_FDCWD, plan_string(in, op->p), CJ_MOVE_MOUNT_F_EMPTY_PATH);
    }
    (void)SYS1(__NR_close, fd);
    if (!(op->b & CJ_ATTACH_COPY)) in->slots[op->slot] = -1;
    return error;
}

static long touch(const char *path, uint64_t mode) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, LJ_O_CREAT | LJ_O_WRONLY | LJ_O_NOFOLLOW | LJ_O_CLOEXEC, mode);
    if (fd < 0) return fd;
    return SYS1(__NR_close, fd);
}

static long write_file(const char *path, const char *text) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, LJ_O_WRONLY | LJ_O_CLOEXEC, 0);
    if (fd < 0) return fd;
    const long count = (long)length(text);
    const long wrote = SYS3(__NR_write, fd, text, count);
    (void)SYS1(__NR_close, fd);
    return wrote == count ? 0 : (wrote < 0 ? wrote : -LJ_EINVAL);
}

static long loopback_up(void) {
    const long fd = SYS3(__NR_socket, 2 /* AF_INET */, 2 | LJ_O_CLOEXEC, 0);
    if (fd < 0) return fd;
    struct { char name[16]; int16_t flags; char pad[22]; } request;
    clear(&request, sizeof request);
    request.name[0] = 'l';
    request.name[1] = 'o';
    request.flags = 1 | 64; // IFF_UP | IFF_RUNNING
    const long error = SYS3(__NR_ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, &request);
    (void)SYS1(__NR_close, fd);
    return error;
}

static long send_descriptor(uint32_t tag, long fd) {
    struct cj_msg message;
    clear(&message, sizeof message);
    message.kind = CJ_MSG_FD;
    message.index = tag;
    return send_message(&message, (int)fd);
}

static long send_path(const char *path, const struct cj_op *op) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, op->a | LJ_O_CLOEXEC | LJ_O_NOFOLLOW, 0);
    if (fd < 0) return fd;
    const long error = send_descriptor((uint32_t)op->b, fd);
    (void)SYS1(__NR_close, fd);
    return error;
}

// The pty lives in the jail's own devpts, so its number, its name and TIOCSTI on it stay inside.
static long make_pty(struct init *in) {
    const long master = SYS4(__NR_openat, LJ_AT_FDCWD, "/dev/pts/ptmx", LJ_O_RDWR | LJ_O_NOCTTY | LJ_O_CLOEXEC, 0);
    if (master < 0) return master;
    int unlock = 0;
    long error = SYS3(__NR_ioctl, master, 0x40045431 /* TIOCSPTLCK */, &unlock);
    if (error < 0) return error;
    const long slave = SYS3(__NR_ioctl, master, 0x5441 /* TIOCGPTPEER */, LJ_O_RDWR | LJ_O_NOCTTY | LJ_O_CLOEXEC);
    if (slave < 0) return slave;
    in->pty = (int)slave;
    error = send_descriptor(CJ_TAG_PTY, master);
    (void)SYS1(__NR_close, master);
    return error;
}

static long landlock_create(struct init *in, const struct cj_op *op) {
    struct cj_landlock_ruleset_attr attr = {op->a, op->b, op->c};
    // An older ABI knows a shorter struct; trailing zeros are accepted by every one of them.
    const size_t size = op->c != 0 ? 24 : (op->b != 0 ? 16 : 8);
    const long fd = SYS3(LJ_NR_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0) return fd;
    in->ruleset = (int)fd;
    return 0;
}

static long landlock_path(const struct init *in, const char *path, uint64_t access) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, LJ_O_PATH | LJ_O_CLOEXEC, 0);
    if (fd < 0) return fd;
    struct cj_landlock_path_attr attr = {access, (int32_t)fd};
    const long error = SYS4(LJ_NR_landlock_add_rule, in->ruleset, CJ_LL_RULE_PATH_BENEATH, &attr, 0);
    (void)SYS1(__NR_close, fd);
    return error;
}

static long set_ids(const struct cj_op *op) {
    // No group of the invoker comes along. Denied where the map was written without CAP_SETGID: the groups stay,
    // and none of them means anything in a root that shows no host sockets.
    const long error = SYS2(__NR_setgroups, 0, 0);
    if (error < 0 && error != -LJ_EPERM) return error;
    const long group = SYS3(__NR_setresgid, op->b, op->b, op->b);
    if (group < 0) return group;
    return SYS3(__NR_setresuid, op->a, op->a, op->a);
}

static long pivot(void) {
    long error = SYS2(__NR_pivot_root, ".", ".");
    if (error < 0) return error;
    // ORDER: the old root is stacked on the new one; detaching "." takes it off, and nothing of the host stays.
    error = SYS2(__NR_umount2, ".", LJ_MNT_DETACH);
    if (error < 0) return error;
    return SYS1(__NR_chdir, "/");
}

// tmpfs has user attributes since 6.6; without them an overlay would take changes and lose deletions.
static long probe_attribute(const char *path) {
    const char *name = "user.overlay.probe";
    const long error = SYS5(__NR_setxattr, path, name, "y", 1, 0);
    if (error < 0) return error;
    return SYS2(__NR_removexattr, path, name);
}

static long dispatch(struct init *in, const struct cj_op *op) {
    const char *p = plan_string(in, op->p);
    const char *q = plan_string(in, op->q);
    switch (op->kind) {
    case CJ_OP_SET_IDS: return set_ids(op);
    case CJ_OP_PRIVATE_MOUNTS: return SYS5(__NR_mount, 0, "/", 0, LJ_MS_REC | LJ_MS_PRIVATE, 0);
    case CJ_OP_OPEN_TREE: return open_tree(in, op);
    case CJ_OP_TMPFS: return SYS5(__NR_mount, "tmpfs", p, "tmpfs", op->a, q);
    case CJ_OP_CHDIR: return SYS1(__NR_chdir, p);
    case CJ_OP_MKDIR: return SYS3(__NR_mkdirat, LJ_AT_FDCWD, p, op->a);
    case CJ_OP_TOUCH: return touch(p, op->a);
    case CJ_OP_SYMLINK: return SYS3(__NR_symlinkat, p, LJ_AT_FDCWD, q);
    case CJ_OP_ATTACH: return attach(in, op);
    case CJ_OP_PROC: return SYS5(__NR_mount, "proc", p, "proc", op->a, 0);
    case CJ_OP_DEVPTS: return SYS5(__NR_mount, "devpts", p, "devpts", op->a, q);
    case CJ_OP_SET_ATTR: return set_attr(LJ_AT_FDCWD, p, op->a, op->b, op->c != 0);
    case CJ_OP_PIVOT: return pivot();
    case CJ_OP_WRITE: return write_file(p, q);
    case CJ_OP_LOOPBACK_UP: return loopback_up();
    case CJ_OP_HOSTNAME: return SYS2(__NR_sethostname, p, length(p));
    case CJ_OP_SEND_FD: return send_path(p, op);
    case CJ_OP_PTY: return make_pty(in);
    case CJ_OP_LANDLOCK_CREATE: return landlock_create(in, op);
    case CJ_OP_LANDLOCK_PATH: return landlock_path(in, p, op->a);
    case CJ_OP_SUBREAPER: return SYS5(__NR_prctl, 36 /* PR_SET_CHILD_SUBREAPER */, 1, 0, 0, 0);
    case CJ_OP_OVERLAY: return SYS5(__NR_mount, "overlay", p, "overlay", op->a, q);
    case CJ_OP_UNMOUNT: return SYS2(__NR_umount2, p, LJ_MNT_DETACH);
    case CJ_OP_RMDIR: return SYS3(__NR_unlinkat, LJ_AT_FDCWD, p, 0x200 /* AT_REMOVEDIR */);
    case CJ_OP_PROBE_ATTRIBUTE: return probe_attribute(p);
    default: return -LJ_EINVAL;
    }
}

long replay_op(struct init *in, const struct cj_op *op) {
    if (op->slot < 0 || op->slot >= CJ_MAX_SLOTS) return -LJ_EINVAL;
    const long error = dispatch(in, op);
    if (error == -LJ_EEXIST && (op->kind == CJ_OP_MKDIR || op->kind == CJ_OP_SYMLINK)) return 0;
    if (error == -LJ_ENOENT && (op->flags & CJ_OP_OPTIONAL)) return 0;
    return error < 0 ? error : 0;
}
