#define _GNU_SOURCE
#include "probe_internal.h"
#include "cj_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static void end_child(pid_t child)
{
	if (child > 1)
		kill(child, SIGKILL);
	while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		continue;
}

void probe_clone3(probe_result *result, const char *directory)
{
	struct clone_args arguments;
	int pidfd = -1;
	long child;

	(void)directory;
	memset(&arguments, 0, sizeof arguments);
	arguments.flags = CLONE_PIDFD;
	arguments.pidfd = (uint64_t)(uintptr_t)&pidfd;
	arguments.exit_signal = SIGCHLD;
	child = syscall(SYS_clone3, &arguments, sizeof arguments);
	if (child == 0)
		_exit(0);
	if (child < 0)
		probe_fail(result, "clone3(CLONE_PIDFD)");
	else
		waitpid((pid_t)child, NULL, 0);
}

void probe_pidfd(probe_result *result, const char *directory)
{
	struct pollfd entry = {.fd = -1, .events = POLLIN};
	pid_t child = probe_idle_child(result);

	(void)directory;
	if (child < 0)
		return;
	/* pidfd_open(2), 5.3; pidfd_send_signal(2), 5.1. */
	entry.fd = (int)syscall(SYS_pidfd_open, child, 0);
	if (entry.fd < 0)
		probe_fail(result, "pidfd_open");
	else if (syscall(SYS_pidfd_send_signal, entry.fd, SIGKILL, NULL, 0) != 0)
		probe_fail(result, "pidfd_send_signal");
	else if (poll(&entry, 1, 1000) != 1)
		probe_fail_with(result, EPROTO, "the pidfd did not tell the end of its process");
	end_child(child);
}

void probe_memfd_seal(probe_result *result, const char *directory)
{
	int fd = memfd_create("probe", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	(void)directory;
	if (fd < 0)
		probe_fail(result, "memfd_create(MFD_NOEXEC_SEAL)");
}

void probe_openat2(probe_result *result, const char *directory)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	(void)directory;
	if (root < 0) {
		probe_fail(result, "open");
		return;
	}
	fd = cj_openat2(root, "..", O_PATH, 0, RESOLVE_BENEATH);
	if (fd >= 0)
		probe_fail_with(result, EPROTO, "openat2 let a path leave its directory");
	else if (errno != EXDEV)
		probe_fail(result, "openat2(RESOLVE_BENEATH)");
}

void probe_close_range(probe_result *result, const char *directory)
{
	(void)directory;
	if (syscall(SYS_close_range, 1U << 20, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		probe_fail(result, "close_range(CLOSE_RANGE_CLOEXEC)");
}

void probe_task_clock(probe_result *result, const char *directory)
{
	int fd = cj_task_clock(0, 0);
	uint64_t counted = 0;

	(void)directory;
	if (fd < 0)
		fd = cj_task_clock(0, 1);
	if (fd < 0)
		probe_fail(result, "perf_event_open(TASK_CLOCK, inherit)");
	else if (read(fd, &counted, sizeof counted) != (ssize_t)sizeof counted)
		probe_fail(result, "read the task clock");
}

void probe_ptrace_seize(probe_result *result, const char *directory)
{
	pid_t child = probe_idle_child(result);

	(void)directory;
	if (child < 0)
		return;
	if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != 0)
		probe_fail(result, "ptrace(PTRACE_SEIZE)");
	end_child(child);
}

void probe_process_vm_read(probe_result *result, const char *directory)
{
	static volatile uint64_t secret = 0x6a61696c6a61696cULL;
	uint64_t copy = 0;
	struct iovec local = {.iov_base = &copy, .iov_len = sizeof copy};
	/* The child is a copy of this process, so the variable has one address in both. */
	struct iovec remote = {.iov_base = (void *)(uintptr_t)&secret, .iov_len = sizeof copy};
	pid_t child = probe_idle_child(result);

	(void)directory;
	if (child < 0)
		return;
	if (process_vm_readv(child, &local, 1, &remote, 1, 0) != (ssize_t)sizeof copy)
		probe_fail(result, "process_vm_readv");
	else if (copy != secret)
		probe_fail_with(result, EPROTO, "process_vm_readv read something else");
	end_child(child);
}
