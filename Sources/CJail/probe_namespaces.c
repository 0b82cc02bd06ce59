#define _GNU_SOURCE
#include "probe_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* From <sys/mount.h>, which conflicts with <linux/mount.h> in Debian 12. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
enum { UNMOUNT_DETACH = 2 };

#define PRIVATE_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define ALL_NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

void probe_user_namespace(probe_result *result, const char *directory)
{
	(void)directory;
	probe_enter(result, 0);
}

void probe_all_namespaces(probe_result *result, const char *directory)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | ALL_NAMESPACES | SIGCHLD, 0, 0, 0, 0);

	(void)directory;
	if (child == 0)
		_exit(0);
	if (child < 0)
		probe_fail(result, "clone(NEWUSER|PID|NS|NET|IPC|UTS|CGROUP)");
	else
		waitpid((pid_t)child, NULL, 0);
}

void probe_root_namespaces(probe_result *result, const char *directory)
{
	(void)directory;
	if (unshare(ALL_NAMESPACES) != 0)
		probe_fail(result, "unshare(PID|NS|NET|IPC|UTS|CGROUP)");
}

/* Mounts a private tmpfs on a directory that every host has, and goes there. */
static int scratch(probe_result *result)
{
	static const char *const places[] = {"/tmp", "/run", "/mnt", "/var", "/usr", "/etc"};
	struct stat found;
	size_t index;

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) {
		probe_fail(result, "mount(MS_REC|MS_SLAVE)");
		return -1;
	}
	for (index = 0; index < sizeof places / sizeof places[0]; index++) {
		if (stat(places[index], &found) != 0 || !S_ISDIR(found.st_mode))
			continue;
		if (mount("tmpfs", places[index], "tmpfs", PRIVATE_FLAGS, "size=1m,mode=0700") != 0) {
			probe_fail(result, "mount(tmpfs)");
			return -1;
		}
		if (chdir(places[index]) != 0) {
			probe_fail(result, "chdir");
			return -1;
		}
		return 0;
	}
	probe_fail_with(result, ENOENT, "no directory to mount on");
	return -1;
}

void probe_tmpfs(probe_result *result, const char *directory)
{
	(void)directory;
	if (probe_enter(result, CLONE_NEWNS) == 0)
		scratch(result);
}

void probe_mount_api(probe_result *result, const char *directory)
{
	struct mount_attr attributes;
	int tree;

	(void)directory;
	if (probe_enter(result, CLONE_NEWNS) != 0 || scratch(result) != 0)
		return;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0) {
		probe_fail(result, "open_tree(OPEN_TREE_CLONE)");
		return;
	}
	memset(&attributes, 0, sizeof attributes);
	attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
		probe_fail(result, "mount_setattr(AT_RECURSIVE)");
		return;
	}
	if (mkdir("tree", 0700) != 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, "tree", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
		probe_fail(result, "move_mount");
		return;
	}
	if (access("tree", W_OK) == 0 || errno == ENOENT)
		probe_fail_with(result, EPROTO, "mount_setattr had no effect");
}

void probe_pivot_root(probe_result *result, const char *directory)
{
	(void)directory;
	if (probe_enter(result, CLONE_NEWNS) != 0 || scratch(result) != 0)
		return;
	if (syscall(SYS_pivot_root, ".", ".") != 0) {
		probe_fail(result, "pivot_root");
		return;
	}
	if (umount2(".", UNMOUNT_DETACH) != 0)
		probe_fail(result, "umount2(MNT_DETACH)");
}

static void mount_proc(probe_result *result, const char *directory)
{
	(void)directory;
	if (scratch(result) != 0)
		return;
	if (mkdir("proc", 0700) != 0 || mount("proc", "proc", "proc", PRIVATE_FLAGS, NULL) != 0)
		probe_fail(result, "mount(proc)");
}

void probe_proc_mount(probe_result *result, const char *directory)
{
	if (probe_enter(result, CLONE_NEWNS | CLONE_NEWPID) == 0)
		probe_in_child(result, directory, mount_proc);
}

void probe_overlay(probe_result *result, const char *directory)
{
	(void)directory;
	if (probe_enter(result, CLONE_NEWNS) != 0 || scratch(result) != 0)
		return;
	if (mkdir("lower", 0700) != 0 || mkdir("upper", 0700) != 0 || mkdir("work", 0700) != 0 ||
	    mkdir("merged", 0700) != 0) {
		probe_fail(result, "mkdir");
		return;
	}
	if (mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work,userxattr") != 0)
		probe_fail(result, "mount(overlay, userxattr)");
	else if (mkdir("merged/written", 0700) != 0)
		probe_fail(result, "mkdir in the overlay");
}

void probe_tmpfs_xattr(probe_result *result, const char *directory)
{
	(void)directory;
	if (probe_enter(result, CLONE_NEWNS) != 0 || scratch(result) != 0)
		return;
	if (mkdir("marked", 0700) != 0 || setxattr("marked", "user.overlay.probe", "y", 1, 0) != 0)
		probe_fail(result, "setxattr(user.overlay.probe)");
}

void probe_network_namespace(probe_result *result, const char *directory)
{
	struct ifreq request;
	int fd;

	(void)directory;
	if (probe_enter(result, CLONE_NEWNET) != 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		probe_fail(result, "socket");
		return;
	}
	memset(&request, 0, sizeof request);
	memcpy(request.ifr_name, "lo", 3);
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		probe_fail(result, "ioctl(SIOCSIFFLAGS, lo up)");
}

/* A user namespace 0 -> 100000 for an id-mapped mount: it needs a process in it until its descriptor is open. */
static int carrier(probe_result *result)
{
	char path[64];
	char byte = 0;
	int ready[2];
	int descriptor;
	pid_t child;

	if (pipe(ready) != 0 || (child = fork()) < 0) {
		probe_fail(result, "fork");
		return -1;
	}
	if (child == 0) {
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "y", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		probe_fail_with(result, EPERM, "unshare(CLONE_NEWUSER)");
		return -1;
	}
	snprintf(path, sizeof path, "/proc/%d/uid_map", (int)child);
	if (probe_write(path, "0 100000 1") != 0) {
		probe_fail(result, "write uid_map of another process");
		return -1;
	}
	snprintf(path, sizeof path, "/proc/%d/gid_map", (int)child);
	if (probe_write(path, "0 100000 1") != 0) {
		probe_fail(result, "write gid_map of another process");
		return -1;
	}
	snprintf(path, sizeof path, "/proc/%d/ns/user", (int)child);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		probe_fail(result, "open the user namespace");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return descriptor;
}

void probe_idmapped_mount(probe_result *result, const char *directory)
{
	struct mount_attr attributes;
	int namespace_fd = carrier(result);
	int tree;

	if (namespace_fd < 0)
		return;
	if (unshare(CLONE_NEWNS) != 0) {
		probe_fail(result, "unshare(CLONE_NEWNS)");
		return;
	}
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0) {
		probe_fail(result, "open_tree(OPEN_TREE_CLONE)");
		return;
	}
	memset(&attributes, 0, sizeof attributes);
	attributes.attr_set = MOUNT_ATTR_IDMAP;
	attributes.userns_fd = (uint64_t)namespace_fd;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
		probe_fail(result, "mount_setattr(MOUNT_ATTR_IDMAP)");
}

void probe_user_namespace_limit(probe_result *result, const char *directory)
{
	(void)directory;
	/* ORDER: only inside a namespace of our own; the same file is the host's setting before. */
	if (probe_enter(result, 0) != 0)
		return;
	if (probe_write("/proc/sys/user/max_user_namespaces", "0") != 0) {
		probe_fail(result, "write user.max_user_namespaces");
		return;
	}
	if (unshare(CLONE_NEWUSER) == 0)
		probe_fail_with(result, EPROTO, "a nested user namespace was still made");
}

static void forbid_memfd(probe_result *result, const char *directory)
{
	(void)directory;
	/* The setting belongs to the pid namespace: never touch it anywhere but in a new one. */
	if (getpid() != 1) {
		probe_fail_with(result, EPROTO, "no new pid namespace");
		return;
	}
	if (probe_write("/proc/sys/vm/memfd_noexec", "2") != 0)
		probe_fail(result, "write vm.memfd_noexec");
}

void probe_memfd_sysctl(probe_result *result, const char *directory)
{
	if (geteuid() == 0) {
		if (unshare(CLONE_NEWPID) != 0) {
			probe_fail(result, "unshare(CLONE_NEWPID)");
			return;
		}
	} else if (probe_enter(result, CLONE_NEWPID) != 0) {
		return;
	}
	probe_in_child(result, directory, forbid_memfd);
}
