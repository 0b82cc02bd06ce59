// The job half: the fixed tail between fork and exec. Every step narrows what the next one may do.
#include "init.h"

static long prctl(long option, uint64_t a, uint64_t b, uint64_t c) {
    return SYS5(__NR_prctl, option, a, b, c, 0);
}

static void check(uint32_t tail, long result, uint32_t detail) {
    if (result < 0) fail(CJ_MSG_TAIL_FAILED, tail, result, detail);
}

static void set_terminal(const struct init *in) {
    if (in->pty < 0) return;
    for (int fd = 0; fd < 3; fd++) check(CJ_TAIL_TTY, SYS3(__NR_dup3, in->pty, fd, 0), (uint32_t)fd);
    check(CJ_TAIL_TTY, SYS3(__NR_ioctl, 0, 0x540E /* TIOCSCTTY */, 0), 3);
}

// Dispositions that are ignored survive an exec: the supervisor ignores SIGPIPE, the command must not.
static void reset_signals(void) {
    struct { uint64_t handler, flags, restorer, mask; } action;
    clear(&action, sizeof action);
    for (int signal = 1; signal <= 64; signal++) (void)SYS4(__NR_rt_sigaction, signal, &action, 0, 8);
    const uint64_t none = 0;
    (void)SYS4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8);
}

static void set_limits(const struct init *in) {
    const struct cj_rlimit *limits = (const struct cj_rlimit *)(in->plan + in->header->rlimit_offset);
    for (uint32_t i = 0; i < in->header->rlimit_count; i++) {
        const uint64_t pair[2] = {limits[i].soft, limits[i].hard};
        check(CJ_TAIL_RLIMIT, SYS4(__NR_prlimit64, 0, limits[i].resource, pair, 0), limits[i].resource);
    }
}

// The directory is opened inside the jail, without following a link, compared with what the supervisor verified, and
// entered by descriptor: a name that changed meanwhile cannot lead elsewhere.
static void enter_cwd(const struct init *in) {
    const struct cj_plan_header *h = in->header;
    struct cj_open_how how = {(uint64_t)(LJ_O_PATH | LJ_O_DIRECTORY | LJ_O_CLOEXEC), 0,
                              CJ_RESOLVE_NO_SYMLINKS | CJ_RESOLVE_NO_MAGICLINKS};
    const long fd = SYS4(LJ_NR_openat2, LJ_AT_FDCWD, plan_string(in, h->cwd_path), &how, sizeof how);
    check(CJ_TAIL_CWD, fd, 1);
    if (h->cwd_device != 0 || h->cwd_inode != 0) {
        struct { uint64_t words[32]; } status;
        clear(&status, sizeof status);
        check(CJ_TAIL_CWD, SYS4(__NR_newfstatat, fd, "", &status, LJ_AT_EMPTY_PATH), 2);
        if (status.words[0] != h->cwd_device || status.words[1] != h->cwd_inode) check(CJ_TAIL_CWD, -LJ_ESTALE, 3);
    }
    check(CJ_TAIL_CWD, SYS1(__NR_fchdir, fd), 4);
    (void)SYS1(__NR_close, fd);
}

static void drop_privileges(const struct init *in) {
    const struct cj_plan_header *h = in->header;
    check(CJ_TAIL_NO_NEW_PRIVS, prctl(38, 1, 0, 0), 0);
    if (h->flags & CJ_PLAN_LANDLOCK) {
        check(CJ_TAIL_LANDLOCK, SYS2(LJ_NR_landlock_restrict_self, in->ruleset, h->landlock_flags), 0);
    }
    check(CJ_TAIL_CAPABILITIES, prctl(47 /* PR_CAP_AMBIENT */, 4 /* CLEAR_ALL */, 0, 0), 1);
    if (h->flags & CJ_PLAN_SECUREBITS) {
        // ORDER: both need CAP_SETPCAP, so before the sets are emptied.
        for (uint32_t cap = 0; cap <= h->last_capability; cap++) check(CJ_TAIL_BOUNDING, prctl(24, cap, 0, 0), cap);
        check(CJ_TAIL_SECUREBITS, prctl(28, h->securebits, 0, 0), 0);
    }
    if (h->flags & CJ_PLAN_DROP_IDS_LATE) {
        check(CJ_TAIL_IDS, SYS2(__NR_setgroups, 0, 0), 0);
        check(CJ_TAIL_IDS, SYS3(__NR_setresgid, h->gid, h->gid, h->gid), 1);
        check(CJ_TAIL_IDS, SYS3(__NR_setresuid, h->uid, h->uid, h->uid), 2);
    }
    struct { uint32_t version; int32_t pid; } header = {0x20080522, 0};
    uint32_t sets[6];
    clear(sets, sizeof sets);
    check(CJ_TAIL_CAPABILITIES, SYS2(__NR_capset, &header, sets), 2);
}

static void load_filters(const struct init *in) {
    const struct cj_plan_header *h = in->header;
    for (uint32_t i = 0; i < h->filter_count; i++) {
        struct { uint16_t length; uint16_t pad[3]; const void *instructions; } program;
        clear(&program, sizeof program);
        program.length = (uint16_t)h->filters[i].length;
        program.instructions = in->plan + h->filters[i].offset;
        unsigned long flags = 0;
        if (h->filters[i].flags & CJ_FILTER_LISTENER) {
            flags = CJ_SECCOMP_FILTER_FLAG_NEW_LISTENER | CJ_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        }
        const long fd = SYS3(__NR_seccomp, 1 /* SET_MODE_FILTER */, flags, &program);
        check(CJ_TAIL_SECCOMP, fd, i);
        if (flags == 0) continue;
        struct cj_msg message;
        clear(&message, sizeof message);
        message.kind = CJ_MSG_FD;
        message.index = CJ_TAG_LISTENER;
        check(CJ_TAIL_LISTENER, send_message(&message, (int)fd), 0);
        (void)SYS1(__NR_close, fd);
    }
}

// Evidence, not claim: what the kernel says about this process after everything was applied.
static void report_applied(const struct init *in) {
    struct cj_msg message;
    clear(&message, sizeof message);
    message.kind = CJ_MSG_APPLIED;
    struct { uint32_t version; int32_t pid; } header = {0x20080522, 0};
    uint32_t sets[6];
    clear(sets, sizeof sets);
    check(CJ_TAIL_READ_BACK, SYS2(__NR_capget, &header, sets), 0);
    message.v[0] = sets[0] | (uint64_t)sets[3] << 32;
    message.v[1] = sets[1] | (uint64_t)sets[4] << 32;
    message.v[2] = sets[2] | (uint64_t)sets[5] << 32;
    for (uint32_t cap = 0; cap <= in->header->last_capability; cap++) {
        if (prctl(23 /* PR_CAPBSET_READ */, cap, 0, 0) == 1) message.v[3] |= 1ULL << cap;
        if (prctl(47 /* PR_CAP_AMBIENT */, 1 /* IS_SET */, cap, 0) == 1) message.v[4] |= 1ULL << cap;
    }
    message.v[5] = (uint64_t)prctl(39 /* PR_GET_NO_NEW_PRIVS */, 0, 0, 0);
    message.v[6] = (uint64_t)prctl(27 /* PR_GET_SECUREBITS */, 0, 0, 0);
    message.v[7] = prctl(21 /* PR_GET_SECCOMP */, 0, 0, 0) == 2 ? in->header->filter_count : 0;
    message.v[8] = (uint64_t)SYS0(__NR_getuid) << 32 | (uint64_t)SYS0(__NR_getgid);
    check(CJ_TAIL_READ_BACK, send_message(&message, -1), 1);
}

static void try_canaries(const struct init *in) {
    const struct cj_canary *canaries = (const struct cj_canary *)(in->plan + in->header->canary_offset);
    struct cj_msg message;
    clear(&message, sizeof message);
    message.kind = CJ_MSG_CANARIES;
    message.index = in->header->canary_count;
    int escaped = 0;
    for (uint32_t i = 0; i < in->header->canary_count; i++) {
        const long error = try_canary(in, &canaries[i]);
        message.v[i] = error < 0 ? (uint64_t)-error : 0;
        if (error >= 0) escaped = 1;
    }
    check(CJ_TAIL_CANARY, send_message(&message, -1), 0);
    // A jail that lets a canary through does not get the command.
    if (escaped) quit(125);
}

void run_job(struct init *in) {
    const struct cj_plan_header *h = in->header;
    check(CJ_TAIL_SETSID, SYS0(__NR_setsid), 0);
    set_terminal(in);
    (void)SYS1(__NR_umask, h->umask);
    set_limits(in);
    enter_cwd(in);
    reset_signals();
    drop_privileges(in);
    // The listener and the control socket must not reach the command; both are close-on-exec from here on.
    check(CJ_TAIL_CLOSE_RANGE, SYS3(LJ_NR_close_range, 3, ~0U, CJ_CLOSE_RANGE_CLOEXEC), 0);
    load_filters(in);
    report_applied(in);
    try_canaries(in);

    // argv and envp are tables of offsets; the pointers are made on this process's own stack mapping.
    const uint32_t *argv = (const uint32_t *)(in->plan + h->argv_offset);
    const uint32_t *envp = (const uint32_t *)(in->plan + h->envp_offset);
    const size_t count = (size_t)h->argc + h->envc + 2;
    const long table = SYS6(__NR_mmap, 0, count * sizeof(char *), 3, 0x22 /* PRIVATE | ANONYMOUS */, -1, 0);
    if (table < 0 && table > -4096) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_EXEC, table, 1);
    const char **pointers = (const char **)table;
    for (uint32_t i = 0; i < h->argc; i++) pointers[i] = plan_string(in, argv[i]);
    pointers[h->argc] = 0;
    const char **environment = pointers + h->argc + 1;
    for (uint32_t i = 0; i < h->envc; i++) environment[i] = plan_string(in, envp[i]);
    environment[h->envc] = 0;
    *in->phase = PHASE_EXECUTING;
    const long error = SYS3(__NR_execve, plan_string(in, h->exec_path), pointers, environment);
    *in->phase = PHASE_SETTING_UP;
    fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_EXEC, error, 0);
}
