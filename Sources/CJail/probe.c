#define _GNU_SOURCE
#include "probe_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const probe_function table[CJ_PROBE_COUNT] = {
	[CJ_PROBE_USER_NAMESPACE] = probe_user_namespace,
	[CJ_PROBE_ALL_NAMESPACES] = probe_all_namespaces,
	[CJ_PROBE_ROOT_NAMESPACES] = probe_root_namespaces,
	[CJ_PROBE_TMPFS] = probe_tmpfs,
	[CJ_PROBE_MOUNT_API] = probe_mount_api,
	[CJ_PROBE_PIVOT_ROOT] = probe_pivot_root,
	[CJ_PROBE_PROC_MOUNT] = probe_proc_mount,
	[CJ_PROBE_OVERLAY] = probe_overlay,
	[CJ_PROBE_TMPFS_XATTR] = probe_tmpfs_xattr,
	[CJ_PROBE_NETWORK_NAMESPACE] = probe_network_namespace,
	[CJ_PROBE_IDMAPPED_MOUNT] = probe_idmapped_mount,
	[CJ_PROBE_LANDLOCK_ABI] = probe_landlock_abi,
	[CJ_PROBE_LANDLOCK_RESTRICT] = probe_landlock_restrict,
	[CJ_PROBE_SECCOMP_FILTER] = probe_seccomp_filter,
	[CJ_PROBE_SECCOMP_LISTENER] = probe_seccomp_listener,
	[CJ_PROBE_CLONE3] = probe_clone3,
	[CJ_PROBE_PIDFD] = probe_pidfd,
	[CJ_PROBE_USER_NAMESPACE_LIMIT] = probe_user_namespace_limit,
	[CJ_PROBE_MEMFD_SYSCTL] = probe_memfd_sysctl,
	[CJ_PROBE_MEMFD_SEAL] = probe_memfd_seal,
	[CJ_PROBE_MDWE] = probe_mdwe,
	[CJ_PROBE_EXECVE_CHECK] = probe_execve_check,
	[CJ_PROBE_OPENAT2] = probe_openat2,
	[CJ_PROBE_CLOSE_RANGE] = probe_close_range,
	[CJ_PROBE_TASK_CLOCK] = probe_task_clock,
	[CJ_PROBE_PTRACE_SEIZE] = probe_ptrace_seize,
	[CJ_PROBE_PROCESS_VM_READ] = probe_process_vm_read,
};

void probe_fail_with(probe_result *result, int error, const char *step)
{
	if (result->error != 0)
		return;
	result->error = error == 0 ? EPROTO : error;
	strncpy(result->step, step, sizeof result->step - 1);
}

void probe_fail(probe_result *result, const char *step)
{
	probe_fail_with(result, errno, step);
}

int probe_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int error;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return written == (ssize_t)strlen(text) ? 0 : -1;
}

int probe_enter(probe_result *result, int flags)
{
	unsigned int uid = geteuid();
	unsigned int gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER | flags) != 0) {
		probe_fail(result, "unshare(CLONE_NEWUSER)");
		return -1;
	}
	/* ORDER: an ordinary user may write gid_map only after giving up setgroups. */
	if (probe_write("/proc/self/setgroups", "deny") != 0) {
		probe_fail(result, "write /proc/self/setgroups");
		return -1;
	}
	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	if (probe_write("/proc/self/uid_map", map) != 0) {
		probe_fail(result, "write /proc/self/uid_map");
		return -1;
	}
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	if (probe_write("/proc/self/gid_map", map) != 0) {
		probe_fail(result, "write /proc/self/gid_map");
		return -1;
	}
	return 0;
}

void probe_in_child(probe_result *result, const char *directory, probe_function body)
{
	int status = 0;
	pid_t child = fork();

	if (child < 0) {
		probe_fail(result, "fork");
		return;
	}
	if (child == 0) {
		body(result, directory);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		probe_fail_with(result, EPROTO, "the probe's child was killed");
}

int probe_idle_child(probe_result *result)
{
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			pause();
	}
	if (child < 0)
		probe_fail(result, "fork");
	return child;
}

/* Runs in the child: what the caller had set must not change the outcome, and nothing may outlive the caller. */
static void run(enum cj_probe_kind kind, const char *directory, int done, probe_result *result)
{
	struct rlimit no_core = {0, 0};
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	table[kind](result, directory);
	result->is_done = 1;
	while (write(done, "", 1) < 0 && errno == EINTR)
		continue;
	_exit(0);
}

/* Waits for the child's byte or its end; 1 when time ran out. */
static int wait_for_child(int done, int timeout_ms)
{
	struct pollfd entry = {.fd = done, .events = POLLIN};
	int ready = poll(&entry, 1, timeout_ms);

	while (ready < 0 && errno == EINTR)
		ready = poll(&entry, 1, timeout_ms);
	return ready == 0;
}

static void finish(pid_t child, int timed_out, probe_result *result)
{
	int status = 0;

	/*
	 * ORDER: the group is killed before its leader is reaped, so that its number cannot belong to anybody else.
	 * `child` is a number that fork returned, hence above 1: this is never kill(-1).
	 */
	setpgid(child, child);
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (result->is_done)
		return;
	if (timed_out)
		probe_fail_with(result, ETIMEDOUT, result->step[0] ? result->step : "the probe hung");
	else
		probe_fail_with(result, EPROTO, "the probe was killed");
}

int cj_probe(enum cj_probe_kind kind, const char *directory, int timeout_ms, struct cj_probe_result *out)
{
	int done[2];
	probe_result *shared;
	pid_t child;
	int error;

	memset(out, 0, sizeof *out);
	if ((unsigned int)kind >= CJ_PROBE_COUNT) {
		errno = EINVAL;
		return -1;
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	if (pipe2(done, O_CLOEXEC) != 0) {
		munmap(shared, sizeof *shared);
		return -1;
	}
	child = fork();
	if (child == 0) {
		close(done[0]);
		run(kind, directory, done[1], shared);
	}
	error = errno;
	close(done[1]);
	if (child > 0) {
		finish(child, wait_for_child(done[0], timeout_ms), shared);
		*out = *shared;
		out->step[sizeof out->step - 1] = '\0';
	}
	close(done[0]);
	munmap(shared, sizeof *shared);
	errno = error;
	return child > 0 ? 0 : -1;
}
