// N rows: kinds of sockets that leave the network namespace or program the kernel, and rings that skip seccomp.
#define _GNU_SOURCE
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static int any_socket(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv) && !enter_own_namespaces(CLONE_NEWNET)) return broken("own namespaces");
    return judge(
        socket((int)number(argv[0]), (int)number(argv[1]), (int)number(argv[2])), "socket");
}

// The kernel takes the three arguments as int; a filter that compares 64 bits sees other numbers.
static int high_bits_socket(int argc, char **argv) {
    (void)argc;
    const uint64_t high = 0xdeadbeef00000000ULL;
    long fd = syscall(
        SYS_socket, high | (uint64_t)number(argv[0]), high | (uint64_t)number(argv[1]),
        high | (uint64_t)number(argv[2]));
    return judge(fd, "socket with high bits");
}

static int any_socketpair(int argc, char **argv) {
    (void)argc;
    int pair[2];
    return judge(socketpair((int)number(argv[0]), (int)number(argv[1]), 0, pair), "socketpair");
}

static unsigned short checksum(const void *data, size_t length) {
    const unsigned short *words = data;
    unsigned sum = 0;
    for (size_t i = 0; i < length / 2; i++) sum += words[i];
    sum = (sum >> 16) + (sum & 0xffff);
    return (unsigned short)~(sum + (sum >> 16));
}

static int ping(int argc, char **argv) {
    (void)argc;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd < 0) return refused("socket(raw icmp)");
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, argv[0], &to.sin_addr) != 1) return broken("address");
    struct icmphdr echo = {.type = ICMP_ECHO, .un.echo = {.id = htons(4242), .sequence = htons(1)}};
    echo.checksum = checksum(&echo, sizeof echo);
    if (sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to) < 0) return refused("sendto");
    return worked("icmp echo sent");
}

// Adds and removes an address of lo: what a jail with CAP_NET_ADMIN over its network could do to its own walls.
static int add_address(int argc, char **argv) {
    if (wants_own_namespaces(argc, argv) && !enter_own_namespaces(CLONE_NEWNET)) return broken("own namespaces");
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return refused("socket(netlink route)");
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg address;
        struct rtattr attribute;
        struct in_addr value;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_NEWADDR,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
                   .nlmsg_seq = 1},
        .address = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1},
        .attribute = {.rta_len = RTA_LENGTH(sizeof(struct in_addr)), .rta_type = IFA_LOCAL},
    };
    inet_pton(AF_INET, "192.0.2.77", &request.value);
    if (send(fd, &request, sizeof request, 0) < 0) return refused("send");
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } reply;
    if (recv(fd, &reply, sizeof reply, 0) < (ssize_t)(sizeof reply.header + sizeof reply.error))
        return refused("recv");
    errno = -reply.error.error;
    return reply.error.error == 0 ? worked("RTM_NEWADDR") : refused("RTM_NEWADDR");
}

static int ring_setup(int argc, char **argv) {
    (void)argc;
    (void)argv;
    struct io_uring_params parameters = {0};
    return judge(syscall(SYS_io_uring_setup, 2, &parameters), "io_uring_setup");
}

static int ring_enter(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge_reached(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0), "io_uring_enter");
}

static int ring_register(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return judge_reached(syscall(SYS_io_uring_register, -1, 0, NULL, 0), "io_uring_register");
}

// Opens a socket without the socket system call, which no filter on socket() sees.
static int ring_socket(int argc, char **argv) {
    (void)argc;
    struct io_uring_params p = {0};
    int ring = (int)syscall(SYS_io_uring_setup, 2, &p);
    if (ring < 0) return refused("io_uring_setup");
    size_t sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
    size_t cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
    char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqe = mmap(
        NULL, p.sq_entries * sizeof *sqe, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED) return refused("mmap of the ring");
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = IORING_OP_SOCKET;
    sqe->fd = (int)number(argv[0]);
    sqe->off = (unsigned long long)SOCK_STREAM;
    ((unsigned *)(sq + p.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return refused("io_uring_enter");
    int result = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))[0].res;
    errno = result < 0 ? -result : 0;
    return judge(result, "IORING_OP_SOCKET");
}

// A descriptor that was open in the caller of launch-jail is a hole in every wall.
static int leaked_descriptors(int argc, char **argv) {
    (void)argc;
    (void)argv;
    int found = 0;
    for (int fd = 3; fd < 4096; fd++) {
        if (fcntl(fd, F_GETFD) < 0) continue;
        char name[64], target[256] = "?";
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(name, target, sizeof target - 1);
        if (length > 0) target[length] = '\0';
        printf("descriptor %d is open: %s\n", fd, target);
        found++;
    }
    return found > 0 ? worked("inherited descriptors") : refused_because("no descriptor above 2");
}

static int use_descriptor(int argc, char **argv) {
    (void)argc;
    return judge(write((int)number(argv[0]), "ping", 4), "write to an inherited descriptor");
}

// Takes a descriptor out of a message that lies ready on standard input.
static int receive_descriptor(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(0, &message, MSG_DONTWAIT) < 0) return refused("recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) return refused_because("no descriptor came");
    return worked("SCM_RIGHTS");
}

const struct attack socket_attacks[] = {
    {"socket", any_socket, "FAMILY TYPE PROTOCOL [--own-ns]"},
    {"socket-high-bits", high_bits_socket, "FAMILY TYPE PROTOCOL"},
    {"socketpair", any_socketpair, "FAMILY TYPE"},
    {"ping", ping, "HOST"},
    {"add-address", add_address, "[--own-ns]"},
    {"io-uring-setup", ring_setup, ""},
    {"io-uring-enter", ring_enter, ""},
    {"io-uring-register", ring_register, ""},
    {"io-uring-socket", ring_socket, "FAMILY"},
    {"leaked-fds", leaked_descriptors, ""},
    {"write-fd", use_descriptor, "FD"},
    {"stdin-rights", receive_descriptor, ""},
    {0},
};
