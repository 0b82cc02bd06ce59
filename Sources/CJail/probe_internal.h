/*
 * What the probe files share. A probe runs between fork and exit of a threaded program: no malloc, no streams, nothing
 * that takes a lock.
 */
#ifndef CJ_PROBE_INTERNAL_H
#define CJ_PROBE_INTERNAL_H

#include "cj_probe.h"

/* Lies in memory that the probe's children share with the caller. */
typedef struct cj_probe_result probe_result;

typedef void (*probe_function)(probe_result *result, const char *directory);

/* Records errno (or an explicit error) and the call that failed. The first failure counts. */
void probe_fail(probe_result *result, const char *step);
void probe_fail_with(probe_result *result, int error, const char *step);

/* Unshares a user namespace and `flags` with it, mapping the present ids to themselves. 0, or -1 with the failure. */
int probe_enter(probe_result *result, int flags);

/* Runs `body` in a child of the probe and waits for it; a death by signal is a failure. */
void probe_in_child(probe_result *result, const char *directory, probe_function body);

/* Makes a child that only waits to be killed; -1 with the failure. */
int probe_idle_child(probe_result *result);

/* Writes a whole text to a file that exists; 0 or -1 with errno. */
int probe_write(const char *path, const char *text);

void probe_user_namespace(probe_result *, const char *);
void probe_all_namespaces(probe_result *, const char *);
void probe_root_namespaces(probe_result *, const char *);
void probe_tmpfs(probe_result *, const char *);
void probe_mount_api(probe_result *, const char *);
void probe_pivot_root(probe_result *, const char *);
void probe_proc_mount(probe_result *, const char *);
void probe_overlay(probe_result *, const char *);
void probe_tmpfs_xattr(probe_result *, const char *);
void probe_network_namespace(probe_result *, const char *);
void probe_idmapped_mount(probe_result *, const char *);
void probe_user_namespace_limit(probe_result *, const char *);
void probe_memfd_sysctl(probe_result *, const char *);

void probe_landlock_abi(probe_result *, const char *);
void probe_landlock_restrict(probe_result *, const char *);
void probe_seccomp_filter(probe_result *, const char *);
void probe_seccomp_listener(probe_result *, const char *);
void probe_mdwe(probe_result *, const char *);
void probe_execve_check(probe_result *, const char *);

void probe_clone3(probe_result *, const char *);
void probe_pidfd(probe_result *, const char *);
void probe_memfd_seal(probe_result *, const char *);
void probe_openat2(probe_result *, const char *);
void probe_close_range(probe_result *, const char *);
void probe_task_clock(probe_result *, const char *);
void probe_ptrace_seize(probe_result *, const char *);
void probe_process_vm_read(probe_result *, const char *);

#endif
