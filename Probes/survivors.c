// P1, P2, P3: processes that want to outlive their run. Each takes a lock on a file and holds it as long as it lives,
// so that a test learns the truth from the lock and not from a clock. All end by themselves after twenty seconds.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void hold(const char *path, int ready) {
    alarm(20);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) _exit(1);
    char text[32];
    int length = snprintf(text, sizeof text, "%d\n", getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)length) < 0) _exit(1);
    if (write(ready, "r", 1) != 1) _exit(1);
    close(ready);
    for (;;) pause();
}

static void ignore_everything(void) {
    for (int signal_number = 1; signal_number < 32; signal_number++)
        if (signal_number != SIGALRM && signal_number != SIGKILL && signal_number != SIGSTOP)
            signal(signal_number, SIG_IGN);
}

static int wait_ready(int fd) {
    char byte;
    return read(fd, &byte, 1) == 1 ? worked("the daemon runs") : broken("the daemon did not start");
}

// A new session and two forks: the classic daemon.
static int daemonise(int argc, char **argv) {
    (void)argc;
    int ready[2];
    if (pipe(ready) != 0) return broken("pipe");
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        ignore_everything();
        hold(argv[0], ready[1]);
    }
    waitpid(child, NULL, 0);
    close(ready[1]);
    return wait_ready(ready[0]);
}

// A background child that keeps the output pipes open and ignores every signal.
static int background(int argc, char **argv) {
    (void)argc;
    int ready[2];
    if (pipe(ready) != 0) return broken("pipe");
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        ignore_everything();
        hold(argv[0], ready[1]);
    }
    close(ready[1]);
    return wait_ready(ready[0]);
}

// As `daemon`, but the daemon keeps appending to a second file: a write after the end would be seen in its size.
static int writer(int argc, char **argv) {
    (void)argc;
    int ready[2];
    if (pipe(ready) != 0) return broken("pipe");
    pid_t child = fork();
    if (child < 0) return broken("fork");
    if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        alarm(20);
        int lock = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        int log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (lock < 0 || log < 0 || flock(lock, LOCK_EX) != 0) _exit(1);
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (;;) {
            if (write(log, ".", 1) != 1) _exit(1);
            usleep(2000);
        }
    }
    waitpid(child, NULL, 0);
    close(ready[1]);
    return wait_ready(ready[0]);
}

// Holds the lock in the foreground and says on standard output that it does: for tests that kill the supervisor.
static int stay(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) return broken("lock");
    alarm(20);
    if (write(1, "ready\n", 6) != 6) return broken("standard output");
    for (;;) pause();
}

// Stays, with a daemon and a stubborn child around it.
static int stay_with_family(int argc, char **argv) {
    char other[4096];
    snprintf(other, sizeof other, "%s.daemon", argv[0]);
    char *first[] = {other, NULL};
    if (daemonise(1, first) != WORKED) return BROKEN;
    snprintf(other, sizeof other, "%s.child", argv[0]);
    if (background(1, first) != WORKED) return BROKEN;
    fflush(stdout);
    ignore_everything();
    return stay(argc, argv);
}

// Whether somebody holds the lock: WORKED when it is held.
static int is_held(int argc, char **argv) {
    (void)argc;
    int fd = open(argv[0], O_RDWR | O_CLOEXEC);
    if (fd < 0) return broken("open of the lock");
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return refused_because("nobody holds the lock");
    return errno == EWOULDBLOCK ? worked("the lock is held") : broken("flock");
}

const struct attack survivor_attacks[] = {
    {"daemon", daemonise, "LOCK"},   {"background", background, "LOCK"},     {"daemon-writer", writer, "LOCK LOG"},
    {"stay", stay, "LOCK"},          {"stay-family", stay_with_family, "LOCK"}, {"is-held", is_held, "LOCK"},
    {0},
};
