#!/usr/bin/env bash
# A realistic agent step in the jail, on a clone of this repository, and what launch-jail says about it.
set -euo pipefail
cd "$(dirname "$0")/.."
launch_jail=$PWD/.build/bin/launch-jail
stage=$(mktemp -d "${TMPDIR:-/tmp}/launch-jail-demo.XXXXXX")
trap 'rm -rf "$stage"' EXIT
source=$PWD

# A home with a key in it, and a place that is nobody's business.
mkdir -p "$stage/home/.ssh" "$stage/outside" "$stage/state"
printf 'not a real key\n' >"$stage/home/.ssh/id_ed25519"
chmod 700 "$stage/home/.ssh"

# A real repository: a clone of this one, or of its files where there is no history.
if git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git clone -q --no-hardlinks "$source" "$stage/project"
else
    mkdir "$stage/project"
    tar -C "$source" --exclude=./.build --exclude='./.build-*' --exclude=./.git -cf - . | tar -C "$stage/project" -xf -
    git -C "$stage/project" init -q
    git -C "$stage/project" add -A
    git -C "$stage/project" -c user.name=demo -c user.email=demo@example.com commit -q -m "The files"
fi
git -C "$stage/project" config user.name "Demo Agent"
git -C "$stage/project" config user.email agent@example.com
cp scripts/demo-step.sh "$stage/step.sh"

export HOME=$stage/home XDG_STATE_HOME=$stage/state
echo "== launch-jail doctor"
"$launch_jail" doctor | head -n 40

echo
echo "== launch-jail run --policy default --read STEP -- bash STEP …"
status=0
"$launch_jail" run --workspace "$stage/project" --read "$stage/step.sh" --timeout 120s \
    -- /bin/bash "$stage/step.sh" "$stage/home/.ssh/id_ed25519" "$stage/outside" || status=$?

echo
echo "== what the run left"
echo "exit code $status"
git -C "$stage/project" -c safe.directory='*' log --oneline -n 1 agent/change || true
if [ -e "$stage/outside/owned.txt" ]; then echo "outside: CHANGED"; else echo "outside: untouched"; fi
if pgrep -f 'sleep 1000' >/dev/null 2>&1; then echo "daemon: STILL RUNS"; else echo "daemon: gone"; fi

echo
echo "== launch-jail report latest"
"$launch_jail" report latest
