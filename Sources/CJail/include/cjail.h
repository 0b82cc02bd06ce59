// The parent's side of the kernel boundary. Every function returns 0 (or a count or a descriptor) or -errno; none
// keeps a pointer after it returns, and each descriptor it returns belongs to the caller.
#ifndef CJAIL_H
#define CJAIL_H

#include "CJailABI.h"

#include <stddef.h>
#include <stdint.h>

// MARK: launch

struct cj_spawn {
    uint64_t namespaces;  // CJ_CLONE_NEW*; 0 where none can be had
    int32_t init_fd;      // jail-init, open for execution
    int32_t plan_fd;      // sealed memfd with the plan
    int32_t control_fd;   // init's end of the control socket
    int32_t stdio[3];     // what becomes 0, 1, 2 of the command
    int32_t cgroup_fds[4];  // `tasks` files that the child joins by itself; -1 for none
};

enum cj_spawn_stage {
    CJ_STAGE_NONE = 0,
    CJ_STAGE_DESCRIPTORS,
    CJ_STAGE_CLONE,
    CJ_STAGE_CGROUP,
    CJ_STAGE_CAPABILITIES,
    CJ_STAGE_EXEC_INIT
};

struct cj_child {
    int32_t pidfd;
    int32_t pid;
    uint32_t stage;  // enum cj_spawn_stage that failed
    int32_t error;   // errno there
};

// Clones with CLONE_VM|CLONE_VFORK (constant cost, none of our memory in the jail), makes the new namespaces' powers
// survive an exec (ambient set), and executes jail-init. clone(2), 5.2 for CLONE_PIDFD.
int cj_spawn(const struct cj_spawn *spawn, struct cj_child *child);

// Reaps the child of a pidfd; a foreign wait cannot steal it, since its exit signal is 0. waitid(2), 5.4.
int cj_reap(int pidfd, int32_t *status);
int cj_signal(int pidfd, int signal);
// Where there is no pid namespace: orphans of a dead init come to us. prctl(2) PR_SET_CHILD_SUBREAPER, 3.4.
int cj_become_subreaper(void);
// Kills and reaps every child of this thread, and what they leave behind, for at most `milliseconds`. 0 when none is
// left. Reads /proc/thread-self/children.
int cj_kill_children(int milliseconds);

int cj_control_pair(int32_t pair[2]);
int cj_send(int socket, const struct cj_msg *message, const int32_t *fds, uint32_t count);
// 1 with a message (and *fd, or -1), 0 at the end of the stream, -EAGAIN when there is none.
int cj_receive(int socket, struct cj_msg *message, int32_t *fd);

// A memfd that nobody can change any more. memfd_create(2), 3.17.
int cj_sealed_memfd(const char *name, const void *bytes, size_t size);

// A detached copy of a tree with ids mapped as in a user namespace. mount_setattr(2), 5.12; needs CAP_SYS_ADMIN over
// the file system. -ESTALE when something else than this device and inode stands at the path.
int cj_idmapped_tree(const char *path, int user_namespace_fd, uint64_t device, uint64_t inode);

// MARK: capabilities (libcap)

uint32_t cj_last_capability(void);
// Writes the name, as `cap_sys_admin`, into a buffer of at least 64 bytes.
int cj_capability_name(uint32_t capability, char *name, size_t size);

// MARK: seccomp (libseccomp)

enum cj_action { CJ_ACTION_ALLOW = 0, CJ_ACTION_ERRNO, CJ_ACTION_NOTIFY, CJ_ACTION_KILL };
enum cj_compare { CJ_COMPARE_NONE = 0, CJ_COMPARE_EQ, CJ_COMPARE_NE, CJ_COMPARE_MASKED_EQ, CJ_COMPARE_GT };

struct cj_condition {
    uint32_t argument;
    uint32_t compare;  // enum cj_compare
    uint64_t mask;
    uint64_t value;
};

struct cj_rule {
    int32_t syscall;
    uint32_t action;  // enum cj_action
    uint32_t error;   // for CJ_ACTION_ERRNO
    uint32_t condition_count;
    struct cj_condition conditions[3];
};

// Compiles a deny list (default: allow) for the native ABI; any other ABI kills the process. Writes at most `capacity`
// instructions of 8 bytes and returns how many.
long cj_compile_filter(const struct cj_rule *rules, size_t count, void *instructions, size_t capacity);
// The second filter: a system call number above `highest`, which nobody has reviewed, does not exist (ENOSYS).
long cj_ceiling_filter(uint32_t highest, void *instructions, size_t capacity);
// The number of a name in the native ABI, negative when it has none.
int cj_syscall_number(const char *name);

struct cj_notification {
    uint64_t id;
    uint32_t pid;
    int32_t number;
    uint64_t arguments[6];
};

int cj_notify_receive(int listener, struct cj_notification *notification);
int cj_notify_deny(int listener, uint64_t id, int error);
int cj_notify_continue(int listener, uint64_t id);
// Gives the caller a descriptor of ours as the result of its system call. 5.9; in one step from 5.14.
int cj_notify_give_fd(int listener, uint64_t id, int fd, int close_on_exec);
// Reads another process's memory; the count that could be read. process_vm_readv(2).
long cj_read_memory(int pid, uint64_t address, void *buffer, size_t size);
// A nameless file in an open directory, owned by this user: what a memfd is, on a mount that can be noexec. open(2)
// O_TMPFILE, 3.11.
int cj_nameless_file(int directory, uint32_t uid, uint32_t gid);

#endif
