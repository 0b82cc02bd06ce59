// System calls without libc, for x86_64 and aarch64. A negative result is -errno.
#ifndef LJ_SYSCALLS_H
#define LJ_SYSCALLS_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
    return x0;
}
#else
#error "launch-jail runs on x86_64 and aarch64"
#endif

#define SYS0(n) sys6(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

// Numbers newer than some headers; shared by all 64-bit architectures from 424 on.
#define LJ_NR_open_tree 428
#define LJ_NR_move_mount 429
#define LJ_NR_close_range 436
#define LJ_NR_openat2 437
#define LJ_NR_mount_setattr 442
#define LJ_NR_landlock_create_ruleset 444
#define LJ_NR_landlock_add_rule 445
#define LJ_NR_landlock_restrict_self 446

// Error numbers and constants of the generic UAPI, which both architectures share.
#define LJ_EPERM 1
#define LJ_ENOENT 2
#define LJ_EINTR 4
#define LJ_ECHILD 10
#define LJ_EAGAIN 11
#define LJ_EEXIST 17
#define LJ_EINVAL 22
#define LJ_ESTALE 116

#define LJ_AT_FDCWD (-100)
#define LJ_AT_EMPTY_PATH 0x1000
#define LJ_AT_RECURSIVE 0x8000
#define LJ_AT_SYMLINK_NOFOLLOW 0x100

#define LJ_O_RDONLY 0
#define LJ_O_WRONLY 1
#define LJ_O_RDWR 2
#define LJ_O_CREAT 0100
#define LJ_O_EXCL 0200
#define LJ_O_NOCTTY 0400
#define LJ_O_CLOEXEC 02000000
#define LJ_O_PATH 010000000
#if defined(__aarch64__)
#define LJ_O_DIRECTORY 040000
#define LJ_O_NOFOLLOW 0100000
#else
#define LJ_O_DIRECTORY 0200000
#define LJ_O_NOFOLLOW 0400000
#endif

#define LJ_MS_REC 0x4000UL
#define LJ_MS_PRIVATE (1UL << 18)
#define LJ_MNT_DETACH 2

#define LJ_SIGKILL 9
#define LJ_SIGCHLD 17
#define LJ_SIGCONT 18
#define LJ_SIGSTOP 19

#endif
