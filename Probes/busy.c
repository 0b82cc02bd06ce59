// busy WHAT [ARG…]: uses up one resource, for the tests of budgets, and tells how far it came.
// Exit 0: all of it was had. 10: the kernel refused the rest. 20: wrong usage.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { ALL = 0, LESS = 10, USAGE = 20 };

// Nothing that this program starts lives longer than this.
#define LIFETIME 40

// A child that ends with its parent, and in any case: a fork keeps neither alarm nor death signal.
static pid_t start_child(void) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        alarm(LIFETIME);
    }
    return child;
}

static int stopped(const char *what, long reached) {
    printf("%s stopped at %ld: %s\n", what, reached, strerrorname_np(errno));
    fflush(stdout);
    return LESS;
}

static int done(const char *what, long reached) {
    printf("%s reached %ld\n", what, reached);
    fflush(stdout);
    return ALL;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void burn(double seconds) {
    volatile uint64_t work = 1;
    while (cpu_seconds() < seconds)
        for (int i = 0; i < 100000; i++) work = work * 6364136223846793005u + 1;
}

static int use_cpu(char **argv) {
    burn(atof(argv[0]));
    return done("cpu", atol(argv[0]));
}

// The parent ignores SIGCHLD, so the kernel never adds the children's time to anybody's.
static int use_cpu_unseen(char **argv) {
    signal(SIGCHLD, SIG_IGN);
    long children = atol(argv[0]);
    for (long i = 0; i < children; i++) {
        pid_t child = start_child();
        if (child < 0) return stopped("fork", i);
        if (child == 0) {
            burn(atof(argv[1]));
            _exit(0);
        }
    }
    // Until the last child is gone.
    while (wait(NULL) > 0 || errno != ECHILD) continue;
    return done("children", children);
}

// Many short children one after the other, each below what a poll would see.
static int use_cpu_in_slices(char **argv) {
    signal(SIGCHLD, SIG_IGN);
    double until = atof(argv[0]), each = atof(argv[1]);
    long count = 0;
    for (double used = 0; used < until; used += each, count++) {
        pid_t child = start_child();
        if (child < 0) return stopped("fork", count);
        if (child == 0) {
            burn(each);
            _exit(0);
        }
        while (wait(NULL) > 0 || errno != ECHILD) continue;
    }
    return done("slices", count);
}

static int touch_pages(char *at, long size) {
    for (long i = 0; i < size; i += 4096) at[i] = (char)i;
    return 0;
}

static int hold_memory(const char *kind, long size, const char *path) {
    const int share = strcmp(kind, "anon") == 0 ? MAP_PRIVATE : MAP_SHARED;
    if (strcmp(kind, "anon") == 0 || strcmp(kind, "shared") == 0) {
        char *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, share | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return -1;
        return touch_pages(at, size);
    }
    int fd = strcmp(kind, "memfd") == 0 ? memfd_create("busy", MFD_CLOEXEC)
                                        : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (long used = 0; used < size; used += (long)sizeof block)
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block) return -1;
    return 0;
}

// memory KIND MIB [PATH]: takes it, then keeps it until the end of its life or the supervisor's patience.
static int use_memory(char **argv) {
    signal(SIGXFSZ, SIG_IGN);
    long size = atol(argv[1]) << 20;
    if (strcmp(argv[0], "children") == 0) {
        for (int i = 0; i < 4; i++) {
            pid_t child = start_child();
            if (child < 0) return stopped("fork", i);
            if (child == 0) {
                if (hold_memory("anon", size / 4, NULL) != 0) _exit(LESS);
                for (;;) pause();
            }
        }
    } else if (hold_memory(argv[0], size, argv[2]) != 0) {
        return stopped("memory", 0);
    }
    if (getenv("BUSY_NO_HOLD")) return done("memory", size >> 20);
    printf("memory held\n");
    fflush(stdout);
    for (;;) pause();
}

// At the limit: gives up, or waits for what happens when the third word says so.
static int at_limit(char **argv, const char *what, long reached) {
    int result = stopped(what, reached);
    if (argv[1] && strcmp(argv[1], "hold") == 0)
        for (;;) pause();
    return result;
}

static int use_processes(char **argv) {
    long count = atol(argv[0]);
    for (long i = 0; i < count; i++) {
        pid_t child = start_child();
        if (child < 0) return at_limit(argv, "fork", i);
        if (child == 0) {
            for (;;) pause();
        }
    }
    return done("fork", count);
}

static void *wait_forever(void *unused) {
    for (;;) pause();
    return unused;
}

static int use_threads(char **argv) {
    long count = atol(argv[0]);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, &attributes, wait_forever, NULL);
        if (error != 0) {
            errno = error;
            return at_limit(argv, "threads", i);
        }
    }
    return done("threads", count);
}

static int use_files(char **argv) {
    long count = atol(argv[0]);
    for (long i = 0; i < count; i++)
        if (dup(0) < 0 && open("/dev/null", O_RDONLY) < 0) return stopped("files", i);
    return done("files", count);
}

static bool put(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

// output BYTES [FD [SEED]]: every byte value, in an order that depends on the seed only.
static int write_output(char **argv) {
    long size = atol(argv[0]);
    int fd = argv[1] ? atoi(argv[1]) : 1;
    uint64_t state = argv[1] && argv[2] ? (uint64_t)atol(argv[2]) : 1;
    static char block[65536];
    for (long used = 0; used < size;) {
        for (size_t i = 0; i < sizeof block; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            block[i] = (char)(state >> 56);
        }
        long want = size - used < (long)sizeof block ? size - used : (long)sizeof block;
        if (!put(fd, block, (size_t)want)) return LESS;
        used += want;
    }
    return ALL;
}

static int write_file(char **argv) {
    signal(SIGXFSZ, SIG_IGN);
    int fd = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return stopped("open", 0);
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    long size = atol(argv[1]);
    for (long used = 0; used < size;) {
        long want = size - used < (long)sizeof block ? size - used : (long)sizeof block;
        ssize_t written = write(fd, block, (size_t)want);
        if (written <= 0) return stopped("file", used);
        used += written;
    }
    return done("file", size);
}

static volatile sig_atomic_t caught;

static void on_signal(int number) { caught = number; }

// await SIGNAL EXIT: says "ready", waits for the signal, leaves with the code.
static int await_signal(char **argv) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(atoi(argv[0]), &action, NULL);
    put(1, "ready\n", 6);
    while (!caught) pause();
    return atoi(argv[1]);
}

// stubborn: says "ready" and ignores every signal that can be ignored.
static int stay(char **argv) {
    (void)argv;
    for (int s = 1; s < 32; s++)
        if (s != SIGALRM) signal(s, SIG_IGN);
    put(1, "ready\n", 6);
    for (;;) pause();
    return ALL;
}

static int sleep_for(char **argv) {
    struct timespec length = {.tv_sec = (time_t)atof(argv[0])};
    length.tv_nsec = (long)((atof(argv[0]) - (double)length.tv_sec) * 1e9);
    nanosleep(&length, NULL);
    return ALL;
}

static int count_arguments(char **argv) {
    long count = 0, bytes = 0;
    for (; argv[count]; count++) bytes += (long)strlen(argv[count]) + 1;
    printf("%ld arguments, %ld bytes\n", count, bytes);
    return ALL;
}

static int describe_terminal(char **argv) {
    (void)argv;
    struct winsize size = {0};
    ioctl(0, TIOCGWINSZ, &size);
    char name[256] = "none";
    ttyname_r(0, name, sizeof name);
    printf(
        "tty=%d%d%d rows=%d columns=%d foreground=%d name=%s\n", isatty(0), isatty(1), isatty(2), size.ws_row,
        size.ws_col, tcgetpgrp(0) == getpgrp(), name);
    return ALL;
}

static int describe_ids(char **argv) {
    (void)argv;
    printf("uid=%d euid=%d gid=%d egid=%d groups=%d pid=%d ppid=%d sid=%d\n", getuid(), geteuid(), getgid(),
           getegid(), getgroups(0, NULL), getpid(), getppid(), getsid(0));
    return ALL;
}

// Which signals arrived blocked or ignored: an exec resets neither.
static int describe_signals(char **argv) {
    (void)argv;
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    int bad = 0;
    for (int s = 1; s < 65; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) != 0) continue;
        if (action.sa_handler == SIG_IGN) bad += printf("ignored %d\n", s) > 0;
        if (sigismember(&blocked, s) == 1) bad += printf("blocked %d\n", s) > 0;
    }
    printf("%d signals are not as they should be\n", bad);
    return bad == 0 ? ALL : LESS;
}

struct task {
    const char *name;
    int words;
    int (*run)(char **argv);
};

static const struct task tasks[] = {
    {"cpu", 1, use_cpu},
    {"cpu-unseen", 2, use_cpu_unseen},
    {"cpu-slices", 2, use_cpu_in_slices},
    {"memory", 2, use_memory},
    {"fork", 1, use_processes},
    {"threads", 1, use_threads},
    {"files", 1, use_files},
    {"output", 1, write_output},
    {"file", 2, write_file},
    {"await", 2, await_signal},
    {"stubborn", 0, stay},
    {"sleep", 1, sleep_for},
    {"arguments", 0, count_arguments},
    {"terminal", 0, describe_terminal},
    {"ids", 0, describe_ids},
    {"signals", 0, describe_signals},
};

int main(int argc, char **argv) {
    if (argc < 2) return USAGE;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        if (strcmp(tasks[i].name, argv[1]) != 0) continue;
        if (argc - 2 < tasks[i].words) break;
        alarm(LIFETIME);
        int result = tasks[i].run(argv + 2);
        return result;
    }
    fprintf(stderr, "busy: wrong usage\n");
    return USAGE;
}
