/*
 * System calls on files and trees that the workspace needs: metadata, links, copies and durability. Like cj_system.h,
 * each returns -1 and sets errno, and decides nothing.
 */
#ifndef CJ_TREE_H
#define CJ_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* renameat2(2), Linux 3.15: plain, RENAME_NOREPLACE or RENAME_EXCHANGE. */
int cj_rename(int from_directory, const char *from, int to_directory, const char *to);
int cj_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to);
int cj_rename_exchange(int from_directory, const char *from, int to_directory, const char *to);

/* linkat(2) without following a last link; symlinkat(2). */
int cj_link(int from_directory, const char *from, int to_directory, const char *to);
int cj_symlink(const char *text, int directory, const char *path);

/* mknodat(2) of a character device 0:0, the whiteout of overlayfs. Unprivileged since Linux 5.8. */
int cj_whiteout(int directory, const char *path);

/* utimensat(2) of a path itself (never what a link points to); access time stays. With an empty path: of `directory`. */
int cj_set_modified(int directory, const char *path, int64_t nanoseconds);

/* The largest of statx(2)'s mount id (Linux 5.8) of an open file; 0 when the kernel does not tell. */
uint64_t cj_mount_id(int fd);

/* The same of a name, not following a last link. */
uint64_t cj_mount_id_at(int directory, const char *path);

/* ioctl(2) FICLONE: shares the blocks of `from`; EOPNOTSUPP, EXDEV or EINVAL where the file system cannot. */
int cj_clone_file(int to, int from);

/* copy_file_range(2) at both files' offsets. */
ssize_t cj_copy_range(int from, int to, size_t length);

/* lseek(2) SEEK_DATA and SEEK_HOLE. */
int64_t cj_seek_data(int fd, int64_t offset);
int64_t cj_seek_hole(int fd, int64_t offset);

/* syncfs(2) of the file system of an open file. */
int cj_sync_filesystem(int fd);

/* clock_gettime(2) CLOCK_REALTIME_COARSE in nanoseconds: the clock that stamps files. */
int64_t cj_file_time_ns(void);

/* flistxattr(2), fgetxattr(2), fsetxattr(2), fremovexattr(2). */
ssize_t cj_list_attributes(int fd, void *buffer, size_t length);
ssize_t cj_get_attribute(int fd, const char *name, void *buffer, size_t length);
int cj_set_attribute(int fd, const char *name, const void *value, size_t length);
int cj_remove_attribute(int fd, const char *name);

#endif
