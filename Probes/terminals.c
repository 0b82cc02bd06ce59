// P7, P13: typing into somebody else's terminal.
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif
#ifndef TIOCCONS
#define TIOCCONS 0x541D
#endif

static int terminal(void) {
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    return fd >= 0 ? fd : 0;
}

static int type_byte(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char byte = '!';
    return judge(ioctl(terminal(), TIOCSTI, &byte), "ioctl(TIOCSTI)");
}

// The kernel looks at the low half of the request only.
static int type_byte_high_bits(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char byte = '!';
    return judge(
        syscall(SYS_ioctl, terminal(), 0xdeadbeef00000000ULL | TIOCSTI, &byte), "ioctl(TIOCSTI) with high bits");
}

// Not a console: the kernel answers EINVAL or ENOTTY to whoever is let through.
static int paste(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char subcode = 6;
    return judge_reached(ioctl(terminal(), TIOCLINUX, &subcode), "ioctl(TIOCLINUX)");
}

static int paste_high_bits(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char subcode = 6;
    return judge_reached(
        syscall(SYS_ioctl, terminal(), 0xdeadbeef00000000ULL | TIOCLINUX, &subcode),
        "ioctl(TIOCLINUX) with high bits");
}

static int has_terminal(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), "open of /dev/tty");
}

const struct attack terminal_attacks[] = {
    {"tiocsti", type_byte, ""},
    {"tiocsti-high-bits", type_byte_high_bits, ""},
    {"tioclinux", paste, ""},
    {"tioclinux-high-bits", paste_high_bits, ""},
    {"controlling-terminal", has_terminal, ""},
    {0},
};
