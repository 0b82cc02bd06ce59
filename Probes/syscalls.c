// P12, P13, P19: single system calls that a command has no use for. Arguments are such that even root's control run
// changes nothing: they fail in the kernel after the permission check, and "reached" is what counts.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int map_program(int argc, char **argv) {
    (void)argc;
    (void)argv;
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return judge(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes), "bpf(BPF_MAP_CREATE)");
}

static int fault_handler(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */), "userfaultfd");
}

static int performance(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_TASK_CLOCK,
        .exclude_kernel = 1, .exclude_hv = 1};
    return judge(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0), "perf_event_open");
}

static int change_personality(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(syscall(SYS_personality, ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC), "personality");
}

static int change_personality_high_bits(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(
        syscall(SYS_personality, 0xdeadbeef00000000ULL | ADDR_NO_RANDOMIZE), "personality with high bits");
}

static int gift_pages(int argc, char **argv) {
    (void)argc;
    (void)argv;
    int ends[2];
    if (pipe(ends) != 0) return broken("pipe");
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return judge(vmsplice(ends[1], &part, 1, 0), "vmsplice");
}

// A child asks through the 32-bit gate for its process id, and may be killed for it.
static int legacy_gate(int argc, char **argv) {
    (void)argc;
    (void)argv;
#if defined(__x86_64__)
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        long result = 20;
        __asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
        _exit(result == getpid() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return refused_because(WTERMSIG(status) == SIGSYS ? "SIGSYS" : "a signal");
    return WEXITSTATUS(status) == 0 ? worked("int 0x80") : refused_because("no process id came back");
#else
    return broken("only on x86-64");
#endif
}

// socketcall of the 32-bit gate: a filter that knows only the native numbers takes it for another call.
static int legacy_socket(int argc, char **argv) {
    (void)argc;
    (void)argv;
#if defined(__x86_64__)
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        long result = 359;  // socket
        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         : "b"(40L /* AF_VSOCK */), "c"(1L), "d"(0L)
                         : "r8", "r9", "r10", "r11", "memory");
        _exit(result >= 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return refused_because(WTERMSIG(status) == SIGSYS ? "SIGSYS" : "a signal");
    return WEXITSTATUS(status) == 0 ? worked("socket by int 0x80") : refused_because("no socket came back");
#else
    return broken("only on x86-64");
#endif
}

static int x32_gate(int argc, char **argv) {
    (void)argc;
    (void)argv;
#if defined(__x86_64__)
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) _exit(syscall(0x40000000 | SYS_getpid) == getpid() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return refused_because(WTERMSIG(status) == SIGSYS ? "SIGSYS" : "a signal");
    return WEXITSTATUS(status) == 0 ? worked("x32") : refused_because("no process id came back");
#else
    return broken("only on x86-64");
#endif
}

// A number that no kernel has yet: an unknown call must be told that it does not exist, not be let through.
static int unknown_call(int argc, char **argv) {
    (void)argc;
    return judge_reached(syscall(number(argv[0])), "unknown system call");
}

// A call by name, with arguments that cannot do harm.
struct harmless {
    const char *name;
    long number;
    long arguments[6];
};

#define BAD ((long)1)  // An address that is never mapped: EFAULT.

static const struct harmless calls[] = {
    {"init_module", SYS_init_module, {BAD, 1, BAD}},
    {"finit_module", SYS_finit_module, {-1, BAD, 0}},
    {"delete_module", SYS_delete_module, {BAD, 0}},
    {"kexec_load", SYS_kexec_load, {0, 99, BAD, 0}},
    {"reboot", SYS_reboot, {0, 0, 0, 0}},
    {"swapon", SYS_swapon, {BAD, 0}},
    {"swapoff", SYS_swapoff, {BAD}},
    {"acct", SYS_acct, {BAD}},
    {"quotactl", SYS_quotactl, {-1, BAD, 0, BAD}},
    {"syslog", SYS_syslog, {99, BAD, 1}},
    {"sethostname", SYS_sethostname, {BAD, 1}},
    {"setdomainname", SYS_setdomainname, {BAD, 1}},
    {"settimeofday", SYS_settimeofday, {BAD, 0}},
    {"clock_settime", SYS_clock_settime, {0, BAD}},
    {"adjtimex", SYS_adjtimex, {BAD}},
    {"fanotify_init", SYS_fanotify_init, {0xffffffff, 0}},
    {"mbind", SYS_mbind, {1, 1, 99, 0, 0, 0}},
    {"set_mempolicy", SYS_set_mempolicy, {99, 0, 0}},
    {"move_pages", SYS_move_pages, {0, 1, BAD, 0, BAD, 99}},
    {"migrate_pages", SYS_migrate_pages, {0, 1, BAD, BAD}},
#if defined(__x86_64__)
    {"iopl", SYS_iopl, {4}},
    {"ioperm", SYS_ioperm, {65536, 1, 1}},
    {"modify_ldt", SYS_modify_ldt, {99, BAD, 0}},
#endif
    {"open_by_handle_at", SYS_open_by_handle_at, {-1, BAD, 0}},
    {"setns", SYS_setns, {-1, 0}},
    {"process_madvise", SYS_process_madvise, {-1, BAD, 1, 20, 99}},
    {"pidfd_getfd", SYS_pidfd_getfd, {-1, 0, 99}},
    {"kcmp", SYS_kcmp, {0, 0, 99, 0, 0}},
    {"keyctl", SYS_keyctl, {9999, 0, 0, 0, 0}},
    {"fsconfig", SYS_fsconfig, {-1, 99, 0, 0, 0}},
    {"fsmount", SYS_fsmount, {-1, 0xffff, 0}},
    {0},
};

static int harmless_call(int argc, char **argv) {
    (void)argc;
    for (const struct harmless *c = calls; c->name; c++) {
        if (strcmp(c->name, argv[0]) != 0) continue;
        const long *a = c->arguments;
        return judge_reached(syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]), c->name);
    }
    return broken("no such system call in the table");
}

const struct attack syscall_attacks[] = {
    {"bpf", map_program, ""},
    {"userfaultfd", fault_handler, ""},
    {"perf", performance, ""},
    {"personality", change_personality, ""},
    {"personality-high-bits", change_personality_high_bits, ""},
    {"vmsplice", gift_pages, ""},
    {"int80", legacy_gate, ""},
    {"int80-socket", legacy_socket, ""},
    {"x32", x32_gate, ""},
    {"unknown-syscall", unknown_call, "NUMBER"},
    {"syscall", harmless_call, "NAME"},
    {0},
};
