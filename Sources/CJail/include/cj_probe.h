/*
 * Tries one kernel feature in a throw-away child and tells what came of it. launch-core.md, section 5.2: the attempt
 * counts, never a version number. Everything happens in the child's own namespaces, so no mount, process or setting
 * outlives the call.
 */
#ifndef CJ_PROBE_H
#define CJ_PROBE_H

#include <stdint.h>

enum cj_probe_kind {
	CJ_PROBE_USER_NAMESPACE,
	CJ_PROBE_ALL_NAMESPACES,
	CJ_PROBE_ROOT_NAMESPACES,
	CJ_PROBE_TMPFS,
	CJ_PROBE_MOUNT_API,
	CJ_PROBE_PIVOT_ROOT,
	CJ_PROBE_PROC_MOUNT,
	CJ_PROBE_OVERLAY,
	CJ_PROBE_TMPFS_XATTR,
	CJ_PROBE_NETWORK_NAMESPACE,
	CJ_PROBE_IDMAPPED_MOUNT,
	CJ_PROBE_LANDLOCK_ABI,
	CJ_PROBE_LANDLOCK_RESTRICT,
	CJ_PROBE_SECCOMP_FILTER,
	CJ_PROBE_SECCOMP_LISTENER,
	CJ_PROBE_CLONE3,
	CJ_PROBE_PIDFD,
	CJ_PROBE_USER_NAMESPACE_LIMIT,
	CJ_PROBE_MEMFD_SYSCTL,
	CJ_PROBE_MEMFD_SEAL,
	CJ_PROBE_MDWE,
	CJ_PROBE_EXECVE_CHECK,
	CJ_PROBE_OPENAT2,
	CJ_PROBE_CLOSE_RANGE,
	CJ_PROBE_TASK_CLOCK,
	CJ_PROBE_PTRACE_SEIZE,
	CJ_PROBE_PROCESS_VM_READ,
	CJ_PROBE_COUNT
};

enum { CJ_PROBE_STEP_SIZE = 64 };

struct cj_probe_result {
	int32_t error;                 /* errno of the call that failed, 0 when the feature works */
	int32_t is_done;               /* 0 while the child has not finished */
	int64_t value;                 /* what the feature returned, as the Landlock ABI */
	char step[CJ_PROBE_STEP_SIZE]; /* the call that failed, terminated */
};

/*
 * Runs one probe. `directory` is where an id-mapped mount is tried, usually the workspace. Error ETIMEDOUT: the child
 * hung and was killed; EPROTO: the call succeeded but had no effect, or the child died (`step` says which).
 * Returns 0, or -1 with errno when no child could be made.
 */
int cj_probe(enum cj_probe_kind kind, const char *directory, int timeout_ms, struct cj_probe_result *out);

#endif
