// P10, P11, P14, P16, P26, P34: namespaces, keyrings, listeners, clocks, capabilities.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int unshare_user(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)");
}

// A user namespace, and in it each other kind: without the first the others are refused to anybody without privileges.
static int unshare_all(int argc, char **argv) {
    (void)argc;
    (void)argv;
    const int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
        CLONE_NEWCGROUP;
    return judge(unshare(flags), "unshare(everything)");
}

static int unshare_time(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(unshare(CLONE_NEWUSER | 0x80 /* CLONE_NEWTIME */), "unshare(CLONE_NEWTIME)");
}

static int clone_user(int argc, char **argv) {
    (void)argc;
    (void)argv;
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return judge(child, "clone(CLONE_NEWUSER)");
}

// The upper half of clone's flags is not looked at by older kernels and refused by none.
static int clone_user_high_bits(int argc, char **argv) {
    (void)argc;
    (void)argv;
    long child = syscall(SYS_clone, 0xdeadbeef00000000ULL | CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return judge(child, "clone(CLONE_NEWUSER) with high bits");
}

// The flags stand in memory, where no seccomp filter can read them.
static int clone3_user(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return judge(child, "clone3(CLONE_NEWUSER)");
}

// The whole chain: a user namespace with a map, a mount namespace, a file system that may be executed from.
static int nested_mount(int argc, char **argv) {
    (void)argc;
    (void)argv;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return refused("unshare");
    return judge(mount("none", "/tmp", "tmpfs", 0, NULL), "mount in a nested namespace");
}

static int enter_parent(int argc, char **argv) {
    (void)argc;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", getppid(), argv[0]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused("open of the parent's namespace");
    return judge_reached(setns(fd, 0), "setns");
}

static int join_own_namespace(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv) && !enter_own_namespaces(CLONE_NEWUTS)) return broken("own namespaces");
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused("open /proc/self/ns/uts");
    return judge(setns(fd, 0), "setns");
}

// Takes over the notifications of its own children: only one listener can exist in a chain of filters.
static int take_listener(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return broken("no_new_privs");
    return judge(
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program),
        "seccomp(NEW_LISTENER)");
}

static int read_session_keyring(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1), "keyctl(GET_KEYRING_ID)");
}

static int keyring_to_parent(int argc, char **argv) {
    (void)argc;
    (void)argv;
    // The parent whose keyring is replaced is this process: the kernel wants one with a single thread.
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) _exit(syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT) == 0 ? 0 : errno);
    int status = 0;
    waitpid(child, &status, 0);
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    return errno == 0 ? worked("keyctl(SESSION_TO_PARENT)") : refused("keyctl(SESSION_TO_PARENT)");
}

static int add_a_key(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(
        syscall(SYS_add_key, "user", "escape", "x", 1, KEY_SPEC_PROCESS_KEYRING), "add_key");
}

static int request_a_key(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge_reached(syscall(SYS_request_key, "user", "escape", NULL, 0), "request_key");
}

// Any capability in any of the sets, the bounding one too.
static int has_capabilities(int argc, char **argv) {
    (void)argc;
    (void)argv;
    FILE *status = fopen("/proc/self/status", "re");
    if (!status) return broken("open /proc/self/status");
    char line[256];
    int found = 0;
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, "Cap", 3) != 0) continue;
        const char *value = strchr(line, ':');
        if (value && strtoull(value + 1, NULL, 16) != 0) {
            printf("%s", line);
            found++;
        }
    }
    fclose(status);
    return found > 0 ? worked("capabilities") : refused_because("every set is empty");
}

static int may_gain_privileges(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? refused_because("no_new_privs is set")
                                                        : worked("exec may gain privileges");
}

static int may_dump_core(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return broken("getrlimit");
    return limit.rlim_max == 0 ? refused_because("RLIMIT_CORE is 0") : worked("core dumps");
}

static int raise_limit(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return broken("getrlimit");
    limit.rlim_cur = limit.rlim_max = limit.rlim_max + 1;
    return judge(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit above the hard limit");
}

const struct attack namespace_attacks[] = {
    {"userns", unshare_user, ""},
    {"unshare-all", unshare_all, ""},
    {"unshare-time", unshare_time, ""},
    {"clone-userns", clone_user, ""},
    {"clone-userns-high-bits", clone_user_high_bits, ""},
    {"clone3-userns", clone3_user, ""},
    {"nested-mount", nested_mount, ""},
    {"setns-parent", enter_parent, "KIND"},
    {"setns", join_own_namespace, "[--own-ns]"},
    {"seccomp-listener", take_listener, ""},
    {"keyctl", read_session_keyring, ""},
    {"keyctl-to-parent", keyring_to_parent, ""},
    {"add-key", add_a_key, ""},
    {"request-key", request_a_key, ""},
    {"capabilities", has_capabilities, ""},
    {"gain-privileges", may_gain_privileges, ""},
    {"core-dump", may_dump_core, ""},
    {"raise-limit", raise_limit, ""},
    {0},
};
