#define _GNU_SOURCE
#include "probe_internal.h"
#include "cj_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

enum {
	LANDLOCK_EXECUTE_WRITE_READ = 7, /* LANDLOCK_ACCESS_FS_EXECUTE | WRITE_FILE | READ_FILE, ABI 1 */
	SET_MDWE = 65,                   /* PR_SET_MDWE, Linux 6.3 */
	MDWE_REFUSE_EXEC_GAIN = 1,
	EXECVE_CHECK = 0x10000,          /* AT_EXECVE_CHECK, Linux 6.14 */
	PATH_MAX_NAME = 16,
};

void probe_landlock_abi(probe_result *result, const char *directory)
{
	int abi = cj_landlock_abi();

	(void)directory;
	if (abi < 0)
		probe_fail(result, "landlock_create_ruleset(VERSION)");
	else
		result->value = abi;
}

void probe_landlock_restrict(probe_result *result, const char *directory)
{
	uint64_t handled = LANDLOCK_EXECUTE_WRITE_READ;
	int ruleset;
	int fd;

	(void)directory;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		probe_fail(result, "prctl(PR_SET_NO_NEW_PRIVS)");
		return;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
	if (ruleset < 0) {
		probe_fail(result, "landlock_create_ruleset");
		return;
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
		probe_fail(result, "landlock_restrict_self");
		return;
	}
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		probe_fail_with(result, EPROTO, "Landlock let a read through that it must refuse");
}

/* Loads a filter that answers getppid(2) with `action` and allows the rest; -1 with errno. */
static int load_filter(unsigned int action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

void probe_seccomp_filter(probe_result *result, const char *directory)
{
	(void)directory;
	if (load_filter(SECCOMP_RET_ERRNO | EDOM, 0) != 0) {
		probe_fail(result, "seccomp(SECCOMP_SET_MODE_FILTER)");
		return;
	}
	if (syscall(SYS_getppid) != -1 || errno != EDOM)
		probe_fail_with(result, EPROTO, "the seccomp filter had no effect");
}

/* Answers one notification with EDOM. */
static void answer(probe_result *result, int listener)
{
	struct seccomp_notif_sizes sizes;
	union {
		struct seccomp_notif value;
		unsigned char room[256];
	} request;
	union {
		struct seccomp_notif_resp value;
		unsigned char room[256];
	} response;
	struct pollfd entry = {.fd = listener, .events = POLLIN};

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0 || sizes.seccomp_notif > sizeof request ||
	    sizes.seccomp_notif_resp > sizeof response) {
		probe_fail(result, "seccomp(SECCOMP_GET_NOTIF_SIZES)");
		return;
	}
	memset(&request, 0, sizeof request);
	memset(&response, 0, sizeof response);
	if (poll(&entry, 1, 1000) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
		probe_fail(result, "ioctl(SECCOMP_IOCTL_NOTIF_RECV)");
		return;
	}
	response.value.id = request.value.id;
	response.value.error = -EDOM;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0)
		probe_fail(result, "ioctl(SECCOMP_IOCTL_NOTIF_SEND)");
}

void probe_seccomp_listener(probe_result *result, const char *directory)
{
	unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | (unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int listener = load_filter(SECCOMP_RET_USER_NOTIF, flags);
	int status = 0;
	pid_t child;

	(void)directory;
	result->value = listener >= 0;
	if (listener < 0 && errno == EINVAL)
		listener = load_filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener < 0) {
		probe_fail(result, "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER)");
		return;
	}
	child = fork();
	if (child == 0)
		_exit(syscall(SYS_getppid) == -1 && errno == EDOM ? 0 : 1);
	if (child < 0) {
		probe_fail(result, "fork");
		return;
	}
	answer(result, listener);
	/* ORDER: a child whose call nobody answers ends once the listener is gone. */
	close(listener);
	waitpid(child, &status, 0);
	if (status != 0)
		probe_fail_with(result, EPROTO, "the answer did not reach the caller");
}

void probe_mdwe(probe_result *result, const char *directory)
{
	void *memory;

	(void)directory;
	if (prctl(SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) {
		probe_fail(result, "prctl(PR_SET_MDWE)");
		return;
	}
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory != MAP_FAILED)
		probe_fail_with(result, EPROTO, "writable and executable memory was still given");
}

static void check_exec(probe_result *result, const char *directory)
{
	char name[PATH_MAX_NAME] = "probe";
	char *const arguments[] = {name, NULL};
	char *const environment[] = {NULL};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)directory;
	if (fd < 0 || syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH | EXECVE_CHECK) != 0)
		probe_fail(result, "execveat(AT_EXECVE_CHECK)");
}

void probe_execve_check(probe_result *result, const char *directory)
{
	/* A kernel that does not know the flag answers EINVAL and starts nothing. */
	probe_in_child(result, directory, check_exec);
}
