// F rows: single files. Paths come from the test, so the same attack serves many rows.
#define _GNU_SOURCE
#include "probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int read_file(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused("open");
    char data[256];
    ssize_t got = read(fd, data, sizeof data);
    if (got < 0) return refused("read");
    if (got == 0) return refused_because("empty");
    printf("read %zd bytes\n", got);
    return worked("read");
}

static int write_file(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return refused("open for writing");
    return judge(write(fd, "escaped\n", 8), "write");
}

static bool make_parents(const char *path) {
    char partial[PATH_MAX];
    for (size_t i = 1; path[i] && i < sizeof partial; i++) {
        if (path[i] != '/') continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST && errno != EROFS) return false;
    }
    return true;
}

// The directories above it do not exist at the start of the run.
static int write_deep(int argc, char **argv) {
    if (!make_parents(argv[0])) return refused("mkdir");
    return write_file(argc, argv);
}

static int make_directory_deep(int argc, char **argv) {
    (void)argc;
    if (!make_parents(argv[0])) return refused("mkdir");
    return judge(mkdir(argv[0], 0755), "mkdir");
}

// Opens for writing and writes nothing: for kernel files that must not be changed even by a control run.
static int open_for_writing(int argc, char **argv) {
    (void)argc;
    return judge(open(argv[0], O_WRONLY | O_CLOEXEC), "open for writing");
}

// As `openat2`, which filters on openat do not see.
static int write_by_openat2(int argc, char **argv) {
    (void)argc;
    struct {
        unsigned long long flags, mode, resolve;
    } how = {.flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, .mode = 0644};
    long fd = syscall(SYS_openat2, AT_FDCWD, argv[0], &how, sizeof how);
    if (fd < 0) return refused("openat2");
    return judge(write((int)fd, "escaped\n", 8), "write");
}

static int create_exclusive(int argc, char **argv) {
    (void)argc;
    return judge(open(argv[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), "create");
}

static int list_directory(int argc, char **argv) {
    (void)argc;
    DIR *dir = opendir(argv[0]);
    if (!dir) return refused("opendir");
    int entries = 0;
    for (struct dirent *e; (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) entries++;
    closedir(dir);
    return entries > 0 ? worked("list") : refused_because("nothing in it");
}

static int look(int argc, char **argv) {
    (void)argc;
    struct stat info;
    return judge(stat(argv[0], &info), "stat");
}

static int make_directory(int argc, char **argv) {
    (void)argc;
    return judge(mkdir(argv[0], 0755), "mkdir");
}

static int truncate_file(int argc, char **argv) {
    (void)argc;
    return judge(truncate(argv[0], 0), "truncate");
}

static int remove_file(int argc, char **argv) {
    (void)argc;
    return judge(unlink(argv[0]), "unlink");
}

static int remove_directory(int argc, char **argv) {
    (void)argc;
    return judge(rmdir(argv[0]), "rmdir");
}

static int rename_path(int argc, char **argv) {
    (void)argc;
    return judge(rename(argv[0], argv[1]), "rename");
}

static int exchange_paths(int argc, char **argv) {
    (void)argc;
    return judge(renameat2(AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE), "renameat2(RENAME_EXCHANGE)");
}

static int hard_link(int argc, char **argv) {
    (void)argc;
    return judge(linkat(AT_FDCWD, argv[0], AT_FDCWD, argv[1], 0), "link");
}

static int hard_link_then_write(int argc, char **argv) {
    if (linkat(AT_FDCWD, argv[0], AT_FDCWD, argv[1], 0) != 0) return refused("link");
    return write_file(argc - 1, argv + 1);
}

static int link_then_write(int argc, char **argv) {
    if (symlink(argv[0], argv[1]) != 0) return refused("symlink");
    return write_file(argc - 1, argv + 1);
}

static int link_then_read(int argc, char **argv) {
    if (symlink(argv[0], argv[1]) != 0) return refused("symlink");
    return read_file(argc - 1, argv + 1);
}

static int change_mode(int argc, char **argv) {
    (void)argc;
    return judge(chmod(argv[0], 0604), "chmod");
}

static int change_times(int argc, char **argv) {
    (void)argc;
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    return judge(utimensat(AT_FDCWD, argv[0], times, 0), "utimensat");
}

static int change_owner(int argc, char **argv) {
    (void)argc;
    return judge(chown(argv[0], getuid(), getgid()), "chown");
}

static int set_attribute(int argc, char **argv) {
    (void)argc;
    return judge(setxattr(argv[0], "user.escape", "1", 1, 0), "setxattr");
}

// A version 2 capability set with CAP_NET_RAW permitted.
static int set_file_capability(int argc, char **argv) {
    (void)argc;
    const unsigned value[5] = {0x02000001, 1u << 13, 0, 0, 0};
    return judge(setxattr(argv[0], "security.capability", value, sizeof value, 0), "setxattr(security.capability)");
}

static int make_char_device(int argc, char **argv) {
    (void)argc;
    return judge(mknod(argv[0], S_IFCHR | 0666, makedev(1, 3)), "mknod(char)");
}

static int make_block_device(int argc, char **argv) {
    (void)argc;
    return judge(mknod(argv[0], S_IFBLK | 0666, makedev(7, 0)), "mknod(block)");
}

// mknod takes the mode as a 16 or 32 bit number; the upper half is noise that a 64-bit comparison trips over.
static int make_device_high_bits(int argc, char **argv) {
    (void)argc;
    return judge(
        syscall(SYS_mknodat, AT_FDCWD, argv[0], 0xdead000000000000ULL | S_IFCHR | 0666, makedev(1, 3)),
        "mknodat with high bits");
}

static int open_by_handle(int argc, char **argv) {
    (void)argc;
    struct {
        struct file_handle head;
        unsigned char data[MAX_HANDLE_SZ];
    } handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, argv[0], &handle.head, &mount_id, 0) != 0) return refused("name_to_handle_at");
    int where = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (where < 0) return refused("open /");
    return judge(open_by_handle_at(where, &handle.head, O_RDONLY), "open_by_handle_at");
}

// Reads a path through /proc/PID/root, cwd or fd of the parent.
static int read_through_parent(int argc, char **argv) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/%s", getppid(), argv[0]);
    char *argument[] = {path, NULL};
    (void)argc;
    return read_file(1, argument);
}

static int link_text_of_parent(int argc, char **argv) {
    (void)argc;
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/%s", getppid(), argv[0]);
    return judge(readlink(path, target, sizeof target), "readlink");
}

// Searches the environment and the command line of every visible process for a token.
static int find_token(int argc, char **argv) {
    (void)argc;
    DIR *proc = opendir("/proc");
    if (!proc) return refused("opendir /proc");
    size_t token = strlen(argv[1]);
    static char data[1 << 20];
    for (struct dirent *e; (e = readdir(proc));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9') continue;
        // The probe's own command line holds the token that it looks for.
        if (strcmp(argv[0], "cmdline") == 0 && atoi(e->d_name) == getpid()) continue;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "/proc/%s/%s", e->d_name, argv[0]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        size_t used = 0;
        for (ssize_t got; used < sizeof data && (got = read(fd, data + used, sizeof data - used)) > 0;)
            used += (size_t)got;
        close(fd);
        if (memmem(data, used, argv[1], token)) {
            printf("found in %s\n", path);
            closedir(proc);
            return worked("token found");
        }
    }
    closedir(proc);
    return refused_because("token not found");
}

static int environment_has(int argc, char **argv) {
    int found = 0;
    for (int i = 0; i < argc; i++) {
        const char *value = getenv(argv[i]);
        if (!value) continue;
        printf("%s=%s\n", argv[i], value);
        found++;
    }
    return found > 0 ? worked("environment") : refused_because("none of these names is set");
}

const struct attack file_attacks[] = {
    {"read", read_file, "PATH"},
    {"write", write_file, "PATH"},
    {"open-write", open_for_writing, "PATH"},
    {"openat2-write", write_by_openat2, "PATH"},
    {"create", create_exclusive, "PATH"},
    {"list", list_directory, "PATH"},
    {"stat", look, "PATH"},
    {"mkdir", make_directory, "PATH"},
    {"write-deep", write_deep, "PATH"},
    {"mkdir-deep", make_directory_deep, "PATH"},
    {"truncate", truncate_file, "PATH"},
    {"unlink", remove_file, "PATH"},
    {"rmdir", remove_directory, "PATH"},
    {"rename", rename_path, "FROM TO"},
    {"exchange", exchange_paths, "FROM TO"},
    {"link", hard_link, "FROM TO"},
    {"link-write", hard_link_then_write, "FROM TO"},
    {"symlink-write", link_then_write, "TARGET LINK"},
    {"symlink-read", link_then_read, "TARGET LINK"},
    {"chmod", change_mode, "PATH"},
    {"utime", change_times, "PATH"},
    {"chown", change_owner, "PATH"},
    {"setxattr", set_attribute, "PATH"},
    {"file-capability", set_file_capability, "PATH"},
    {"mknod-char", make_char_device, "PATH"},
    {"mknod-block", make_block_device, "PATH"},
    {"mknod-high-bits", make_device_high_bits, "PATH"},
    {"open-by-handle", open_by_handle, "PATH"},
    {"parent-read", read_through_parent, "NAME"},
    {"parent-link", link_text_of_parent, "NAME"},
    {"find-token", find_token, "FILE TOKEN"},
    {"env-has", environment_has, "NAME"},
    {0},
};
