// F rows: space, hidden storage, the mount interface, the kernel's control files.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MS_RDONLY
#define MS_RDONLY 1
#endif

// <sys/mount.h> and <linux/mount.h> do not go together.
extern int mount(const char *, const char *, const char *, unsigned long, const void *);

// Fills a file up to a size; the file is removed again. The attack worked when all of it fitted.
static int fill(int argc, char **argv) {
    (void)argc;
    long size = number(argv[1]);
    // RLIMIT_FSIZE would end the probe before it can say so.
    signal(SIGXFSZ, SIG_IGN);
    int fd = open(argv[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return refused("create");
    unlink(argv[0]);
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (long done = 0; done < size;) {
        size_t want = (size_t)(size - done) < sizeof block ? (size_t)(size - done) : sizeof block;
        ssize_t put = write(fd, block, want);
        if (put <= 0) return refused("write");
        done += put;
    }
    return worked("filled");
}

static int allocate(int argc, char **argv) {
    (void)argc;
    signal(SIGXFSZ, SIG_IGN);
    int fd = open(argv[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return refused("create");
    unlink(argv[0]);
    return judge(fallocate(fd, 0, 0, number(argv[1])), "fallocate");
}

static int sparse(int argc, char **argv) {
    (void)argc;
    signal(SIGXFSZ, SIG_IGN);
    int fd = open(argv[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return refused("create");
    unlink(argv[0]);
    return judge(ftruncate(fd, number(argv[1])), "ftruncate");
}

static int attach_shared_memory(int argc, char **argv) {
    (void)argc;
    int id = shmget((key_t)number(argv[0]), 1, 0);
    if (id < 0) return refused("shmget");
    const void *data = shmat(id, NULL, SHM_RDONLY);
    return data == (void *)-1 ? refused("shmat") : worked("shmat");
}

// Makes the segment that `shm` looks for, or removes it.
static int make_shared_memory(int argc, char **argv) {
    (void)argc;
    return judge(shmget((key_t)number(argv[0]), 4096, IPC_CREAT | IPC_EXCL | 0666), "shmget");
}

static int remove_shared_memory(int argc, char **argv) {
    (void)argc;
    int id = shmget((key_t)number(argv[0]), 1, 0);
    if (id < 0) return refused("shmget");
    return judge(shmctl(id, IPC_RMID, NULL), "shmctl");
}

static int open_queue(int argc, char **argv) {
    (void)argc;
    return judge((long)mq_open(argv[0], O_RDONLY | O_NONBLOCK), "mq_open");
}

static int make_queue(int argc, char **argv) {
    (void)argc;
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 16};
    return judge((long)mq_open(argv[0], O_RDWR | O_CREAT | O_EXCL, 0666, &attributes), "mq_open");
}

static int remove_queue(int argc, char **argv) {
    (void)argc;
    return judge(mq_unlink(argv[0]), "mq_unlink");
}

static int with_own_mounts(int argc, char **argv) {
    return !wants_own_namespaces(argc, argv) || enter_own_namespaces(CLONE_NEWNS) ? 0 : BROKEN;
}

static int mount_tmpfs(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge(mount("none", "/tmp", "tmpfs", 0, NULL), "mount(tmpfs)");
}

static int mount_bind(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge(mount("/usr", "/tmp", NULL, 4096 | 16384, NULL), "mount(bind)");
}

static int mount_proc(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv) && !enter_own_namespaces(CLONE_NEWNS | CLONE_NEWPID))
        return broken("own namespaces");
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) _exit(mount("none", "/tmp", "proc", 0, NULL) == 0 ? 0 : errno);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return broken("waitpid");
    errno = WEXITSTATUS(status);
    return errno == 0 ? worked("mount(proc)") : refused("mount(proc)");
}

static int unmount(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv)) {
        if (!enter_own_namespaces(CLONE_NEWNS) || mount("none", "/tmp", "tmpfs", 0, NULL) != 0)
            return broken("own namespaces");
    }
    return judge(syscall(SYS_umount2, "/tmp", 2 /* MNT_DETACH */), "umount2");
}

static int change_root(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge(chroot("/usr"), "chroot");
}

static int pivot(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge_reached(syscall(SYS_pivot_root, "/usr", "/usr"), "pivot_root");
}

static int open_filesystem(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge(syscall(SYS_fsopen, "tmpfs", 0), "fsopen");
}

static int pick_filesystem(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge_reached(syscall(SYS_fspick, AT_FDCWD, "/tmp", 0), "fspick");
}

static int clone_tree(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge(
        syscall(SYS_open_tree, AT_FDCWD, "/usr", OPEN_TREE_CLONE | AT_RECURSIVE), "open_tree(OPEN_TREE_CLONE)");
}

static int move_tree(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    return judge_reached(
        syscall(SYS_move_mount, -1, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH), "move_mount");
}

// Clears read-only and noexec of the root mount: undoing the jail's own attributes.
static int set_mount_attributes(int argc, char **argv) {
    if (with_own_mounts(argc, argv)) return broken("own namespaces");
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NODEV};
    return judge(
        syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attributes, sizeof attributes), "mount_setattr");
}

static int remount_writable(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv)) {
        if (!enter_own_namespaces(CLONE_NEWNS) || mount("none", "/tmp", "tmpfs", MS_RDONLY, NULL) != 0)
            return broken("own namespaces");
        return judge(mount(NULL, "/tmp", NULL, 32, NULL), "mount(remount)");
    }
    return judge(mount(NULL, argc > 0 ? argv[0] : "/", NULL, 32 | 4096, NULL), "mount(remount)");
}

// Opens the limit of the cgroup that the probe is in, in whichever hierarchy has one.
static int open_cgroup_limit(int argc, char **argv) {
    (void)argc;
    (void)argv;
    FILE *groups = fopen("/proc/self/cgroup", "re");
    if (!groups) return refused("open /proc/self/cgroup");
    char line[1024];
    int result = -1;
    errno = ENOENT;
    while (result < 0 && fgets(line, sizeof line, groups)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        char file[2048];
        const char *kind = controllers + 1;
        if (strcmp(kind, "memory") == 0)
            snprintf(file, sizeof file, "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", path);
        else if (kind[0] == '\0')
            snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.max", path);
        else
            continue;
        result = open(file, O_WRONLY | O_CLOEXEC);
        if (result < 0 && kind[0] != '\0') {
            // The root group has the file too, where the group itself may not be shown.
            result = open("/sys/fs/cgroup/memory/memory.limit_in_bytes", O_WRONLY | O_CLOEXEC);
        }
    }
    fclose(groups);
    return judge(result, "open of the cgroup's limit");
}

const struct attack tree_attacks[] = {
    {"fill", fill, "PATH BYTES"},
    {"fallocate", allocate, "PATH BYTES"},
    {"sparse", sparse, "PATH BYTES"},
    {"shm", attach_shared_memory, "KEY"},
    {"shm-make", make_shared_memory, "KEY"},
    {"shm-remove", remove_shared_memory, "KEY"},
    {"mq", open_queue, "NAME"},
    {"mq-make", make_queue, "NAME"},
    {"mq-remove", remove_queue, "NAME"},
    {"mount-tmpfs", mount_tmpfs, "[--own-ns]"},
    {"mount-bind", mount_bind, "[--own-ns]"},
    {"mount-proc", mount_proc, "[--own-ns]"},
    {"umount", unmount, "[--own-ns]"},
    {"chroot", change_root, "[--own-ns]"},
    {"pivot-root", pivot, "[--own-ns]"},
    {"fsopen", open_filesystem, "[--own-ns]"},
    {"fspick", pick_filesystem, "[--own-ns]"},
    {"open-tree", clone_tree, "[--own-ns]"},
    {"move-mount", move_tree, "[--own-ns]"},
    {"mount-setattr", set_mount_attributes, "[--own-ns]"},
    {"remount", remount_writable, "[path | --own-ns]"},
    {"cgroup-limit", open_cgroup_limit, ""},
    {0},
};
