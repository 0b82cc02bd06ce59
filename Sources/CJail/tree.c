#define _GNU_SOURCE
#include "cj_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif

int cj_rename(int from_directory, const char *from, int to_directory, const char *to)
{
	return renameat(from_directory, from, to_directory, to);
}

int cj_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to)
{
	return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int cj_rename_exchange(int from_directory, const char *from, int to_directory, const char *to)
{
	return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}

int cj_link(int from_directory, const char *from, int to_directory, const char *to)
{
	return linkat(from_directory, from, to_directory, to, 0);
}

int cj_symlink(const char *text, int directory, const char *path)
{
	return symlinkat(text, directory, path);
}

int cj_whiteout(int directory, const char *path)
{
	return mknodat(directory, path, S_IFCHR, 0);
}

int cj_set_modified(int directory, const char *path, int64_t nanoseconds)
{
	struct timespec times[2];
	int64_t seconds = nanoseconds / 1000000000;
	int64_t rest = nanoseconds % 1000000000;

	if (rest < 0) {
		rest += 1000000000;
		seconds -= 1;
	}
	times[0].tv_sec = 0;
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_sec = (time_t)seconds;
	times[1].tv_nsec = (long)rest;
	if (path[0] == '\0')
		return futimens(directory, times);
	return utimensat(directory, path, times, AT_SYMLINK_NOFOLLOW);
}

uint64_t cj_mount_id(int fd)
{
	return cj_mount_id_at(fd, "");
}

uint64_t cj_mount_id_at(int directory, const char *path)
{
	struct statx found;
	int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;

	memset(&found, 0, sizeof found);
	if (statx(directory, path, flags, STATX_MNT_ID, &found) != 0 || (found.stx_mask & STATX_MNT_ID) == 0)
		return 0;
	return found.stx_mnt_id;
}

int cj_clone_file(int to, int from)
{
	return ioctl(to, FICLONE, from);
}

ssize_t cj_copy_range(int from, int to, size_t length)
{
	return copy_file_range(from, NULL, to, NULL, length, 0);
}

int64_t cj_seek_data(int fd, int64_t offset)
{
	return lseek(fd, offset, SEEK_DATA);
}

int64_t cj_seek_hole(int fd, int64_t offset)
{
	return lseek(fd, offset, SEEK_HOLE);
}

int cj_sync_filesystem(int fd)
{
	return syncfs(fd);
}

int64_t cj_file_time_ns(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

ssize_t cj_list_attributes(int fd, void *buffer, size_t length)
{
	return flistxattr(fd, buffer, length);
}

ssize_t cj_get_attribute(int fd, const char *name, void *buffer, size_t length)
{
	return fgetxattr(fd, name, buffer, length);
}

int cj_set_attribute(int fd, const char *name, const void *value, size_t length)
{
	return fsetxattr(fd, name, value, length, 0);
}

int cj_remove_attribute(int fd, const char *name)
{
	return fremovexattr(fd, name);
}
