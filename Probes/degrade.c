// degrade MODE[,MODE…] [--] CMD…: runs a command on a host that is poorer than this one.
//
//   no-userns      new namespaces, setns and the mount interface are refused (EPERM), clone3 does not exist: what the
//                  default seccomp profile of a container engine leaves
//   no-caps        as root: without the capabilities that such an engine takes away
//   uidmap-denied  a user namespace can be made, its uid_map cannot be written (EACCES) and nothing can be mounted in it:
//                  what AppArmor's restriction of unprivileged user namespaces does, here done by Landlock
//   masked-proc    /proc has masks and a read-only /proc/sys, so that the kernel refuses a fresh one below it
//   no-landlock    the Landlock calls do not exist
//   listener-busy  an outer runtime already owns the seccomp notifications
//   no-seccomp     installing a filter is refused
//   no-cgroup      as root: every cgroup hierarchy is read-only
//   no-perf        perf_event_open is refused
//   small-disk=DIR a file system of 64 KiB lies on the directory
//   uid=N          as root: the command runs as user and group N
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BROKEN = 125 };

static struct {
    bool no_userns, no_caps, uidmap_denied, masked_proc, no_landlock, listener_busy, no_seccomp, no_cgroup, no_perf;
    const char *small_disk;
    long uid;
} mode = {.uid = -1};

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "degrade: %s: %s\n", what, strerror(errno));
    exit(BROKEN);
}

static void check(int result, const char *what) {
    if (result < 0) {
        errno = -result;
        fail(what);
    }
}

static void parse_modes(char *text) {
    struct {
        const char *name;
        bool *flag;
    } names[] = {
        {"no-userns", &mode.no_userns},       {"no-caps", &mode.no_caps},
        {"uidmap-denied", &mode.uidmap_denied}, {"masked-proc", &mode.masked_proc},
        {"no-landlock", &mode.no_landlock},   {"listener-busy", &mode.listener_busy},
        {"no-seccomp", &mode.no_seccomp},     {"no-cgroup", &mode.no_cgroup},
        {"no-perf", &mode.no_perf},
    };
    for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
        bool known = strcmp(word, "none") == 0;
        if (strncmp(word, "uid=", 4) == 0) {
            mode.uid = atol(word + 4);
            known = true;
        }
        if (strncmp(word, "small-disk=", 11) == 0) {
            mode.small_disk = word + 11;
            known = true;
        }
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strcmp(word, names[i].name) != 0) continue;
            *names[i].flag = true;
            known = true;
        }
        if (!known) {
            fprintf(stderr, "degrade: unknown mode %s\n", word);
            exit(BROKEN);
        }
    }
}

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) fail(path);
    close(fd);
}

// A mount namespace of its own; an ordinary user gets a user namespace with the identity map first, as a rootless
// container engine would make.
static void enter_mount_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare((uid == 0 ? 0 : CLONE_NEWUSER) | CLONE_NEWNS) != 0) fail("unshare");
    if (uid != 0) {
        char map[64];
        write_text("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "%u %u 1", uid, uid);
        write_text("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "%u %u 1", gid, gid);
        write_text("/proc/self/gid_map", map);
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("private mounts");
}

static void bind_read_only(const char *path) {
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0) fail(path);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes) != 0) fail(path);
}

static void mask_proc(void) {
    const char *hidden[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats"};
    const char *fixed[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (access(hidden[i], F_OK) == 0 && mount("/dev/null", hidden[i], NULL, MS_BIND, NULL) != 0) fail(hidden[i]);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (access(fixed[i], F_OK) == 0) bind_read_only(fixed[i]);
}

static void change_mounts(void) {
    if (!mode.masked_proc && !mode.no_cgroup && !mode.small_disk) return;
    enter_mount_namespace();
    if (mode.masked_proc) mask_proc();
    if (mode.small_disk && mount("none", mode.small_disk, "tmpfs", 0, "size=64k,mode=777") != 0) fail(mode.small_disk);
    if (mode.no_cgroup) bind_read_only("/sys/fs/cgroup");
}

// Files below /proc cannot be opened for writing; everything else can.
static void forbid_writing_to_proc(void) {
    struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) fail("landlock_create_ruleset");
    DIR *root = opendir("/");
    if (!root) fail("/");
    for (struct dirent *entry; (entry = readdir(root));) {
        if (entry->d_type != DT_DIR || strcmp(entry->d_name, "proc") == 0 || entry->d_name[0] == '.') continue;
        int fd = openat(dirfd(root), entry->d_name, O_PATH | O_CLOEXEC);
        if (fd < 0) continue;
        struct landlock_path_beneath_attr rule = {
            .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE, .parent_fd = fd};
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) fail(entry->d_name);
        close(fd);
    }
    closedir(root);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0) fail("landlock_restrict_self");
    close(rules);
}

static void deny(scmp_filter_ctx filter, int error, ...) {
    va_list names;
    va_start(names, error);
    for (const char *name; (name = va_arg(names, const char *));) {
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR) continue;
        check(seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), number, 0), name);
    }
    va_end(names);
}

static void add_engine_rules(scmp_filter_ctx filter) {
    const unsigned long kinds[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,   CLONE_NEWPID,
                                   CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        check(
            seccomp_rule_add(
                filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, kinds[i], kinds[i])),
            "clone");
    deny(filter, ENOSYS, "clone3", NULL);
    deny(filter, EPERM, "unshare", "setns", "mount", "umount2", "umount", "pivot_root", "chroot", "fsopen", "fsconfig",
         "fsmount", "fspick", "open_tree", "move_mount", "mount_setattr", "bpf", "perf_event_open", "keyctl", "add_key",
         "request_key", "userfaultfd", "kexec_load", "init_module", "finit_module", "delete_module", NULL);
}

static scmp_filter_ctx make_filter(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) fail("seccomp_init");
    if (mode.no_userns) add_engine_rules(filter);
    if (mode.no_landlock)
        deny(filter, ENOSYS, "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", NULL);
    if (mode.no_perf && !mode.no_userns) deny(filter, EPERM, "perf_event_open", NULL);
    if (mode.no_seccomp) {
        deny(filter, EPERM, "seccomp", NULL);
        check(
            seccomp_rule_add(
                filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)),
            "prctl");
    }
    // A call that nothing makes: the listener is there, and never has anything to hear.
    if (mode.listener_busy) check(seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(acct), 0), "acct");
    return filter;
}

static void become(long uid) {
    if (setgroups(0, NULL) != 0 || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) != 0 ||
        setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) != 0)
        fail("change of user");
}

// What the usual engines leave to root in a container.
static void drop_capabilities(void) {
    const unsigned kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD, CAP_NET_RAW, CAP_SETGID,
                             CAP_SETUID, CAP_SETFCAP, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL,
                             CAP_AUDIT_WRITE};
    unsigned long long mask = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) mask |= 1ULL << kept[i];
    for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(mask & (1ULL << cap))) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &header, data) != 0) fail("capget");
    for (int i = 0; i < 2; i++) {
        unsigned part = (unsigned)(mask >> (32 * i));
        data[i].effective &= part;
        data[i].permitted &= part;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) != 0) fail("capset");
}

static int load_and_execute(void *command) {
    char **argv = command;
    scmp_filter_ctx filter = make_filter();
    check(seccomp_load(filter), "seccomp_load");
    execvp(argv[0], argv);
    fprintf(stderr, "degrade: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static pid_t child_pid;

static void pass_on(int number) { kill(child_pid, number); }

// The listener closes on exec, and a closed one is none. The child therefore shares its table of descriptors with this
// process until it execs, and the listener stays open here.
static int run_with_listener(char **argv) {
    static char stack[1 << 20] __attribute__((aligned(16)));
    child_pid = clone(load_and_execute, stack + sizeof stack, CLONE_FILES | SIGCHLD, argv);
    if (child_pid < 0) fail("clone");
    const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) signal(forwarded[i], pass_on);
    int status = 0;
    while (waitpid(child_pid, &status, 0) != child_pid)
        if (errno != EINTR) fail("waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "degrade: MODE[,MODE…] [--] CMD…\n");
        return BROKEN;
    }
    parse_modes(argv[1]);
    char **command = argv + (strcmp(argv[2], "--") == 0 ? 3 : 2);
    if (!command[0]) return BROKEN;
    // ORDER: mounts need capabilities, a change of user ends them, the filter forbids both.
    change_mounts();
    if (mode.no_caps) drop_capabilities();
    if (mode.uid >= 0) become(mode.uid);
    if (mode.uidmap_denied) forbid_writing_to_proc();
    if (mode.listener_busy) return run_with_listener(command);
    if (!mode.no_userns && !mode.no_landlock && !mode.no_seccomp && !mode.no_perf) {
        execvp(command[0], command);
        fail(command[0]);
    }
    return load_and_execute(command);
}
