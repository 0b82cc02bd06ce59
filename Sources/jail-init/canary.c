// Attacks on the finished jail, by the process that is about to become the command. A negative result is the refusal.
#include "init.h"

static long try_open(const char *path, long flags) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, flags | LJ_O_CLOEXEC, 0600);
    if (fd >= 0) (void)SYS1(__NR_close, fd);
    return fd;
}

// 192.0.2.1 is TEST-NET-1 (RFC 5737): it is routed nowhere, so even a broken jail disturbs nobody. The socket does
// not block: an attempt that is under way is as bad as one that worked.
static long try_connect(void) {
    const long fd = SYS3(__NR_socket, 2, 1 | LJ_O_CLOEXEC | 04000 /* SOCK_NONBLOCK */, 0);
    if (fd < 0) return fd;
    const struct { uint16_t family, port; uint8_t address[4]; uint8_t pad[8]; } target = {
        2, 0x0900, {192, 0, 2, 1}, {0}};
    const long error = SYS3(__NR_connect, fd, &target, sizeof target);
    (void)SYS1(__NR_close, fd);
    return error == -115 /* EINPROGRESS */ ? 0 : error;
}

static long try_executable_mapping(const char *path) {
    const long fd = SYS4(__NR_openat, LJ_AT_FDCWD, path, LJ_O_RDONLY | LJ_O_CREAT | LJ_O_CLOEXEC, 0700);
    if (fd < 0) return fd;
    const long address = SYS6(__NR_mmap, 0, 4096, 1 | 4 /* READ | EXEC */, 2 /* PRIVATE */, fd, 0);
    (void)SYS1(__NR_close, fd);
    (void)SYS3(__NR_unlinkat, LJ_AT_FDCWD, path, 0);
    return address < 0 && address > -4096 ? address : 0;
}

long try_canary(const struct init *in, const struct cj_canary *canary) {
    const char *p = plan_string(in, canary->p);
    switch (canary->kind) {
    case CJ_CANARY_CREATE_FILE: return try_open(p, LJ_O_WRONLY | LJ_O_CREAT | LJ_O_EXCL);
    case CJ_CANARY_OPEN_READ: return try_open(p, LJ_O_RDONLY);
    case CJ_CANARY_CONNECT: return try_connect();
    case CJ_CANARY_MOUNT: return SYS5(__NR_mount, "tmpfs", p, "tmpfs", 0, 0);
    case CJ_CANARY_UNSHARE_USER: return SYS1(__NR_unshare, CJ_CLONE_NEWUSER);
    case CJ_CANARY_PTRACE: return SYS4(__NR_ptrace, 0x4206 /* PTRACE_SEIZE */, 1, 0, 0);
    case CJ_CANARY_SET_HOSTNAME: return SYS2(__NR_sethostname, "escaped", 7);
    case CJ_CANARY_EXEC_MAP: return try_executable_mapping(p);
    default: return 0;
    }
}
