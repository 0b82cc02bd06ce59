#define _GNU_SOURCE
#include "cjail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int cj_control_pair(int32_t pair[2]) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) return -errno;
    pair[0] = fds[0];
    pair[1] = fds[1];
    return 0;
}

int cj_send(int socket, const struct cj_msg *message, const int32_t *fds, uint32_t count) {
    if (count > CJ_MAX_SLOTS) return -EINVAL;
    struct iovec vector = {(void *)(uintptr_t)message, sizeof *message};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * CJ_MAX_SLOTS)];
    } control;
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(part), fds, sizeof(int) * count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int cj_receive(int socket, struct cj_msg *message, int32_t *fd) {
    struct iovec vector = {message, sizeof *message};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *fd = -1;
    ssize_t got;
    do {
        got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return errno == ECONNRESET ? 0 : -errno;
    if (got == 0) return 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part != NULL; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
            int received = -1;
            memcpy(&received, CMSG_DATA(part), sizeof received);
            *fd = received;
        }
    }
    if ((size_t)got != sizeof *message) {
        if (*fd >= 0) close(*fd);
        *fd = -1;
        return -EPROTO;
    }
    return 1;
}

int cj_sealed_memfd(const char *name, const void *bytes, size_t size) {
    const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    size_t done = 0;
    while (done < size) {
        const ssize_t wrote = write(fd, (const char *)bytes + done, size - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            const int error = errno;
            close(fd);
            return -error;
        }
        done += (size_t)wrote;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        const int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cj_idmapped_tree(const char *path, int user_namespace_fd, uint64_t device, uint64_t inode) {
    // Not recursive: a file system below that cannot map ids would refuse the whole tree.
    const long fd = syscall(428 /* open_tree */, AT_FDCWD, path, CJ_OPEN_TREE_CLONE | O_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    if (fd < 0) return -errno;
    struct stat status;
    if (fstat((int)fd, &status) < 0 || (uint64_t)status.st_dev != device || (uint64_t)status.st_ino != inode) {
        close((int)fd);
        return -ESTALE;
    }
    struct cj_mount_attr attr = {.attr_set = CJ_MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace_fd};
    if (syscall(442 /* mount_setattr */, (int)fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) {
        const int error = errno;
        close((int)fd);
        return -error;
    }
    return (int)fd;
}
