#define _GNU_SOURCE
#include "cj_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

const int cj_o_path = O_PATH;

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t cj_boot_time_ns(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return nanoseconds(now);
}

int64_t cj_wall_time_ns(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME, &now);
	return nanoseconds(now);
}

void cj_uname(char *release, size_t release_size, char *machine, size_t machine_size)
{
	struct utsname name;

	memset(&name, 0, sizeof name);
	uname(&name);
	snprintf(release, release_size, "%s", name.release);
	snprintf(machine, machine_size, "%s", name.machine);
}

int cj_status(int directory, const char *path, int follow, struct cj_status *out)
{
	struct stat found;
	int flags = (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (path[0] == '\0' ? AT_EMPTY_PATH : 0);

	if (fstatat(directory, path, &found, flags) != 0)
		return -1;
	out->device = (uint64_t)found.st_dev;
	out->inode = (uint64_t)found.st_ino;
	out->links = (uint64_t)found.st_nlink;
	out->size = found.st_size < 0 ? 0 : (uint64_t)found.st_size;
	out->allocated = found.st_blocks < 0 ? 0 : (uint64_t)found.st_blocks * 512;
	out->modified = nanoseconds(found.st_mtim);
	out->changed = nanoseconds(found.st_ctim);
	out->mode = found.st_mode;
	out->uid = found.st_uid;
	out->gid = found.st_gid;
	out->device_number = (uint32_t)found.st_rdev;
	return 0;
}

int cj_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve)
{
	struct open_how how;

	memset(&how, 0, sizeof how);
	how.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC);
	how.mode = mode;
	how.resolve = resolve;
	return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

ssize_t cj_readlink(int directory, const char *path, void *buffer, size_t length)
{
	return readlinkat(directory, path, buffer, length);
}

ssize_t cj_getdents(int fd, void *buffer, size_t length)
{
	return (ssize_t)syscall(SYS_getdents64, fd, buffer, length);
}

int cj_filesystem(int fd, struct cj_filesystem *out)
{
	struct statfs found;

	if (fstatfs(fd, &found) != 0)
		return -1;
	out->type = (uint64_t)found.f_type;
	out->block_size = (uint64_t)found.f_bsize;
	out->blocks = found.f_blocks;
	out->blocks_free = found.f_bfree;
	out->files = found.f_files;
	out->files_free = found.f_ffree;
	return 0;
}

int cj_pipe(int fds[2], int nonblocking)
{
	return pipe2(fds, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0));
}

int cj_pipe_size(int fd, int bytes)
{
	return fcntl(fd, F_SETPIPE_SZ, bytes);
}

int cj_poll(struct pollfd *entries, size_t count, int64_t timeout_ns)
{
	struct timespec timeout;

	if (timeout_ns < 0)
		return ppoll(entries, (nfds_t)count, NULL, NULL);
	timeout.tv_sec = (time_t)(timeout_ns / 1000000000);
	timeout.tv_nsec = (long)(timeout_ns % 1000000000);
	return ppoll(entries, (nfds_t)count, &timeout, NULL);
}

int cj_signalfd(const sigset_t *mask)
{
	return signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

int cj_signalfd_read(int fd, int32_t *sender_pid)
{
	struct signalfd_siginfo info;
	ssize_t length = read(fd, &info, sizeof info);

	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length != (ssize_t)sizeof info)
		return -1;
	*sender_pid = (int32_t)info.ssi_pid;
	return (int)info.ssi_signo;
}

int cj_landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
}

int cj_task_clock(pid_t pid, int exclude_kernel)
{
	struct perf_event_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	attributes.type = PERF_TYPE_SOFTWARE;
	attributes.size = sizeof attributes;
	attributes.config = PERF_COUNT_SW_TASK_CLOCK;
	attributes.inherit = 1;
	attributes.exclude_kernel = exclude_kernel ? 1 : 0;
	attributes.exclude_hv = exclude_kernel ? 1 : 0;
	return (int)syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int cj_perf_is_permitted(void)
{
	struct perf_event_attr attributes;
	long fd;

	memset(&attributes, 0, sizeof attributes);
	attributes.type = PERF_TYPE_SOFTWARE;
	attributes.size = sizeof attributes;
	attributes.config = UINT32_MAX;
	attributes.exclude_kernel = 1;
	fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close((int)fd);
	return fd >= 0 || errno == ENOENT ? 0 : -1;
}

int cj_window_size_get(int fd, uint16_t *rows, uint16_t *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0)
		return -1;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return 0;
}

int cj_window_size_set(int fd, uint16_t rows, uint16_t columns)
{
	struct winsize size;

	memset(&size, 0, sizeof size);
	size.ws_row = rows;
	size.ws_col = columns;
	return ioctl(fd, TIOCSWINSZ, &size);
}

int cj_status_flags(int fd)
{
	return fcntl(fd, F_GETFL);
}

int cj_set_status_flags(int fd, int flags)
{
	return fcntl(fd, F_SETFL, flags);
}

int cj_duplicate(int fd, int minimum)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, minimum);
}

int cj_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}
