// P4, P5, P6: reading, steering and signalling processes that are not the command's own.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// "parent", or a number.
static pid_t target(const char *word) {
    return strcmp(word, "parent") == 0 ? getppid() : (pid_t)number(word);
}

// SEIZE does not stop the target, and the attachment ends with the probe.
static int trace(int argc, char **argv) {
    (void)argc;
    return judge(ptrace(PTRACE_SEIZE, target(argv[0]), NULL, NULL), "ptrace(PTRACE_SEIZE)");
}

static int trace_child(int argc, char **argv) {
    (void)argc;
    (void)argv;
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        pause();
        _exit(0);
    }
    long result = ptrace(PTRACE_SEIZE, child, NULL, NULL);
    int error = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    errno = error;
    return judge(result, "ptrace of a child");
}

static int trace_me(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "ptrace(PTRACE_TRACEME)");
}

// An address that is mapped nowhere: the permission is checked first, so EFAULT says that reading would have worked.
static int read_memory(int argc, char **argv) {
    (void)argc;
    char byte;
    struct iovec local = {.iov_base = &byte, .iov_len = 1};
    struct iovec remote = {.iov_base = (void *)4096, .iov_len = 1};
    long got = process_vm_readv(target(argv[0]), &local, 1, &remote, 1, 0);
    if (got < 0 && errno == ESRCH) return refused("process_vm_readv");
    return judge_reached(got, "process_vm_readv");
}

static int write_memory(int argc, char **argv) {
    (void)argc;
    char byte = 0;
    struct iovec local = {.iov_base = &byte, .iov_len = 1};
    struct iovec remote = {.iov_base = (void *)4096, .iov_len = 1};
    long put = process_vm_writev(target(argv[0]), &local, 1, &remote, 1, 0);
    if (put < 0 && errno == ESRCH) return refused("process_vm_writev");
    return judge_reached(put, "process_vm_writev");
}

static int open_memory(int argc, char **argv) {
    (void)argc;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", target(argv[0]));
    return judge(open(path, O_RDWR | O_CLOEXEC), "open of /proc/PID/mem");
}

static int steal_descriptor(int argc, char **argv) {
    (void)argc;
    long pidfd = syscall(SYS_pidfd_open, target(argv[0]), 0);
    if (pidfd < 0) return refused("pidfd_open");
    return judge(syscall(SYS_pidfd_getfd, pidfd, 0, 0), "pidfd_getfd");
}

static int compare(int argc, char **argv) {
    (void)argc;
    return judge(syscall(SYS_kcmp, getpid(), target(argv[0]), KCMP_VM, 0, 0), "kcmp");
}

static int advise(int argc, char **argv) {
    (void)argc;
    long pidfd = syscall(SYS_pidfd_open, target(argv[0]), 0);
    if (pidfd < 0) return refused("pidfd_open");
    struct iovec none = {.iov_base = NULL, .iov_len = 0};
    return judge_reached(syscall(SYS_process_madvise, pidfd, &none, 1, 20, 0), "process_madvise");
}

// Signal 0 asks whether a signal could be sent, and sends none.
static int signal_process(int argc, char **argv) {
    (void)argc;
    return judge(kill(target(argv[0]), 0), "kill");
}

static int signal_thread(int argc, char **argv) {
    (void)argc;
    pid_t pid = target(argv[0]);
    return judge(syscall(SYS_tgkill, pid, pid, 0), "tgkill");
}

static int signal_everybody(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(kill(-1, 0), "kill(-1)");
}

static int signal_group(int argc, char **argv) {
    (void)argc;
    return judge(kill(-target(argv[0]), 0), "kill of a process group");
}

static int signal_by_pidfd(int argc, char **argv) {
    (void)argc;
    long pidfd = syscall(SYS_pidfd_open, target(argv[0]), 0);
    if (pidfd < 0) return refused("pidfd_open");
    return judge(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), "pidfd_send_signal");
}

static int own_signal(int argc, char **argv) {
    (void)argc;
    int ends[2];
    if (pipe(ends) != 0) return broken("pipe");
    return judge(fcntl(ends[0], F_SETOWN, target(argv[0])), "fcntl(F_SETOWN)");
}

static int read_affinity(int argc, char **argv) {
    (void)argc;
    cpu_set_t set;
    pid_t pid = target(argv[0]);
    if (sched_getaffinity(pid, sizeof set, &set) != 0) return refused("sched_getaffinity");
    return judge(sched_setaffinity(pid, sizeof set, &set), "sched_setaffinity");
}

static int change_priority(int argc, char **argv) {
    (void)argc;
    pid_t pid = target(argv[0]);
    errno = 0;
    int now = getpriority(PRIO_PROCESS, (id_t)pid);
    if (now == -1 && errno != 0) return refused("getpriority");
    return judge(setpriority(PRIO_PROCESS, (id_t)pid, now), "setpriority");
}

static int change_limits(int argc, char **argv) {
    (void)argc;
    struct rlimit limit;
    pid_t pid = target(argv[0]);
    if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) != 0) return refused("prlimit");
    return judge(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), "prlimit");
}

// The jail's init must shrug off whatever the command sends it. Outside, pid 1 is somebody else's.
static int kill_init(int argc, char **argv) {
    (void)argc;
    (void)argv;
    const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGSTOP, SIGKILL, SIGUSR1, SIGCHLD, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) kill(1, signals[i]);
    // An init that died takes this process with it before the answer is written.
    for (int i = 0; i < 20; i++) sched_yield();
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return refused("fork after the signals");
    return refused_because("init is alive");
}

// Makes itself unreadable, then does what must be denied and reported.
static int hide_then_trace(int argc, char **argv) {
    (void)argc;
    (void)argv;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return broken("PR_SET_DUMPABLE");
    return trace_me(0, NULL);
}

const struct attack process_attacks[] = {
    {"ptrace", trace, "PID"},
    {"ptrace-child", trace_child, ""},
    {"ptrace-traceme", trace_me, ""},
    {"vm-read", read_memory, "PID"},
    {"vm-write", write_memory, "PID"},
    {"proc-mem", open_memory, "PID"},
    {"pidfd-getfd", steal_descriptor, "PID"},
    {"kcmp", compare, "PID"},
    {"process-madvise", advise, "PID"},
    {"kill", signal_process, "PID"},
    {"tgkill", signal_thread, "PID"},
    {"kill-everybody", signal_everybody, ""},
    {"kill-group", signal_group, "PID"},
    {"pidfd-signal", signal_by_pidfd, "PID"},
    {"setown", own_signal, "PID"},
    {"affinity", read_affinity, "PID"},
    {"priority", change_priority, "PID"},
    {"prlimit", change_limits, "PID"},
    {"kill-init", kill_init, ""},
    {"undumpable-ptrace", hide_then_trace, ""},
    {0},
};
