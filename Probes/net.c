// N rows: ways to send a byte to somebody outside. Each needs a listener outside that answers "pong"; what counts is
// that the answer comes back, because a jail's own loopback swallows bytes without an error.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

static bool make_address(const char *host, const char *port, struct address *out) {
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->storage;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((unsigned short)number(port));
        out->length = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((unsigned short)number(port));
        out->length = sizeof *v6;
        return true;
    }
    return false;
}

static int open_socket(const struct address *to, int type, int protocol) {
    int fd = socket(to->storage.ss_family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0) return -1;
    struct timeval limit = {.tv_sec = 0, .tv_usec = 700000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

static int await_answer(int fd, const char *operation) {
    char answer[16];
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got >= 4 && memcmp(answer, "pong", 4) == 0) return worked(operation);
    if (got >= 0) errno = ECONNRESET;
    return refused(operation);
}

static int exchange(const struct address *to, int protocol, const char *operation) {
    int fd = open_socket(to, SOCK_STREAM, protocol);
    if (fd < 0) return refused("socket");
    if (connect(fd, (const struct sockaddr *)&to->storage, to->length) != 0) return refused("connect");
    if (send(fd, "ping", 4, MSG_NOSIGNAL) != 4) return refused("send");
    return await_answer(fd, operation);
}

static int tcp(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    return exchange(&to, 0, "tcp");
}

static int mptcp(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    return exchange(&to, IPPROTO_MPTCP, "mptcp");
}

static int fastopen_send(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    int fd = open_socket(&to, SOCK_STREAM, 0);
    if (fd < 0) return refused("socket");
    if (sendto(fd, "ping", 4, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&to.storage, to.length) < 0)
        return refused("sendto(MSG_FASTOPEN)");
    return await_answer(fd, "sendto(MSG_FASTOPEN)");
}

static int fastopen_connect(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    int fd = open_socket(&to, SOCK_STREAM, 0);
    if (fd < 0) return refused("socket");
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) != 0) return broken("TCP_FASTOPEN_CONNECT");
    if (connect(fd, (struct sockaddr *)&to.storage, to.length) != 0) return refused("connect");
    if (send(fd, "ping", 4, MSG_NOSIGNAL) != 4) return refused("send");
    return await_answer(fd, "TCP_FASTOPEN_CONNECT");
}

static int udp(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    int fd = open_socket(&to, SOCK_DGRAM, 0);
    if (fd < 0) return refused("socket");
    if (sendto(fd, "ping", 4, 0, (struct sockaddr *)&to.storage, to.length) != 4) return refused("sendto");
    return await_answer(fd, "udp");
}

static int udp_connected(int argc, char **argv) {
    (void)argc;
    struct address to;
    if (!make_address(argv[0], argv[1], &to)) return broken("address");
    int fd = open_socket(&to, SOCK_DGRAM, 0);
    if (fd < 0) return refused("socket");
    if (connect(fd, (struct sockaddr *)&to.storage, to.length) != 0) return refused("connect");
    struct iovec part = {.iov_base = "ping", .iov_len = 4};
    struct mmsghdr many = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    if (sendmmsg(fd, &many, 1, 0) != 1) return refused("sendmmsg");
    return await_answer(fd, "udp, connected");
}

static socklen_t unix_address(const char *name, bool is_abstract, struct sockaddr_un *out) {
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    size_t length = strlen(name);
    if (length >= sizeof out->sun_path - 1) return 0;
    memcpy(out->sun_path + (is_abstract ? 1 : 0), name, length);
    size_t used = offsetof(struct sockaddr_un, sun_path) + length + 1;
    return (socklen_t)used;
}

static int unix_exchange(const char *name, bool is_abstract) {
    struct sockaddr_un to;
    socklen_t length = unix_address(name, is_abstract, &to);
    if (length == 0) return broken("name");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused("socket");
    if (connect(fd, (struct sockaddr *)&to, length) != 0) return refused("connect");
    if (send(fd, "ping", 4, MSG_NOSIGNAL) != 4) return refused("send");
    return await_answer(fd, is_abstract ? "abstract unix" : "unix");
}

static int unix_path(int argc, char **argv) {
    (void)argc;
    return unix_exchange(argv[0], false);
}

static int unix_abstract(int argc, char **argv) {
    (void)argc;
    return unix_exchange(argv[0], true);
}

static int unix_datagram(int argc, char **argv) {
    (void)argc;
    struct sockaddr_un to;
    socklen_t length = unix_address(argv[0], false, &to);
    if (length == 0) return broken("name");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused("socket");
    return judge(sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, length), "sendto(unix datagram)");
}

const struct attack net_attacks[] = {
    {"tcp", tcp, "HOST PORT"},
    {"mptcp", mptcp, "HOST PORT"},
    {"tfo-send", fastopen_send, "HOST PORT"},
    {"tfo-connect", fastopen_connect, "HOST PORT"},
    {"udp", udp, "HOST PORT"},
    {"udp-connected", udp_connected, "HOST PORT"},
    {"unix", unix_path, "PATH"},
    {"unix-abstract", unix_abstract, "NAME"},
    {"unix-dgram", unix_datagram, "PATH"},
    {0},
};
