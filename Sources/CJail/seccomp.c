#define _GNU_SOURCE
#include "cjail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static uint32_t action_of(const struct cj_rule *rule) {
    switch (rule->action) {
    case CJ_ACTION_ERRNO: return SCMP_ACT_ERRNO(rule->error);
    case CJ_ACTION_NOTIFY: return SCMP_ACT_NOTIFY;
    case CJ_ACTION_KILL: return SCMP_ACT_KILL_PROCESS;
    default: return SCMP_ACT_ALLOW;
    }
}

static int add_rule(scmp_filter_ctx context, const struct cj_rule *rule) {
    struct scmp_arg_cmp conditions[3];
    if (rule->condition_count > 3) return -EINVAL;
    for (uint32_t i = 0; i < rule->condition_count; i++) {
        const struct cj_condition *condition = &rule->conditions[i];
        conditions[i].arg = condition->argument;
        conditions[i].datum_a = condition->value;
        conditions[i].datum_b = 0;
        switch (condition->compare) {
        case CJ_COMPARE_EQ: conditions[i].op = SCMP_CMP_EQ; break;
        case CJ_COMPARE_NE: conditions[i].op = SCMP_CMP_NE; break;
        case CJ_COMPARE_GT: conditions[i].op = SCMP_CMP_GT; break;
        case CJ_COMPARE_MASKED_EQ:
            conditions[i].op = SCMP_CMP_MASKED_EQ;
            conditions[i].datum_a = condition->mask;
            conditions[i].datum_b = condition->value;
            break;
        default: return -EINVAL;
        }
    }
    return seccomp_rule_add_array(context, action_of(rule), rule->syscall, rule->condition_count, conditions);
}

static long export_filter(scmp_filter_ctx context, void *instructions, size_t capacity) {
    // libseccomp 2.5 exports to a descriptor only.
    const int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    long result = seccomp_export_bpf(context, fd);
    if (result == 0) {
        const off_t size = lseek(fd, 0, SEEK_END);
        if (size < 0 || (size_t)size > capacity * sizeof(struct sock_filter)) {
            result = -E2BIG;
        } else {
            const ssize_t got = pread(fd, instructions, (size_t)size, 0);
            result = got == size ? (long)((size_t)size / sizeof(struct sock_filter)) : -EIO;
        }
    }
    close(fd);
    return result;
}

long cj_compile_filter(const struct cj_rule *rules, size_t count, void *instructions, size_t capacity) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    if (context == NULL) return -ENOMEM;
    long result = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0) result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < count && result == 0; i++) result = add_rule(context, &rules[i]);
    if (result == 0) result = export_filter(context, instructions, capacity);
    seccomp_release(context);
    return result;
}

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#else
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

long cj_ceiling_filter(uint32_t highest, void *instructions, size_t capacity) {
    // libseccomp cannot compare the number itself, so this one is fixed code: seven instructions.
    const struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const size_t count = sizeof filter / sizeof filter[0];
    if (count > capacity) return -E2BIG;
    memcpy(instructions, filter, sizeof filter);
    return (long)count;
}

int cj_syscall_number(const char *name) {
    const int number = seccomp_syscall_resolve_name(name);
    return number < 0 ? -ENOENT : number;
}

int cj_notify_receive(int listener, struct cj_notification *notification) {
    // The kernel's struct may be longer than this header's, never shorter than 80 bytes; room is left for growth.
    union {
        struct seccomp_notif notif;
        char room[256];
    } request;
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) return -errno;
    notification->id = request.notif.id;
    notification->pid = request.notif.pid;
    notification->number = request.notif.data.nr;
    for (int i = 0; i < 6; i++) notification->arguments[i] = request.notif.data.args[i];
    return 0;
}

static int reply(int listener, uint64_t id, int error, uint32_t flags) {
    struct seccomp_notif_resp response = {.id = id, .val = 0, .error = -error, .flags = flags};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 ? -errno : 0;
}

int cj_notify_deny(int listener, uint64_t id, int error) { return reply(listener, id, error, 0); }

int cj_notify_continue(int listener, uint64_t id) {
    return reply(listener, id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int cj_notify_give_fd(int listener, uint64_t id, int fd, int close_on_exec) {
    struct seccomp_notif_addfd give = {.id = id,
                                       .flags = SECCOMP_ADDFD_FLAG_SEND,
                                       .srcfd = (uint32_t)fd,
                                       .newfd = 0,
                                       .newfd_flags = close_on_exec ? O_CLOEXEC : 0};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &give) < 0 ? -errno : 0;
}

long cj_read_memory(int pid, uint64_t address, void *buffer, size_t size) {
    struct iovec local = {buffer, size};
    struct iovec remote = {(void *)(uintptr_t)address, size};
    const ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    return got < 0 ? -errno : got;
}

int cj_nameless_file(int directory, uint32_t uid, uint32_t gid) {
    // Root is nobody in the jail's user namespace and could own no file there.
    const int is_root = geteuid() == 0;
    if (is_root) {
        (void)setfsgid(gid);
        (void)setfsuid(uid);
    }
    const int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    const int error = errno;
    if (is_root) {
        (void)setfsuid(0);
        (void)setfsgid(getegid());
    }
    return fd < 0 ? -error : fd;
}
