#define _GNU_SOURCE
#include "cjail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (64U * 1024U)
#define FIRST_SAFE_FD 20

struct launch {
    const struct cj_spawn *spawn;
    int fds[6];  // stdin, stdout, stderr, control, plan, init: all above what the child's dup2 overwrites
    uint32_t stage;
    int error;
};

// What the child of a vfork shares with us is our memory: it must not touch errno, malloc or stdio, so every call
// here is a raw system call and the error goes into the struct.
static long raw(long number, long a, long b, long c, long d, long e) {
    long result;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory", "cc");
    result = x0;
#endif
    return result;
}

static int stop(struct launch *launch, uint32_t stage, long error) {
    launch->stage = stage;
    launch->error = (int)-error;
    return 125;
}

// An exec by a user id that is not root drops every capability that is not ambient; init needs those of its new
// user namespace to mount.
static long keep_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    memset(sets, 0, sizeof sets);
    long error = raw(SYS_capget, (long)&header, (long)sets, 0, 0, 0);
    if (error < 0) return error;
    sets[0].inheritable = sets[0].permitted;
    sets[1].inheritable = sets[1].permitted;
    error = raw(SYS_capset, (long)&header, (long)sets, 0, 0, 0);
    if (error < 0) return error;
    for (unsigned capability = 0; capability < 64; capability++) {
        if ((sets[capability / 32].permitted & (1U << (capability % 32))) == 0) continue;
        error = raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
        if (error < 0) return error;
    }
    return 0;
}

static int child_main(void *argument) {
    struct launch *launch = argument;
    for (int i = 0; i < 4; i++) {
        if (launch->spawn->cgroup_fds[i] < 0) continue;
        const long joined = raw(SYS_write, launch->spawn->cgroup_fds[i], (long)"0", 1, 0, 0);
        if (joined < 0) return stop(launch, CJ_STAGE_CGROUP, joined);
    }
    for (int target = 0; target < 5; target++) {
        const long error = raw(SYS_dup3, launch->fds[target], target, 0, 0, 0);
        if (error < 0) return stop(launch, CJ_STAGE_DESCRIPTORS, error);
    }
    // Descriptors of the caller that are not close-on-exec must not reach the jail.
    long error = raw(SYS_close_range, 5, ~0U, CJ_CLOSE_RANGE_CLOEXEC, 0, 0);
    if (error < 0) return stop(launch, CJ_STAGE_DESCRIPTORS, error);
    if (launch->spawn->namespaces & CJ_CLONE_NEWUSER) {
        error = keep_capabilities();
        if (error < 0) return stop(launch, CJ_STAGE_CAPABILITIES, error);
    }
    const char *const argv[] = {"jail-init", NULL};
    const char *const envp[] = {NULL};
    error = raw(SYS_execveat, launch->fds[5], (long)"", (long)argv, (long)envp, AT_EMPTY_PATH);
    return stop(launch, CJ_STAGE_EXEC_INIT, error);
}

static void close_all(int *fds, int count) {
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
}

static int raise_descriptors(struct launch *launch) {
    const struct cj_spawn *spawn = launch->spawn;
    const int sources[6] = {spawn->stdio[0], spawn->stdio[1], spawn->stdio[2],
                            spawn->control_fd, spawn->plan_fd, spawn->init_fd};
    for (int i = 0; i < 6; i++) launch->fds[i] = -1;
    for (int i = 0; i < 6; i++) {
        launch->fds[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
        if (launch->fds[i] < 0) {
            const int error = errno;
            close_all(launch->fds, 6);
            return -error;
        }
    }
    return 0;
}

int cj_spawn(const struct cj_spawn *spawn, struct cj_child *child) {
    struct launch launch = {.spawn = spawn};
    child->pidfd = -1;
    child->pid = -1;
    child->stage = CJ_STAGE_DESCRIPTORS;
    child->error = 0;
    const int raised = raise_descriptors(&launch);
    if (raised < 0) {
        child->error = -raised;
        return raised;
    }
    child->stage = CJ_STAGE_CLONE;
    uint8_t *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        child->error = errno;
        close_all(launch.fds, 6);
        return -child->error;
    }
    // ORDER: no handler of ours may run on the child's side while the memory is shared.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    // Exit signal 0: a wait for any child, by a library, can neither see nor steal this one.
    const int flags = (int)(spawn->namespaces | CJ_CLONE_VM | CJ_CLONE_VFORK | CJ_CLONE_PIDFD);
    const int pid = clone(child_main, stack + STACK_SIZE, flags, &launch, &pidfd, NULL, NULL);
    const int clone_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_SIZE);
    close_all(launch.fds, 6);
    if (pid < 0) {
        child->error = clone_error;
        return -clone_error;
    }
    if (launch.error != 0) {
        int32_t status = 0;
        (void)cj_reap(pidfd, &status);
        close(pidfd);
        child->stage = launch.stage;
        child->error = launch.error;
        return -launch.error;
    }
    child->stage = CJ_STAGE_NONE;
    child->pidfd = pidfd;
    child->pid = pid;
    return 0;
}

int cj_reap(int pidfd, int32_t *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    *status = info.si_status;
    return 0;
}

int cj_signal(int pidfd, int number) {
    return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0 ? -errno : 0;
}

int cj_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0; }

static int kill_listed_children(void) {
    FILE *list = fopen("/proc/thread-self/children", "re");
    if (list == NULL) return -errno;
    int pid = 0;
    int count = 0;
    while (fscanf(list, "%d", &pid) == 1) {
        if (pid > 1 && kill(pid, SIGKILL) == 0) count++;
    }
    fclose(list);
    return count;
}

int cj_kill_children(int milliseconds) {
    struct timespec pause = {0, 1000000};
    for (int round = 0; round < milliseconds; round++) {
        const int killed = kill_listed_children();
        if (killed < 0) return killed;
        pid_t pid;
        int status = 0;
        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) continue;
        if (pid < 0 && errno == ECHILD) return 0;
        nanosleep(&pause, NULL);
    }
    return -ETIMEDOUT;
}
