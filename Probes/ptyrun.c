// ptyrun [--rows N] [--columns N] [--send TEXT] [--await TEXT] [--resize ROWSxCOLUMNS] … -- CMD…: runs a command on a
// terminal of its own and copies what the terminal shows to standard output. --await holds the next actions back until
// the terminal has shown that text. At the end it says on standard error how many typed bytes nobody read: that is what
// an attack with TIOCSTI leaves behind for the shell that comes next. The exit code is the command's.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { BROKEN = 20, LIMIT = 45, ACTIONS = 32 };

struct action {
    enum { SEND, AWAIT, RESIZE, SIGNAL } kind;
    const char *text;
};

static struct action actions[ACTIONS];
static int action_count, next_action;
static char shown[1 << 20];
static size_t shown_length, awaited_from;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "ptyrun: %s: %s\n", what, strerror(errno));
    exit(BROKEN);
}

// "\n", "\r", "\xHH" and "\\" in the text of --send.
static void send_text(int master, const char *text) {
    for (const char *c = text; *c; c++) {
        char byte = *c;
        if (byte == '\\' && c[1]) {
            c++;
            if (*c == 'x' && c[1] && c[2]) {
                char digits[3] = {c[1], c[2], 0};
                byte = (char)strtol(digits, NULL, 16);
                c += 2;
            } else {
                byte = *c == 'n' ? '\n' : *c == 'r' ? '\r' : *c;
            }
        }
        if (write(master, &byte, 1) != 1) fail("write to the terminal");
    }
}

static void resize(int terminal, const char *text, pid_t child) {
    struct winsize size = {0};
    unsigned rows, columns;
    if (sscanf(text, "%ux%u", &rows, &columns) != 2) fail("size");
    size.ws_row = (unsigned short)rows;
    size.ws_col = (unsigned short)columns;
    ioctl(terminal, TIOCSWINSZ, &size);
    (void)child;
}

static void act(int master, pid_t child) {
    while (next_action < action_count) {
        const struct action *a = &actions[next_action];
        if (a->kind == AWAIT) {
            const char *found =
                memmem(shown + awaited_from, shown_length - awaited_from, a->text, strlen(a->text));
            if (!found) return;
            awaited_from = (size_t)(found - shown) + strlen(a->text);
        } else if (a->kind == SEND) {
            send_text(master, a->text);
        } else if (a->kind == SIGNAL) {
            kill(child, atoi(a->text));
        } else {
            resize(master, a->text, child);
        }
        next_action++;
    }
}

static bool copy_out(int master) {
    char data[65536];
    ssize_t got = read(master, data, sizeof data);
    if (got <= 0) return false;
    for (ssize_t done = 0; done < got;) {
        ssize_t put = write(1, data + done, (size_t)(got - done));
        if (put <= 0) fail("standard output");
        done += put;
    }
    if (shown_length + (size_t)got <= sizeof shown) {
        memcpy(shown + shown_length, data, (size_t)got);
        shown_length += (size_t)got;
    }
    return true;
}

int main(int argc, char **argv) {
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int i = 1;
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--rows") == 0) {
            size.ws_row = (unsigned short)atoi(value);
        } else if (strcmp(argv[i], "--columns") == 0) {
            size.ws_col = (unsigned short)atoi(value);
        } else if (action_count < ACTIONS) {
            struct action *a = &actions[action_count++];
            a->text = value;
            if (strcmp(argv[i], "--send") == 0) a->kind = SEND;
            else if (strcmp(argv[i], "--await") == 0) a->kind = AWAIT;
            else if (strcmp(argv[i], "--resize") == 0) a->kind = RESIZE;
            else if (strcmp(argv[i], "--signal") == 0) a->kind = SIGNAL;
            else break;
        }
    }
    if (i + 1 >= argc || strcmp(argv[i], "--") != 0) {
        fprintf(stderr, "ptyrun: wrong usage\n");
        return BROKEN;
    }
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) fail("terminal");
    char name[128];
    if (ptsname_r(master, name, sizeof name) != 0) fail("ptsname");
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) fail(name);
    ioctl(slave, TIOCSWINSZ, &size);

    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        setsid();
        if (ioctl(slave, TIOCSCTTY, 0) != 0) _exit(BROKEN);
        dup2(slave, 0);
        dup2(slave, 1);
        dup2(slave, 2);
        execvp(argv[i + 1], argv + i + 1);
        _exit(127);
    }
    alarm(LIMIT);
    int status = 0;
    bool ended = false;
    for (;;) {
        act(master, child);
        struct pollfd wait_for = {.fd = master, .events = POLLIN};
        int ready = poll(&wait_for, 1, ended ? 0 : 10);
        if (ready > 0 && (wait_for.revents & POLLIN)) {
            if (!copy_out(master)) break;
            continue;
        }
        if (ended) break;
        ended = waitpid(child, &status, WNOHANG) == child;
    }
    // Bytes that were pushed into the terminal's input and read by nobody.
    struct termios raw;
    int left = 0;
    if (tcgetattr(slave, &raw) == 0) {
        raw.c_lflag &= ~(tcflag_t)ICANON;
        tcsetattr(slave, TCSANOW, &raw);
        ioctl(slave, FIONREAD, &left);
    }
    fprintf(stderr, "unread input: %d\n", left);
    if (next_action < action_count) fprintf(stderr, "not shown: %s\n", actions[next_action].text);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
