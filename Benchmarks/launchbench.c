// launchbench ROUNDS FILE: runs the command lines of FILE in turn, one of each a round, and prints a table of their wall
// time, CPU time and peak memory. Interleaving keeps a busy moment of the machine from counting against one of them.
//
// FILE: one command a line, `NAME<TAB>COMMAND WORD…`, words separated by spaces, no quoting. Output goes to /dev/null.
// Three rounds of warm-up are dropped. A command that fails ends the run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 16, MAX_WORDS = 64, WARM_UP = 3 };

struct command {
    char *name;
    char *words[MAX_WORDS + 1];
    double *wall;  // microseconds
    double *cpu;
    long max_rss;  // KiB; of the largest single process of the command
};

static struct command commands[MAX_COMMANDS];
static int command_count;
static int null_fd;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "launchbench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void parse(const char *path, int rounds) {
    FILE *file = fopen(path, "re");
    if (!file) fail(path);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0 && command_count < MAX_COMMANDS) {
        line[strcspn(line, "\n")] = '\0';
        char *text = strchr(line, '\t');
        if (!text) continue;
        *text++ = '\0';
        struct command *c = &commands[command_count++];
        c->name = strdup(line);
        int count = 0;
        for (char *word = strtok(text, " "); word && count < MAX_WORDS; word = strtok(NULL, " "))
            c->words[count++] = strdup(word);
        c->wall = calloc((size_t)rounds, sizeof *c->wall);
        c->cpu = calloc((size_t)rounds, sizeof *c->cpu);
        if (!c->name || !c->wall || !c->cpu || count == 0) fail("out of memory or empty command");
    }
    free(line);
    fclose(file);
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static void run_once(struct command *c, int slot) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    // vfork: the cost of starting must not depend on this program's size.
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        dup2(null_fd, 0);
        dup2(null_fd, 1);
        dup2(null_fd, 2);
        execv(c->words[0], c->words);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child) fail("wait4");
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "launchbench: %s failed (status %d)\n", c->name, status);
        exit(1);
    }
    if (slot < 0) return;
    c->wall[slot] = (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
    c->cpu[slot] = (seconds(usage.ru_utime) + seconds(usage.ru_stime)) * 1e6;
    if (usage.ru_maxrss > c->max_rss) c->max_rss = usage.ru_maxrss;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double quantile(const double *sorted, int count, double q) {
    int at = (int)(q * (count - 1) + 0.5);
    return sorted[at];
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "launchbench ROUNDS FILE\n");
        return 2;
    }
    int rounds = atoi(argv[1]);
    if (rounds < 1) return 2;
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0) fail("/dev/null");
    parse(argv[2], rounds);
    for (int round = -WARM_UP; round < rounds; round++)
        for (int i = 0; i < command_count; i++) run_once(&commands[(i + round + WARM_UP) % command_count], round);
    printf("| command | min ms | p10 ms | median ms | p90 ms | CPU ms (median) | peak RSS KiB |\n");
    printf("|---|---:|---:|---:|---:|---:|---:|\n");
    for (int i = 0; i < command_count; i++) {
        struct command *c = &commands[i];
        qsort(c->wall, (size_t)rounds, sizeof *c->wall, ascending);
        qsort(c->cpu, (size_t)rounds, sizeof *c->cpu, ascending);
        printf(
            "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %ld |\n", c->name, c->wall[0] / 1e3,
            quantile(c->wall, rounds, 0.1) / 1e3, quantile(c->wall, rounds, 0.5) / 1e3,
            quantile(c->wall, rounds, 0.9) / 1e3, quantile(c->cpu, rounds, 0.5) / 1e3, c->max_rss);
    }
    return 0;
}
