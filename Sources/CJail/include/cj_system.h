/*
 * System calls that Swift's Glibc import does not offer: GNU extensions, variadic functions, and calls that Debian 12's
 * headers do not know. Each returns -1 and sets errno, like the call it wraps. Nothing here decides anything.
 */
#ifndef CJ_SYSTEM_H
#define CJ_SYSTEM_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* open(2) flags that need _GNU_SOURCE; the values differ by architecture, so C gives them. */
extern const int cj_o_path;

/* uname(2): release of the kernel and name of the machine, terminated, cut at the sizes. */
void cj_uname(char *release, size_t release_size, char *machine, size_t machine_size);

/* openat2(2), Linux 5.6. `resolve` is a set of RESOLVE_* bits. The descriptor is close-on-exec. */
int cj_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve);

/* readlinkat(2) into raw bytes. */
ssize_t cj_readlink(int directory, const char *path, void *buffer, size_t length);

/* getdents64(2): fills `buffer` with struct linux_dirent64 records and returns their length, 0 at the end. */
ssize_t cj_getdents(int fd, void *buffer, size_t length);

/* clock_gettime(2) in nanoseconds: CLOCK_BOOTTIME (includes suspend), CLOCK_REALTIME. These clocks cannot fail. */
int64_t cj_boot_time_ns(void);
int64_t cj_wall_time_ns(void);

/* The fields of struct stat with one width on every architecture; times in nanoseconds since 1970. */
struct cj_status {
	uint64_t device;
	uint64_t inode;
	uint64_t links;
	uint64_t size;
	uint64_t allocated; /* bytes */
	int64_t modified;
	int64_t changed;
	uint32_t mode; /* with the file type */
	uint32_t uid;
	uint32_t gid;
	uint32_t device_number; /* st_rdev of a device node */
};

/* fstatat(2); with an empty path, fstat(2) of `directory`. */
int cj_status(int directory, const char *path, int follow, struct cj_status *out);

struct cj_filesystem {
	uint64_t type;       /* statfs.f_type, as TMPFS_MAGIC */
	uint64_t block_size; /* bytes */
	uint64_t blocks;
	uint64_t blocks_free;
	uint64_t files;
	uint64_t files_free;
};

/* fstatfs(2). */
int cj_filesystem(int fd, struct cj_filesystem *out);

/* pipe2(2): both ends close-on-exec, and non-blocking when `nonblocking` is not 0. fds[0] is the reading end. */
int cj_pipe(int fds[2], int nonblocking);

/* fcntl(2) F_SETPIPE_SZ: returns the size that the kernel gave. */
int cj_pipe_size(int fd, int bytes);

/* ppoll(2) without a signal mask; `timeout_ns` below 0 waits for ever. */
int cj_poll(struct pollfd *entries, size_t count, int64_t timeout_ns);

/* signalfd(2): close-on-exec, non-blocking. */
int cj_signalfd(const sigset_t *mask);

/* Reads one struct signalfd_siginfo; returns the signal's number, 0 when none waits. */
int cj_signalfd_read(int fd, int32_t *sender_pid);

/* landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION: the ABI, or -1 with ENOSYS or EOPNOTSUPP. */
int cj_landlock_abi(void);

/* perf_event_open(2): the software task clock of `pid` and of every task that it makes from now on. */
int cj_task_clock(pid_t pid, int exclude_kernel);

/*
 * Whether perf_event_open(2) is permitted: 0, or -1 with EACCES, EPERM or ENOSYS. It asks for an event that does not
 * exist, because the kernel checks permission before it looks for the event: a real one, as the first on a machine,
 * makes the kernel patch its scheduler (5 to 8 ms).
 */
int cj_perf_is_permitted(void);

/* ioctl(2) on a terminal: window size and raw mode are in Terminal.swift; these two are variadic. */
int cj_window_size_get(int fd, uint16_t *rows, uint16_t *columns);
int cj_window_size_set(int fd, uint16_t rows, uint16_t columns);

/* fcntl(2) F_GETFL and F_SETFL. */
int cj_status_flags(int fd);
int cj_set_status_flags(int fd, int flags);

/* fcntl(2) F_DUPFD_CLOEXEC: the lowest free number that is at least `minimum`. */
int cj_duplicate(int fd, int minimum);

/* flock(2) LOCK_EX | LOCK_NB. */
int cj_lock(int fd);

#endif
