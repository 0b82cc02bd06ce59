// P17, P18, P20: running code that may not be run.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXEC_FAILED 126

// Runs argv[0…] and tells whether the program was entered. The program's own exit code does not matter, except that the
// failed exec of a program that it starts cannot be told from its own.
static int run(const char *path, char **argv, const char *operation) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return broken("pipe");
    pid_t child = fork();
    if (child < 0) return refused("fork");
    if (child == 0) {
        execv(path, argv);
        int error = errno;
        if (write(report[1], &error, sizeof error) < 0) _exit(1);
        _exit(EXEC_FAILED);
    }
    close(report[1]);
    int error = 0;
    ssize_t got = read(report[0], &error, sizeof error);
    close(report[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (got == sizeof error) {
        errno = error;
        return refused(operation);
    }
    if (WIFSIGNALED(status)) {
        printf("ended by signal %d\n", WTERMSIG(status));
        return refused_because(operation);
    }
    return WEXITSTATUS(status) == 0 ? worked(operation) : refused_because("the program ran into an error");
}

static int execute(int argc, char **argv) {
    (void)argc;
    return run(argv[0], argv, "execve");
}

// The dynamic loader opens the program itself, so the kernel's exec check sees only the loader.
static int by_loader(int argc, char **argv) {
    (void)argc;
    char *words[] = {"ld.so", argv[1], NULL};
    return run(argv[0], words, "exec by the dynamic loader");
}

static int copy_file(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return -1;
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (out < 0) {
        close(in);
        return -1;
    }
    struct stat info;
    ssize_t sent = fstat(in, &info) == 0 ? sendfile(out, in, NULL, (size_t)info.st_size) : -1;
    if (sent >= 0) fchmod(out, 0755);
    close(in);
    close(out);
    return sent < 0 ? -1 : 0;
}

static int copy_and_execute(int argc, char **argv) {
    (void)argc;
    if (copy_file(argv[0], argv[1]) != 0) return refused("copy");
    char *words[] = {argv[1], NULL};
    int result = run(argv[1], words, "exec of the copy");
    unlink(argv[1]);
    return result;
}

static int copy_and_load(int argc, char **argv) {
    (void)argc;
    if (copy_file(argv[1], argv[2]) != 0) return refused("copy");
    char *words[] = {"ld.so", argv[2], NULL};
    int result = run(argv[0], words, "exec of the copy by the dynamic loader");
    unlink(argv[2]);
    return result;
}

static int link_and_execute(int argc, char **argv) {
    (void)argc;
    if (link(argv[0], argv[1]) != 0) return refused("link");
    char *words[] = {argv[1], NULL};
    int result = run(argv[1], words, "exec of the link");
    unlink(argv[1]);
    return result;
}

static int alias_and_execute(int argc, char **argv) {
    (void)argc;
    if (symlink(argv[0], argv[1]) != 0) return refused("symlink");
    char *words[] = {argv[1], NULL};
    int result = run(argv[1], words, "exec of the symbolic link");
    unlink(argv[1]);
    return result;
}

static int memory_file(const char *program) {
    int in = open(program, O_RDONLY | O_CLOEXEC);
    if (in < 0) return -1;
    int fd = memfd_create("escape", MFD_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(in, &info) != 0 || sendfile(fd, in, NULL, (size_t)info.st_size) < 0) return -1;
    close(in);
    return fd;
}

static int memfd_execute(int argc, char **argv) {
    (void)argc;
    int fd = memory_file(argv[0]);
    if (fd < 0) return refused("memfd_create");
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *words[] = {argv[0], NULL};
    return run(path, words, "exec of a memfd through /proc");
}

static int memfd_execveat(int argc, char **argv) {
    (void)argc;
    int fd = memory_file(argv[0]);
    if (fd < 0) return refused("memfd_create");
    pid_t child = fork();
    if (child < 0) return refused("fork");
    if (child == 0) {
        char *words[] = {argv[0], NULL}, *none[] = {NULL};
        syscall(SYS_execveat, fd, "", words, none, AT_EMPTY_PATH);
        _exit(EXEC_FAILED);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return worked("execveat of a memfd");
    errno = EACCES;
    return refused("execveat of a memfd");
}

// What dlopen does with a file.
static int map_executable(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused("open");
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return at == MAP_FAILED ? refused("mmap(PROT_EXEC)") : worked("mmap(PROT_EXEC)");
}

static int map_then_protect(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) return refused("open");
    void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) return refused("mmap");
    return judge(mprotect(at, 4096, PROT_READ | PROT_EXEC), "mprotect(PROT_EXEC)");
}

// Started by a copy of itself that is set-user-id: the effective id tells whether the bit counted.
static int has_other_user(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return geteuid() != getuid() ? worked("set-user-id") : refused_because("the set-user-id bit did not count");
}

static int through_set_user_id(int argc, char **argv) {
    (void)argc;
    char *words[] = {argv[0], "set-user-id", NULL};
    return run(argv[0], words, "set-user-id program");
}

const struct attack exec_attacks[] = {
    {"exec", execute, "PATH"},
    {"exec-loader", by_loader, "LOADER PATH"},
    {"exec-copy", copy_and_execute, "FROM TO"},
    {"exec-copy-loader", copy_and_load, "LOADER FROM TO"},
    {"exec-link", link_and_execute, "FROM TO"},
    {"symlink-exec", alias_and_execute, "FROM TO"},
    {"exec-memfd", memfd_execute, "PROGRAM"},
    {"exec-memfd-at", memfd_execveat, "PROGRAM"},
    {"map-exec", map_executable, "PATH"},
    {"protect-exec", map_then_protect, "PATH"},
    {"set-user-id", has_other_user, ""},
    {"exec-set-user-id", through_set_user_id, "PATH"},
    {0},
};
