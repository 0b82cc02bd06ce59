// What the four files of jail-init share. No libc, no allocation, no global that changes after the plan is read,
// but the slots.
#ifndef LJ_INIT_H
#define LJ_INIT_H

#include "cj_plan.h"
#include "cj_uapi.h"
#include "syscalls.h"

// How far the job half came. Init reads it when vfork lets it go on: a command cannot forge it by its exit code.
enum phase { PHASE_SETTING_UP = 0, PHASE_EXECUTING = 1 };

struct init {
    const uint8_t *plan;
    const struct cj_plan_header *header;
    int slots[CJ_MAX_SLOTS];
    int ruleset;      // Landlock, -1 when there is none
    int pty;          // slave of the job's terminal, -1 when there is none
    volatile uint32_t *phase; // enum phase, shared with the job half
    uint64_t started; // CLOCK_MONOTONIC ns
    uint64_t ready;
};

const char *plan_string(const struct init *in, uint32_t offset);
uint64_t monotonic_ns(void);
size_t length(const char *text);
void clear(void *memory, size_t count);

// One datagram to the supervisor, with a descriptor unless fd is -1.
long send_message(const struct cj_msg *message, int fd);
// Never returns: tells the supervisor which step failed, and ends this process.
__attribute__((noreturn)) void fail(uint32_t kind, uint32_t index, long error, uint32_t detail);
__attribute__((noreturn)) void quit(int status);

long replay_op(struct init *in, const struct cj_op *op);
__attribute__((noreturn)) void run_job(struct init *in);
long try_canary(const struct init *in, const struct cj_canary *canary);
__attribute__((noreturn)) void reap(struct init *in, long job);

#endif
