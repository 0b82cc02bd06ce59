// jail-init: replays the plan inside the fresh namespaces, starts the command, becomes its reaper.
//
// It trusts its plan (a sealed memfd that the supervisor wrote) and nothing else, and it believes the command nothing.
#include "init.h"

// The compiler may call these even in freestanding code.
void *memset(void *target, int value, size_t count);
void *memcpy(void *target, const void *source, size_t count);

void *memset(void *target, int value, size_t count) {
    volatile uint8_t *bytes = target;
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)value;
    return target;
}

void *memcpy(void *target, const void *source, size_t count) {
    volatile uint8_t *to = target;
    const uint8_t *from = source;
    for (size_t i = 0; i < count; i++) to[i] = from[i];
    return target;
}

void clear(void *memory, size_t count) { (void)memset(memory, 0, count); }

size_t length(const char *text) {
    size_t count = 0;
    while (text[count] != 0) count++;
    return count;
}

void quit(int status) {
    for (;;) (void)SYS1(__NR_exit_group, status);
}

uint64_t monotonic_ns(void) {
    struct { int64_t sec, nsec; } now = {0, 0};
    (void)SYS2(__NR_clock_gettime, 1, &now);
    return (uint64_t)now.sec * 1000000000ULL + (uint64_t)now.nsec;
}

struct message_header {
    void *name;
    uint32_t name_length;
    uint32_t pad1;
    struct { void *base; size_t length; } *vector;
    size_t vector_length;
    void *control;
    size_t control_length;
    uint32_t flags;
    uint32_t pad2;
};

#define CONTROL_HEADER 16U // cmsghdr: size_t length, int level, int type

long send_message(const struct cj_msg *message, int fd) {
    struct { void *base; size_t length; } vector = {(void *)(uintptr_t)message, sizeof *message};
    struct { size_t length; int32_t level, type; int32_t fd, pad; } control = {CONTROL_HEADER + 4, 1, 1, fd, 0};
    struct message_header header;
    clear(&header, sizeof header);
    header.vector = (void *)&vector;
    header.vector_length = 1;
    if (fd >= 0) {
        header.control = &control;
        header.control_length = sizeof control;
    }
    long result;
    do {
        result = SYS3(__NR_sendmsg, CJ_FD_CONTROL, &header, 0x4000 /* MSG_NOSIGNAL */);
    } while (result == -LJ_EINTR);
    return result;
}

void fail(uint32_t kind, uint32_t index, long error, uint32_t detail) {
    struct cj_msg message;
    clear(&message, sizeof message);
    message.kind = kind;
    message.index = index;
    message.error = (int32_t)(error < 0 ? -error : error);
    message.detail = detail;
    (void)send_message(&message, -1);
    quit(125);
}

const char *plan_string(const struct init *in, uint32_t offset) {
    return offset == 0 ? (const char *)0 : (const char *)(in->plan + offset);
}

// Waits for the supervisor's word: the id maps are written, the cgroup holds us. Descriptors that come along are the
// first slots.
static void await_go(struct init *in) {
    struct cj_msg message;
    union { uint8_t bytes[CONTROL_HEADER + 4 * CJ_MAX_SLOTS]; size_t align; } control;
    struct { void *base; size_t length; } vector = {&message, sizeof message};
    struct message_header header;
    clear(&header, sizeof header);
    clear(&control, sizeof control);
    header.vector = (void *)&vector;
    header.vector_length = 1;
    header.control = control.bytes;
    header.control_length = sizeof control;
    long got;
    do {
        got = SYS3(__NR_recvmsg, CJ_FD_CONTROL, &header, 0x40000000 /* MSG_CMSG_CLOEXEC */);
    } while (got == -LJ_EINTR);
    if (got != (long)sizeof message || message.kind != CJ_MSG_GO) quit(125);
    if (message.detail == 0) return;
    const size_t expected = CONTROL_HEADER + 4U * (size_t)message.detail;
    size_t have = 0;
    (void)memcpy(&have, control.bytes, sizeof have);
    if (message.detail > CJ_MAX_SLOTS || header.control_length < expected || have != expected) {
        fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_GO, LJ_EINVAL, 0);
    }
    (void)memcpy(in->slots, control.bytes + CONTROL_HEADER, 4U * (size_t)message.detail);
}

// ORDER: before anything is mounted, while /proc is still the host's: its /proc/self names our own pid namespace.
// The second guard of the reaper's kill(-1); the first is getpid() == 1.
static void check_pid_namespace(const struct init *in) {
    if ((in->header->flags & CJ_PLAN_PID_NAMESPACE) == 0) return;
    if (SYS0(__NR_getpid) != 1) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PID_NAMESPACE, LJ_EPERM, 1);
    struct { uint64_t words[32]; } status; // struct stat: inode is the second word on both architectures
    clear(&status, sizeof status);
    const long error = SYS4(__NR_newfstatat, LJ_AT_FDCWD, "/proc/self/ns/pid", &status, 0);
    // An outer /proc that does not show this pid namespace's tasks cannot answer; getpid() == 1 stands alone then.
    if (error == -LJ_ENOENT) return;
    if (error < 0) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PID_NAMESPACE, error, 2);
    if (status.words[1] == in->header->parent_pid_namespace) {
        fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PID_NAMESPACE, LJ_EPERM, 3);
    }
}

static void load_plan(struct init *in) {
    struct { uint64_t words[32]; } status;
    clear(&status, sizeof status);
    if (SYS2(__NR_fstat, CJ_FD_PLAN, &status) < 0) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PLAN, LJ_EINVAL, 1);
    const uint64_t size = status.words[6]; // st_size: the seventh word on both architectures
    if (size < sizeof(struct cj_plan_header) || size > CJ_PLAN_MAX_SIZE) {
        fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PLAN, LJ_EINVAL, 2);
    }
    const long address = SYS6(__NR_mmap, 0, size, 1 /* PROT_READ */, 2 /* MAP_PRIVATE */, CJ_FD_PLAN, 0);
    if (address < 0 && address > -4096) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PLAN, address, 3);
    in->plan = (const uint8_t *)address;
    in->header = (const struct cj_plan_header *)address;
    const struct cj_plan_header *h = in->header;
    const int sane = h->magic == CJ_PLAN_MAGIC && h->version == CJ_PLAN_VERSION && h->size == size &&
                     h->filter_count <= CJ_MAX_FILTERS && h->canary_count <= CJ_MAX_CANARIES && h->exec_path != 0;
    if (!sane) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_PLAN, LJ_EINVAL, 4);
    (void)SYS1(__NR_close, CJ_FD_PLAN);
}

__attribute__((noreturn, used)) void init_main(void);

void init_main(void) {
    struct init in;
    clear(&in, sizeof in);
    for (int i = 0; i < CJ_MAX_SLOTS; i++) in.slots[i] = -1;
    in.ruleset = -1;
    in.pty = -1;
    in.started = monotonic_ns();
    load_plan(&in);
    check_pid_namespace(&in);
    await_go(&in);
    // The plan's modes are exact; the job half sets the command's own mask.
    (void)SYS1(__NR_umask, 0);

    const struct cj_op *ops = (const struct cj_op *)(in.plan + in.header->op_offset);
    for (uint32_t i = 0; i < in.header->op_count; i++) {
        const long error = replay_op(&in, &ops[i]);
        if (error < 0) fail(CJ_MSG_OP_FAILED, i, error, ops[i].kind);
    }
    in.ready = monotonic_ns();

    // SIGCHLD is read from a signalfd; everything else would end init and with it the jail.
    const uint64_t all = ~0ULL;
    (void)SYS4(__NR_rt_sigprocmask, 0, &all, 0, 8);

    const long page = SYS6(__NR_mmap, 0, 4096, 3, 0x21 /* MAP_SHARED | MAP_ANONYMOUS */, -1, 0);
    if (page < 0 && page > -4096) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_FORK, page, 1);
    in.phase = (volatile uint32_t *)page;

    // A vfork that shares one page only: init resumes exactly when the exec worked or the job half is gone, and what the
    // job half does to its own memory cannot reach init.
    const long job = SYS5(__NR_clone, CJ_CLONE_VFORK | LJ_SIGCHLD, 0, 0, 0, 0);
    if (job < 0) fail(CJ_MSG_TAIL_FAILED, CJ_TAIL_FORK, job, 0);
    if (job == 0) run_job(&in);
    reap(&in, job);
}

#if defined(__x86_64__)
__asm__(".global _start\n_start:\n  xor %ebp,%ebp\n  and $-16,%rsp\n  call init_main\n");
#else
__asm__(".global _start\n_start:\n  mov x29,#0\n  mov x30,#0\n  bl init_main\n");
#endif
