// The flat plan that JailPlan lays out, CJail carries and jail-init replays; and the messages they exchange.
//
// Freestanding: jail-init has no libc. Every offset counts from the first byte of the plan; offset 0 means "none".
// A change here changes all three at once; CJ_PLAN_VERSION then rises, and init refuses a plan of another version.
#ifndef CJ_PLAN_H
#define CJ_PLAN_H

#include <stdint.h>

#define CJ_PLAN_MAGIC 0x4e414c504a4c4a31ULL
#define CJ_PLAN_VERSION 2U
#define CJ_PLAN_MAX_SIZE (8U << 20)
#define CJ_MAX_SLOTS 192

// Descriptors that init finds open when it starts.
#define CJ_FD_CONTROL 3
#define CJ_FD_PLAN 4
#define CJ_FD_FIRST_FREE 5

// What an op does. p and q are string offsets, a to c numbers, slot a place for a descriptor.
enum cj_op_kind {
    CJ_OP_SET_IDS = 1,       // a uid, b gid: become the target user inside the user namespace
    CJ_OP_PRIVATE_MOUNTS,    // make every mount of this namespace private
    CJ_OP_OPEN_TREE,         // p path, slot: detached copy of the tree; a flags (CJ_TREE_*), b device, c inode expected
    CJ_OP_TMPFS,             // p target, q options, a MS_ flags
    CJ_OP_CHDIR,             // p path
    CJ_OP_MKDIR,             // p path, a mode; an existing directory is fine
    CJ_OP_TOUCH,             // p path, a mode; an existing file is fine
    CJ_OP_SYMLINK,           // p text of the link, q path
    CJ_OP_ATTACH,            // slot, p target, a attributes to set (MOUNT_ATTR_), b CJ_ATTACH_*
    CJ_OP_PROC,              // p target, a MS_ flags
    CJ_OP_DEVPTS,            // p target, q options, a MS_ flags
    CJ_OP_SET_ATTR,          // p path, a attributes to set, b attributes to clear, c 1 = recursive
    CJ_OP_PIVOT,             // the current directory becomes the root; the old one goes
    CJ_OP_WRITE,             // p path, q text
    CJ_OP_LOOPBACK_UP,
    CJ_OP_HOSTNAME,          // p name
    CJ_OP_SEND_FD,           // p path, a open flags, b tag (enum cj_fd_tag)
    CJ_OP_PTY,               // make a pty in /dev/pts, send its master, keep the slave for the job
    CJ_OP_LANDLOCK_CREATE,   // a file rights, b network rights, c scopes
    CJ_OP_LANDLOCK_PATH,     // p path, a file rights
    CJ_OP_SUBREAPER,         // where there is no pid namespace: orphans come to init
    CJ_OP_OVERLAY,           // p target, q options, a MS_ flags
    CJ_OP_UNMOUNT,           // p path: detached with everything below it
    CJ_OP_RMDIR,             // p path
    CJ_OP_PROBE_ATTRIBUTE,   // p directory: sets and removes the attribute that an overlay marks directories with
    CJ_OP_COUNT
};

#define CJ_OP_OPTIONAL 1U    // an absent path (ENOENT) skips the op

#define CJ_TREE_RECURSIVE 1U
#define CJ_TREE_CHECK_IDENTITY 2U
#define CJ_TREE_FOLLOW 4U

#define CJ_ATTACH_RECURSIVE_ATTR 1U
#define CJ_ATTACH_COPY 2U    // attach a further copy and keep the slot

struct cj_op {
    uint16_t kind;
    uint16_t flags;
    int32_t slot;
    uint32_t p;
    uint32_t q;
    uint64_t a;
    uint64_t b;
    uint64_t c;
};

struct cj_rlimit {
    uint32_t resource;
    uint32_t reserved;
    uint64_t soft;
    uint64_t hard;
};

// An attack that must be refused in the finished jail, before the command.
enum cj_canary_kind {
    CJ_CANARY_CREATE_FILE = 1, // p: create this path
    CJ_CANARY_OPEN_READ,       // p: open this path for reading
    CJ_CANARY_CONNECT,         // TCP connect to 192.0.2.1:9 (TEST-NET-1)
    CJ_CANARY_MOUNT,           // mount a tmpfs on p
    CJ_CANARY_UNSHARE_USER,    // a user namespace of its own
    CJ_CANARY_PTRACE,          // ptrace of pid 1
    CJ_CANARY_SET_HOSTNAME,    // needs CAP_SYS_ADMIN
    CJ_CANARY_EXEC_MAP,        // map a new file in p as executable
    CJ_CANARY_COUNT
};
#define CJ_MAX_CANARIES 10

struct cj_canary {
    uint32_t kind;
    uint32_t p;
};

struct cj_filter {
    uint32_t offset;  // of struct sock_filter[]
    uint32_t length;  // instructions
    uint32_t flags;   // CJ_FILTER_*
    uint32_t reserved;
};
#define CJ_MAX_FILTERS 2
#define CJ_FILTER_LISTENER 1U

// Plan flags.
#define CJ_PLAN_PID_NAMESPACE 1U  // init is pid 1 of a pid namespace of its own
#define CJ_PLAN_LANDLOCK 2U
#define CJ_PLAN_TTY 4U
#define CJ_PLAN_DROP_IDS_LATE 8U  // no user namespace: the job half becomes uid/gid itself
#define CJ_PLAN_SECUREBITS 16U    // CAP_SETPCAP is held: lock securebits and empty the bounding set

struct cj_plan_header {
    uint64_t magic;
    uint32_t version;
    uint32_t size;
    uint32_t op_offset;
    uint32_t op_count;
    uint32_t rlimit_offset;
    uint32_t rlimit_count;
    uint32_t argv_offset;  // uint32_t string offsets
    uint32_t argc;
    uint32_t envp_offset;
    uint32_t envc;
    uint32_t exec_path;
    uint32_t cwd_path;
    uint64_t cwd_device;   // expected identity; 0,0 = not checked
    uint64_t cwd_inode;
    struct cj_filter filters[CJ_MAX_FILTERS];
    uint32_t filter_count;
    uint32_t canary_offset;
    uint32_t canary_count;
    uint32_t flags;
    uint32_t umask;
    uint32_t securebits;
    uint32_t last_capability;
    uint32_t uid;
    uint32_t gid;
    uint32_t landlock_flags;
    uint64_t parent_pid_namespace; // inode; init must not be in it when CJ_PLAN_PID_NAMESPACE is set
};

// Descriptors that come with a CJ_MSG_FD message.
enum cj_fd_tag {
    CJ_TAG_PROC = 1,
    CJ_TAG_TMP,
    CJ_TAG_SHM,
    CJ_TAG_HOME,
    CJ_TAG_PTY,
    CJ_TAG_LISTENER,
    CJ_TAG_UPPER
};

// Messages on the control socket (SOCK_SEQPACKET), always of this size.
enum cj_msg_kind {
    // from init and the job half
    CJ_MSG_OP_FAILED = 1,  // index op, error
    CJ_MSG_TAIL_FAILED,    // index enum cj_tail, error, detail
    CJ_MSG_FD,             // index enum cj_fd_tag, one descriptor
    CJ_MSG_APPLIED,        // v: effective, permitted, inheritable, bounding, ambient, nnp, securebits, filters, uid<<32|gid
    CJ_MSG_CANARIES,       // index count, v errno each
    CJ_MSG_STARTED,        // v[0] ns at start, v[1] ns set-up done, v[2] ns exec done (CLOCK_MONOTONIC), v[3] pid
    CJ_MSG_EXITED,         // error wait status, v[0] user us, v[1] system us, v[2] max rss KiB, v[3] orphans killed
    // from the parent
    CJ_MSG_GO,             // detail number of descriptors that come with it: slots 0 … detail-1
    CJ_MSG_SIGNAL,         // index signal: to the job's process group
    CJ_MSG_KILL            // everything dies now
};

struct cj_msg {
    uint32_t kind;
    uint32_t index;
    int32_t error;
    uint32_t detail;
    uint64_t v[10];
};

// The fixed tail of the job half, in order: code, not ops, so that no policy can reorder it.
enum cj_tail {
    CJ_TAIL_PLAN = 1,
    CJ_TAIL_GO,
    CJ_TAIL_PID_NAMESPACE,
    CJ_TAIL_FORK,
    CJ_TAIL_SETSID,
    CJ_TAIL_TTY,
    CJ_TAIL_RLIMIT,
    CJ_TAIL_CWD,
    CJ_TAIL_NO_NEW_PRIVS,
    CJ_TAIL_LANDLOCK,
    CJ_TAIL_SECUREBITS,
    CJ_TAIL_BOUNDING,
    CJ_TAIL_IDS,
    CJ_TAIL_CAPABILITIES,
    CJ_TAIL_CLOSE_RANGE,
    CJ_TAIL_SECCOMP,
    CJ_TAIL_LISTENER,
    CJ_TAIL_READ_BACK,
    CJ_TAIL_CANARY,
    CJ_TAIL_EXEC,
    CJ_TAIL_COUNT
};

_Static_assert(sizeof(struct cj_op) == 40, "cj_op is laid out by JailPlan");
_Static_assert(sizeof(struct cj_rlimit) == 24, "cj_rlimit is laid out by JailPlan");
_Static_assert(sizeof(struct cj_canary) == 8, "cj_canary is laid out by JailPlan");
_Static_assert(sizeof(struct cj_msg) == 96, "cj_msg is one datagram");

#endif
