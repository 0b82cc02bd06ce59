#!/usr/bin/env bash
# What the workspace's layer costs beside the bare file system, and the change set, commit and rollback beside cp, rsync and
# git stash: interleaved, best of ROUNDS, as Markdown.
#
#   scripts/bench-workspace.sh [ROUNDS]        default 3
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3}
launch_jail=${LAUNCH_JAIL_BIN:-$PWD/.build/bin/launch-jail}
stage=$(mktemp -d "${TMPDIR:-/tmp}/launch-jail-bench.XXXXXX")
trap 'chmod -R u+rwX "$stage"; rm -rf "$stage"' EXIT
export XDG_STATE_HOME=$stage/state HOME=$stage/home
mkdir -p "$stage/work" "$stage/bare" "$HOME"

policy=$stage/policy.yaml
cat >"$policy" <<'END'
version: 1
extends: default
budgets: {max_bytes_written: 3GiB, max_files_changed: 1000000, max_file_writes: 1000000, max_lines_per_file: 1000000}
END
disk=$stage/disk.yaml
sed 's/3GiB/900GiB/' "$policy" >"$disk"

cat >"$stage/files.py" <<'END'
import os, sys
count = int(sys.argv[1])
for index in range(count):
    folder = f"d{index // 500}"
    if index % 500 == 0:
        os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/f{index}", "wb") as out:
        out.write(b"x" * 1024)
END
cat >"$stage/change.py" <<'END'
import sys
for index in range(int(sys.argv[1])):
    with open(f"d{index // 500}/f{index}", "ab") as out:
        out.write(b"\nchanged\n")
END

seconds() { /usr/bin/python3 -c 'import subprocess, sys, time
began = time.monotonic()
subprocess.run(sys.argv[2:], cwd=sys.argv[1], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
print(f"{time.monotonic() - began:.3f}")' "$@"; }
best() { sort -n | head -1; }
jailed() { "$launch_jail" run --quiet --on-pass discard --workspace "$stage/work" --policy "$1" --read "$stage/files.py" --read "$stage/change.py" --run-dir "$stage/runs/$RANDOM$RANDOM" -- "${@:2}" </dev/null; }
export -f jailed
export launch_jail stage

echo
echo "# The workspace"
echo
echo "| work | bare s | overlay on tmpfs s | overlay on disk s | ratio tmpfs | ratio disk |"
echo "|---|---:|---:|---:|---:|---:|"
# row NAME COMMAND…: the same command bare and in the jail, its changes dropped.
row() {
    local name=$1 bare=() memory=() onDisk=() round
    shift
    for round in $(seq "$rounds"); do
        rm -rf "$stage/bare"; cp -a "$stage/template" "$stage/bare"
        bare+=("$(seconds "$stage/bare" "$@")")
        memory+=("$(seconds "$stage/work" bash -c 'jailed "$@"' _ "$policy" "$@")")
        onDisk+=("$(seconds "$stage/work" bash -c 'jailed "$@"' _ "$disk" "$@")")
    done
    printf '%s\n' "${bare[@]}" | best >"$stage/a"; printf '%s\n' "${memory[@]}" | best >"$stage/b"; printf '%s\n' "${onDisk[@]}" | best >"$stage/c"
    /usr/bin/python3 -c 'import sys
name, a, b, c = sys.argv[1], *[float(open(p).read()) for p in sys.argv[2:]]
print(f"| {name} | {a:.3f} | {b:.3f} | {c:.3f} | {b/a:.2f} | {c/a:.2f} |")' "$name" "$stage/a" "$stage/b" "$stage/c"
}
# The repository that is checked out, and a small C project, stand in both.
mkdir "$stage/template"
(
    cd "$stage/template"
    git init -q .
    git -c user.name=b -c user.email=b@example.com commit -q --allow-empty -m empty
    git branch empty
    /usr/bin/python3 "$stage/files.py" 20000
    git add -A
    git -c user.name=b -c user.email=b@example.com commit -qm files
    git branch files
    git checkout -q empty
    mkdir src
    for unit in $(seq 40); do
        printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint unit%d(int x) { printf("%%d", x); return x + %d; }\n' "$unit" "$unit" >"src/u$unit.c"
    done
    printf 'objects := $(patsubst %%.c,%%.o,$(wildcard src/*.c))\nall: $(objects)\n%%.o: %%.c\n\tcc -O2 -c -o $@ $<\n' >Makefile
)
rm -rf "$stage/work"; cp -a "$stage/template" "$stage/work"
row "nothing (the cost of a launch)" /bin/true
row "create 10,000 files of 1 KiB" /usr/bin/python3 "$stage/files.py" 10000
row "write 1 GiB" /bin/dd if=/dev/zero of=big bs=1M count=1024 status=none

row "git checkout of 20,000 files" git checkout -q files
row "make of 40 C files" make -s
echo
echo "The jail's times hold the reading of the change set, every new byte of it hashed."
echo
echo "| changed files | step s | commit s | rollback s | cp -a s | rsync -a s | git stash s |"
echo "|---:|---:|---:|---:|---:|---:|---:|"
for count in 1 1000 20000; do
    rm -rf "$stage/work"; mkdir -p "$stage/work"
    (cd "$stage/work" && /usr/bin/python3 "$stage/files.py" 20000 && git init -q . && git add -A && git -c user.name=b -c user.email=b@example.com commit -qm base)
    cp -a "$stage/work" "$stage/stash"
    run=$stage/runs/c$count
    step=$(seconds "$stage/work" "$launch_jail" run --quiet --on-pass keep --workspace "$stage/work" --policy "$policy" --read "$stage/change.py" --run-dir "$run" -- /usr/bin/python3 "$stage/change.py" "$count")
    commit=$(seconds "$stage/work" "$launch_jail" commit "$run")
    back=$(seconds "$stage/work" "$launch_jail" rollback "$run")
    copy=$(seconds "$stage" cp -a work copy)
    mirror=-
    if command -v rsync >/dev/null; then mirror=$(seconds "$stage" rsync -a work/ mirror/); fi
    (cd "$stage/stash" && /usr/bin/python3 "$stage/change.py" "$count")
    stash=$(seconds "$stage/stash" git -c user.name=b -c user.email=b@example.com stash -q)
    rm -rf "$stage/copy" "$stage/mirror" "$stage/stash"
    echo "| $count | $step | $commit | $back | $copy | $mirror | $stash |"
done
