#!/bin/bash
# The step that the demonstration jails: the work of a coding agent on a real repository, and then what such a step must
# not be able to do. It runs inside the jail; scripts/demo.sh starts it.
set -u
key=$1
outside=$2

say() { printf '\n--- %s\n' "$*"; }
try() {
    local what=$1
    shift
    if out=$("$@" 2>&1); then
        printf '  %-44s DONE (this should not have worked)\n' "$what"
    else
        printf '  %-44s refused: %s\n' "$what" "$(printf '%s' "$out" | tail -n 1 | cut -c 1-90)"
    fi
}

say "git: a branch, a change, a commit, a repack"
git checkout -q -b agent/change
mkdir -p notes
printf 'Written in the jail.\n' >notes/agent.md
git add notes
git commit -q -m "Add a note" && git gc -q && git log --oneline -n 2

say "python: threads and subprocesses over the repository's files"
/usr/bin/python3 - <<'END'
import collections, concurrent.futures, pathlib, subprocess
files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    counts = list(pool.map(lambda f: len(pathlib.Path(f).read_bytes().splitlines()), files))
by_kind = collections.Counter()
for name, count in zip(files, counts):
    by_kind[pathlib.Path(name).suffix or "(none)"] += count
print(f"  {len(files)} files, lines by kind:", dict(by_kind.most_common(4)))
END

say "a C program: compiled and run"
cat >notes/sum.c <<'END'
#include <stdio.h>
int main(void) { long sum = 0; for (long i = 1; i <= 1000000; i++) sum += i; printf("  1 + … + 1000000 = %ld\n", sum); return 0; }
END
gcc -O2 -o notes/sum notes/sum.c && notes/sum && rm notes/sum

say "what a step must not do"
try "read the SSH key" cat "$key"
try "write outside the workspace" sh -c "echo owned > '$outside/owned.txt'"
try "install a git hook" sh -c 'printf "#!/bin/sh\n" > .git/hooks/post-checkout'
try "change what git runs" git config core.sshCommand "sh -c evil"
try "add a workflow that CI would run" sh -c 'mkdir -p .github/workflows && echo "on: push" > .github/workflows/x.yml'
try "reach the network by address" bash -c 'exec 3<>/dev/tcp/192.0.2.1/443'
try "reach a service of this machine" bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
try "become root in a new namespace" unshare --user --map-root-user true
try "mount something" mount -t tmpfs none /tmp
try "trace the jail's init" /usr/bin/python3 -c '
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, 1, 0, 0) != 0: sys.exit(f"ptrace: errno {ctypes.get_errno()}")'

say "a daemon that wants to stay"
setsid sh -c 'trap "" HUP TERM; exec sleep 1000' >/dev/null 2>&1 &
disown
echo "  started"
exit 0
