// Init after the command has started: reap, forward signals, kill what is left, tell how it ended.
#include "init.h"

struct usage {
    struct { int64_t sec, usec; } user, system;
    int64_t max_rss;
    int64_t rest[13];
};

static void report_exit(long status, uint64_t orphans) {
    struct usage usage;
    clear(&usage, sizeof usage);
    (void)SYS2(__NR_getrusage, -1 /* RUSAGE_CHILDREN */, &usage);
    struct cj_msg message;
    clear(&message, sizeof message);
    message.kind = CJ_MSG_EXITED;
    message.error = (int32_t)status;
    message.v[0] = (uint64_t)usage.user.sec * 1000000ULL + (uint64_t)usage.user.usec;
    message.v[1] = (uint64_t)usage.system.sec * 1000000ULL + (uint64_t)usage.system.usec;
    message.v[2] = (uint64_t)usage.max_rss;
    message.v[3] = orphans;
    (void)send_message(&message, -1);
}

// Both guards of main.c hold here: this is pid 1 of a pid namespace that is not the supervisor's.
static void kill_everything(const struct init *in) {
    if ((in->header->flags & CJ_PLAN_PID_NAMESPACE) != 0 && SYS0(__NR_getpid) == 1) {
        (void)SYS2(__NR_kill, -1, LJ_SIGKILL);
    }
}

#define MAX_CHILDREN 4096

// Reads the children of this process (CONFIG_PROC_CHILDREN). Without a pid namespace only they can be named safely.
static uint32_t read_children(int32_t *pids) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, "/proc/thread-self/children", LJ_O_RDONLY | LJ_O_CLOEXEC, 0);
    if (fd < 0) return 0;
    uint32_t count = 0;
    int32_t value = 0;
    char buffer[4096];
    long got;
    while ((got = SYS3(__NR_read, fd, buffer, sizeof buffer)) > 0) {
        for (long i = 0; i < got; i++) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                value = value * 10 + (buffer[i] - '0');
            } else if (value > 0) {
                if (count < MAX_CHILDREN) pids[count++] = value;
                value = 0;
            }
        }
    }
    if (value > 0 && count < MAX_CHILDREN) pids[count++] = value;
    (void)SYS1(__NR_close, fd);
    return count;
}

// A subreaper's way: every orphan becomes our child, so stop and kill children until none is left.
static uint64_t kill_children(void) {
    static int32_t pids[MAX_CHILDREN];
    uint64_t killed = 0;
    for (;;) {
        const uint32_t count = read_children(pids);
        // ORDER: stop all before killing any, so that a fork bomb cannot outrun the walk.
        for (uint32_t i = 0; i < count; i++) (void)SYS2(__NR_kill, pids[i], LJ_SIGSTOP);
        for (uint32_t i = 0; i < count; i++) (void)SYS2(__NR_kill, pids[i], LJ_SIGKILL);
        int status = 0;
        // ORDER: block only for a child that was just killed. Its own children become ours when it dies, and the list
        // is read again before anything waits for them.
        long pid = count > 0 ? SYS4(__NR_wait4, -1, &status, 0x40000000 /* __WALL */, 0) : 0;
        if (pid > 0) killed++;
        while ((pid = SYS4(__NR_wait4, -1, &status, 1 | 0x40000000, 0)) > 0) killed++;
        if (pid == -LJ_ECHILD) return killed;
        if (count == 0) {
            // Children there are, but their list cannot be read: look again in a millisecond.
            const struct { int64_t sec, nsec; } pause = {0, 1000000};
            (void)SYS5(__NR_ppoll, 0, 0, &pause, 0, 8);
        }
    }
}

__attribute__((noreturn)) static void finish(struct init *in, long status) {
    uint64_t orphans = 0;
    if (in->header->flags & CJ_PLAN_PID_NAMESPACE) {
        kill_everything(in);
        int left = 0;
        long pid;
        // ORDER: reap before reporting; what a dying namespace kills is missing from init's rusage.
        while ((pid = SYS4(__NR_wait4, -1, &left, 0x40000000 /* __WALL */, 0)) > 0 || pid == -LJ_EINTR) {
            if (pid > 0) orphans++;
        }
    } else {
        orphans = kill_children();
    }
    report_exit(status, orphans);
    quit(0);
}

// Reaps what has died; ends init when the command itself is among it.
static void reap_dead(struct init *in, long job) {
    int status = 0;
    long pid;
    while ((pid = SYS4(__NR_wait4, -1, &status, 1 | 0x40000000 /* WNOHANG | __WALL */, 0)) > 0) {
        if (pid == job) finish(in, status);
    }
}

// The command became a session and a group of its own, so its group is -job.
static void obey(struct init *in, long job) {
    struct cj_msg message;
    const long got = SYS6(__NR_recvfrom, CJ_FD_CONTROL, &message, sizeof message, 0, 0, 0);
    if (got == -LJ_EINTR || got == -LJ_EAGAIN) return;
    if (got != (long)sizeof message) {
        // The supervisor is gone. In a pid namespace our exit takes everything along; elsewhere we do it by hand.
        if (!(in->header->flags & CJ_PLAN_PID_NAMESPACE)) (void)kill_children();
        quit(125);
    }
    if (message.kind == CJ_MSG_SIGNAL && message.index > 0 && message.index <= 64) {
        (void)SYS2(__NR_kill, -job, message.index);
        // A stopped process would never see a signal that asks it to end.
        if (message.index != LJ_SIGSTOP) (void)SYS2(__NR_kill, -job, LJ_SIGCONT);
    } else if (message.kind == CJ_MSG_KILL) {
        if (in->header->flags & CJ_PLAN_PID_NAMESPACE) {
            kill_everything(in);
        } else {
            // The job's end makes finish() hunt the rest.
            (void)SYS2(__NR_kill, -job, LJ_SIGKILL);
            (void)SYS2(__NR_kill, job, LJ_SIGKILL);
        }
    }
}

// To kill processes of the same user takes no capability; where the job became another user it takes CAP_KILL.
static void drop_capabilities(const struct init *in) {
    struct { uint32_t version; int32_t pid; } header = {0x20080522, 0};
    uint32_t sets[6];
    clear(sets, sizeof sets);
    if (in->header->flags & CJ_PLAN_DROP_IDS_LATE) sets[0] = sets[1] = 1U << 5;
    (void)SYS2(__NR_capset, &header, sets);
}

void reap(struct init *in, long job) {
    int status = 0;
    if (*in->phase != PHASE_EXECUTING) {
        // The job half has told why it did not come to its exec; there is nothing more to say.
        (void)SYS4(__NR_wait4, job, &status, 0, 0);
        quit(125);
    }
    struct cj_msg started;
    clear(&started, sizeof started);
    started.kind = CJ_MSG_STARTED;
    started.v[0] = in->started;
    started.v[1] = in->ready;
    started.v[2] = monotonic_ns();
    started.v[3] = (uint64_t)job;
    if (send_message(&started, -1) < 0) quit(125);
    // ORDER: after the exec; the command's pipes must close when the command does.
    for (int fd = 0; fd < 3; fd++) (void)SYS1(__NR_close, fd);
    if (in->pty >= 0) (void)SYS1(__NR_close, in->pty);
    (void)SYS5(__NR_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0);
    drop_capabilities(in);

    const uint64_t child_signal = 1ULL << (LJ_SIGCHLD - 1);
    const long signals = SYS4(__NR_signalfd4, -1, &child_signal, 8, LJ_O_CLOEXEC | 04000 /* SFD_NONBLOCK */);
    if (signals < 0) quit(125);
    for (;;) {
        // ORDER: reap before waiting; the command may have ended before the signalfd existed.
        reap_dead(in, job);
        struct { int32_t fd; int16_t events, revents; } watched[2] = {{CJ_FD_CONTROL, 1, 0}, {(int32_t)signals, 1, 0}};
        const long ready = SYS5(__NR_ppoll, watched, 2, 0, 0, 8);
        if (ready < 0 && ready != -LJ_EINTR) quit(125);
        if (watched[1].revents) {
            uint8_t drained[128];
            (void)SYS3(__NR_read, signals, drained, sizeof drained);
        }
        if (watched[0].revents) obey(in, job);
    }
}
