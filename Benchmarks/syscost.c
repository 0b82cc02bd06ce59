// syscost [ROUNDS]: what one system call costs here, in nanoseconds: the lowest of several rounds, a line for each call.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void call_getppid(void) { syscall(SYS_getppid); }

static void call_stat(void) {
    struct stat info;
    stat("/usr/bin", &info);
}

static void call_open(void) {
    int fd = open("/usr/bin/env", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) close(fd);
}

static void call_socket(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) close(fd);
}

static void call_mmap(void) { syscall(SYS_madvise, NULL, 0, 0); }

static const struct {
    const char *name;
    void (*run)(void);
    int count;
} calls[] = {
    {"getppid", call_getppid, 20000}, {"stat", call_stat, 5000},     {"open+close", call_open, 5000},
    {"socket+close", call_socket, 2000}, {"madvise", call_mmap, 20000},
};

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 15;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        double best = 1e18;
        for (int round = 0; round < rounds; round++) {
            double from = now_ns();
            for (int n = 0; n < calls[i].count; n++) calls[i].run();
            double each = (now_ns() - from) / calls[i].count;
            if (each < best) best = each;
        }
        printf("%s %.1f\n", calls[i].name, best);
    }
    return 0;
}
