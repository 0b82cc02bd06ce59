// escape-probe NAME [ARG…]: tries one attack. Exit 0: it worked. 10: refused. 20: could not be tried.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct attack *const families[] = {
    net_attacks,      socket_attacks,   file_attacks, tree_attacks,    namespace_attacks,
    process_attacks, survivor_attacks, exec_attacks, syscall_attacks, terminal_attacks,
};

const char *error_name(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "unknown error";
}

int worked(const char *what) {
    printf("WORKED %s\n", what);
    fflush(stdout);
    return WORKED;
}

int refused(const char *operation) {
    printf("REFUSED %s: %s\n", operation, error_name(errno));
    fflush(stdout);
    return REFUSED;
}

int refused_because(const char *reason) {
    printf("REFUSED %s\n", reason);
    fflush(stdout);
    return REFUSED;
}

int broken(const char *why) {
    int error = errno;
    printf("BROKEN %s (%s)\n", why, error_name(error));
    fflush(stdout);
    return BROKEN;
}

int judge(long result, const char *operation) {
    return result >= 0 ? worked(operation) : refused(operation);
}

int judge_reached(long result, const char *operation) {
    if (result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS)) return refused(operation);
    if (result < 0) printf("reached the kernel: %s\n", error_name(errno));
    return worked(operation);
}

static bool write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

bool enter_own_namespaces(int extra) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int flags = extra | (uid == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) != 0) return false;
    if (uid != 0) {
        char map[64];
        if (!write_text("/proc/self/setgroups", "deny")) return false;
        snprintf(map, sizeof map, "0 %u 1", uid);
        if (!write_text("/proc/self/uid_map", map)) return false;
        snprintf(map, sizeof map, "0 %u 1", gid);
        if (!write_text("/proc/self/gid_map", map)) return false;
    }
    if (extra & CLONE_NEWNS) return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return true;
}

bool wants_own_namespaces(int argc, char **argv) {
    return argc > 0 && strcmp(argv[argc - 1], "--own-ns") == 0;
}

long number(const char *text) {
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0') {
        printf("BROKEN not a number: %s\n", text);
        exit(BROKEN);
    }
    return value;
}

static void list(void) {
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const struct attack *a = families[f]; a->name; a++) printf("%s %s\n", a->name, a->usage);
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--list") == 0) {
        list();
        return argc < 2 ? BROKEN : 0;
    }
    // A probe that hangs would be taken for one that was refused slowly.
    alarm(50);
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        for (const struct attack *a = families[f]; a->name; a++) {
            if (strcmp(a->name, argv[1]) != 0) continue;
            int wanted = 0;
            for (const char *c = a->usage; *c; c++)
                if (*c >= 'A' && *c <= 'Z' && (c == a->usage || c[-1] == ' ')) wanted++;
            if (argc - 2 < wanted) {
                printf("BROKEN usage: %s %s\n", a->name, a->usage);
                return BROKEN;
            }
            return a->run(argc - 2, argv + 2);
        }
    }
    printf("BROKEN no such attack: %s\n", argv[1]);
    return BROKEN;
}
