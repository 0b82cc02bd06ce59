#define _GNU_SOURCE
#include "ctestsupport.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int ct_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int ct_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int ct_spawn_in(posix_spawn_file_actions_t *actions, const char *directory) {
    return posix_spawn_file_actions_addchdir_np(actions, directory);
}

bool ct_contains(const void *all, size_t all_size, const void *part, size_t part_size) {
    return memmem(all, all_size, part, part_size) != NULL;
}

void ct_nonblocking(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

bool ct_is_unlocked(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return true;
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return is_free;
}

int ct_send_descriptor(int socket, int fd) {
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    memset(control, 0, sizeof control);
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}
