// The frame of escape-probe: one attack a run, and an exit code that the attacked side cannot have chosen by accident.
#ifndef ESCAPE_PROBE_H
#define ESCAPE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

// What an attack came to; the process exit code.
enum outcome {
    WORKED = 0,    // The attack reached its goal: an escape when it ran in a jail.
    REFUSED = 10,  // The kernel said no. The error's name stands on standard output.
    BROKEN = 20,   // The probe could not be tried: bad arguments, or a host without the feature.
};

// One attack. `run` gets the words after the attack's name, ended by a null pointer.
struct attack {
    const char *name;
    int (*run)(int argc, char **argv);
    // What to say when the words are missing.
    const char *usage;
};

// Each family is a table that ends with an empty entry.
extern const struct attack net_attacks[];
extern const struct attack socket_attacks[];
extern const struct attack file_attacks[];
extern const struct attack tree_attacks[];
extern const struct attack namespace_attacks[];
extern const struct attack process_attacks[];
extern const struct attack survivor_attacks[];
extern const struct attack exec_attacks[];
extern const struct attack syscall_attacks[];
extern const struct attack terminal_attacks[];

int worked(const char *what);
// Prints the operation and the name of `errno`.
int refused(const char *operation);
// As `refused`, for attacks that no single error refuses.
int refused_because(const char *reason);
int broken(const char *why);

// WORKED when `result` says success, else REFUSED with errno.
int judge(long result, const char *operation);
// WORKED when the kernel looked at the call at all: success, or an error other than EPERM, EACCES and ENOSYS.
// For calls that would harm the machine when they succeed and are therefore made with arguments that cannot.
int judge_reached(long result, const char *operation);

// Enters fresh namespaces in which the caller is privileged, so that a control run without root can succeed where the
// attack itself needs a capability. `extra` holds CLONE_NEW* flags. Returns false and keeps errno on failure.
bool enter_own_namespaces(int extra);
// Whether the last word is "--own-ns"; then the attack starts in namespaces of its own.
bool wants_own_namespaces(int argc, char **argv);

const char *error_name(int error);
long number(const char *text);

#endif
