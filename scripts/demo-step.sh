#!/bin/bash
# The step that the demonstration jails; scripts/demo.sh starts it inside the jail.
#
#   demo-step.sh work                  what a coding agent does on a real repository
#   demo-step.sh attack KEY OUTSIDE    what such a step must not be able to do
set -u

say() { printf '%s\n' "-- $*"; }

work() {
    say "git: a branch, a change, a commit, a repack"
    git checkout -q -b agent/change
    mkdir -p notes
    printf 'Written in the jail.\n' >notes/agent.md
    git add notes
    git commit -q -m "Add a note" && git gc -q && git log --oneline -n 2 | sed 's/^/   /'

    say "python: subprocesses, threads and worker processes over the repository's files"
    python3 - <<'END'
import collections, concurrent.futures, multiprocessing, pathlib, subprocess

files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    texts = list(pool.map(lambda name: pathlib.Path(name).read_bytes(), files))
with multiprocessing.Pool(2) as pool:
    counts = pool.map(len, [text.splitlines() for text in texts])
by_kind = collections.Counter()
for name, count in zip(files, counts):
    by_kind[pathlib.Path(name).suffix or "(none)"] += count
print(f"   {len(files)} files; lines by kind:", ", ".join(f"{kind} {n}" for kind, n in by_kind.most_common(4)))
END

    say "C: a program compiled and run in the workspace"
    cat >notes/sum.c <<'END'
#include <stdio.h>
int main(void) {
    long sum = 0;
    for (long i = 1; i <= 1000000; i++) sum += i;
    printf("   1 + ... + 1000000 = %ld\n", sum);
    return 0;
}
END
    gcc -O2 -o notes/sum notes/sum.c && notes/sum && rm notes/sum notes/sum.c
}

# try WHAT WHY COMMAND…: prints how the attempt ended, and what stands in its way.
try() {
    local what=$1 why=$2 out
    shift 2
    if out=$("$@" 2>&1); then
        printf '   %-32s DONE: this should not have worked\n' "$what"
    else
        out=$(printf '%s\n' "$out" | head -n 1)
        out=${out%.}
        printf '   %-32s %-27s %s\n' "$what" "${out##*: }" "$why"
    fi
}

attack() {
    local key=$1 outside=$2
    printf '   %-32s %-27s %s\n' "attempt" "answer" "what stands in its way"
    try "read an SSH key" "the home directory is not in the jail" cat "$key"
    try "write outside the workspace" "nothing else is in the jail either" sh -c "echo owned > '$outside/owned.txt'"
    try "install a git hook" "protected path, read-only mount" \
        sh -c 'printf "#!/bin/sh\n" > .git/hooks/post-checkout'
    try "change what git runs" "protected path, a mount of its own" git config core.sshCommand "sh -c evil"
    try "add a workflow that CI runs" "protected even though it is absent" \
        sh -c 'mkdir -p .github/workflows && echo "on: push" > .github/workflows/x.yml'
    try "run a program from /tmp" "what can be written there is noexec" \
        sh -c 'cp /bin/true /tmp/copy && chmod +x /tmp/copy && /tmp/copy'
    try "reach the network" "empty network namespace" bash -c 'exec 3<>/dev/tcp/192.0.2.1/443'
    try "reach a service of this machine" "the loopback is the jail's own" bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
    try "become root in a namespace" "seccomp, and no user namespaces left" unshare --user --map-root-user true
    try "mount something" "seccomp, and no capabilities" mount -t tmpfs none /tmp
    try "trace the jail's init" "seccomp, and init is not dumpable" python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, 1, 0, 0) != 0: sys.exit("ptrace: " + os.strerror(ctypes.get_errno()))'
    try "see other processes" "a pid namespace of its own" sh -c '
        n=$(ls /proc | grep -c "^[0-9]"); [ "$n" -gt 20 ] || { echo "ls: only the jail'"'"'s $n"; exit 1; }'
    setsid sh -c 'trap "" HUP TERM; exec sleep 86399' >/dev/null 2>&1 &
    disown
    printf '   %-32s %-27s %s\n' "leave a daemon behind" "started" "dies with the jail when the step ends"
}

case ${1:-} in
work) work ;;
attack) attack "$2" "$3" ;;
*)
    echo "usage: demo-step.sh work | attack KEY OUTSIDE" >&2
    exit 2
    ;;
esac
exit 0
