// The few GNU functions that the test harness needs and Swift's Glibc module does not show.
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Two descriptors that close on exec; 0, or -1 with errno.
int ct_pipe(int ends[2]);

// A descriptor that stays readable from the process's end on; -1 with errno.
int ct_pidfd(pid_t pid);

// Makes the spawned process start in a directory; an error number or 0.
int ct_spawn_in(posix_spawn_file_actions_t *actions, const char *directory);

// Whether `part` stands in `all`.
bool ct_contains(const void *all, size_t all_size, const void *part, size_t part_size);

// Makes the descriptor non-blocking.
void ct_nonblocking(int fd);

// Whether nobody holds a lock on the file; takes none.
bool ct_is_unlocked(const char *path);

// Sends a descriptor with one byte over a socket; 0, or -1 with errno.
int ct_send_descriptor(int socket, int fd);

#endif
