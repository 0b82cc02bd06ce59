// Kernel constants that are newer than Debian 12's headers, or that a freestanding file needs; with the kernel that
// brought each. Values are ABI and never change.
#ifndef CJ_UAPI_H
#define CJ_UAPI_H

#include <stdint.h>

// landlock(7). File rights by ABI: 1 (5.13) bits 0-12, 2 (5.19) REFER, 3 (6.2) TRUNCATE, 5 (6.10) IOCTL_DEV.
#define CJ_LL_EXECUTE (1ULL << 0)
#define CJ_LL_WRITE_FILE (1ULL << 1)
#define CJ_LL_READ_FILE (1ULL << 2)
#define CJ_LL_READ_DIR (1ULL << 3)
#define CJ_LL_REMOVE_DIR (1ULL << 4)
#define CJ_LL_REMOVE_FILE (1ULL << 5)
#define CJ_LL_MAKE_CHAR (1ULL << 6)
#define CJ_LL_MAKE_DIR (1ULL << 7)
#define CJ_LL_MAKE_REG (1ULL << 8)
#define CJ_LL_MAKE_SOCK (1ULL << 9)
#define CJ_LL_MAKE_FIFO (1ULL << 10)
#define CJ_LL_MAKE_BLOCK (1ULL << 11)
#define CJ_LL_MAKE_SYM (1ULL << 12)
#define CJ_LL_REFER (1ULL << 13)
#define CJ_LL_TRUNCATE (1ULL << 14)
#define CJ_LL_IOCTL_DEV (1ULL << 15)
// ABI 4 (6.7).
#define CJ_LL_NET_BIND_TCP (1ULL << 0)
#define CJ_LL_NET_CONNECT_TCP (1ULL << 1)
// ABI 6 (6.12).
#define CJ_LL_SCOPE_ABSTRACT_UNIX (1ULL << 0)
#define CJ_LL_SCOPE_SIGNAL (1ULL << 1)
// ABI 7 (6.15): log denials after the exec too.
#define CJ_LL_RESTRICT_LOG_NEW_EXEC_ON (1U << 1)

#define CJ_LL_CREATE_VERSION 1U
#define CJ_LL_RULE_PATH_BENEATH 1

struct cj_landlock_ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;  // ABI 4
    uint64_t scoped;              // ABI 6
};

struct cj_landlock_path_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

// mount_setattr(2), 5.12; idmap 5.12.
#define CJ_MOUNT_ATTR_RDONLY 0x1ULL
#define CJ_MOUNT_ATTR_NOSUID 0x2ULL
#define CJ_MOUNT_ATTR_NODEV 0x4ULL
#define CJ_MOUNT_ATTR_NOEXEC 0x8ULL
#define CJ_MOUNT_ATTR_NOSYMFOLLOW 0x200000ULL
#define CJ_MOUNT_ATTR_IDMAP 0x100000ULL

struct cj_mount_attr {
    uint64_t attr_set;
    uint64_t attr_clr;
    uint64_t propagation;
    uint64_t userns_fd;
};

// openat2(2), 5.6.
#define CJ_RESOLVE_NO_MAGICLINKS 0x02ULL
#define CJ_RESOLVE_NO_SYMLINKS 0x04ULL
#define CJ_RESOLVE_BENEATH 0x08ULL

struct cj_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

#define CJ_OPEN_TREE_CLONE 1U
#define CJ_MOVE_MOUNT_F_EMPTY_PATH 0x4U

// seccomp(2): WAIT_KILLABLE_RECV 5.19, notify flags.
#define CJ_SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#define CJ_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)

// clone(2) flags.
#define CJ_CLONE_VM 0x00000100ULL
#define CJ_CLONE_VFORK 0x00004000ULL
#define CJ_CLONE_PIDFD 0x00001000ULL
#define CJ_CLONE_NEWNS 0x00020000ULL
#define CJ_CLONE_NEWCGROUP 0x02000000ULL
#define CJ_CLONE_NEWUTS 0x04000000ULL
#define CJ_CLONE_NEWIPC 0x08000000ULL
#define CJ_CLONE_NEWUSER 0x10000000ULL
#define CJ_CLONE_NEWPID 0x20000000ULL
#define CJ_CLONE_NEWNET 0x40000000ULL

#define CJ_CLOSE_RANGE_CLOEXEC 4U

#endif
