#!/usr/bin/env bash
# Two steps of a coding agent in the jail, on a clone of this repository: honest work, then an attack. Ends with 0 when
# both came out as they must.
set -euo pipefail
cd "$(dirname "$0")/.."
launch_jail=${LAUNCH_JAIL_BIN:-$PWD/.build/bin/launch-jail}
source=$PWD
evidence=$PWD/.build/demo
stage=$(mktemp -d "${TMPDIR:-/tmp}/launch-jail-demo.XXXXXX")
trap 'rm -rf "$stage"' EXIT

heading() { printf '\n=== %s\n\n' "$*"; }

# A home with a key in it, a place that is nobody's business, and a project between them.
rm -rf "$evidence"
mkdir -p "$evidence" "$stage/home/.ssh" "$stage/outside" "$stage/state"
printf 'not a real key\n' >"$stage/home/.ssh/id_ed25519"
chmod 700 "$stage/home/.ssh"
project=$stage/project
if git -C "$source" rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git clone -q --no-hardlinks "$source" "$project"
else
    # No history here, as in an unpacked archive: the same files, one commit.
    mkdir "$project"
    tar -C "$source" --exclude=./.build --exclude='./.build-*' --exclude=./.git -cf - . | tar -C "$project" -xf -
    git -C "$project" init -q
    git -C "$project" add -A
    git -C "$project" -c user.name=demo -c user.email=demo@example.com commit -q -m "The files"
fi
git -C "$project" config user.name "Demo Agent"
git -C "$project" config user.email agent@example.com
cp scripts/demo-step.sh "$stage/step.sh"
export HOME=$stage/home XDG_STATE_HOME=$stage/state
cd "$project"

heading "What this machine can enforce (launch-jail doctor)"
"$launch_jail" doctor | sed '/^What was tried/,$d'

# run NAME POLICY ARGUMENTS…: one jailed step; its exit code is in $status, its evidence in .build/demo/NAME.
run() {
    local name=$1 policy=$2
    shift 2
    printf '$ launch-jail run --policy %s --read ../step.sh --timeout 120s --run-dir .build/demo/%s \\\n' "$policy" "$name"
    printf '      -- bash ../step.sh %s\n' "$*"
    status=0
    "$launch_jail" run --policy "$policy" --read ../step.sh --timeout 120s --run-dir "$evidence/$name" \
        -- bash ../step.sh "$@" </dev/null || status=$?
    printf '$ echo $?\n%s\n' "$status"
    if [ "$status" -eq 6 ]; then
        printf '\nNothing was started: this host cannot hold the guarantees that the policy `default` requires.\n'
        printf 'What is missing and the remedy: %s doctor\n' "$launch_jail"
        exit 6
    fi
}

heading "1. Honest work: git, Python, a C compiler"
# `git gc` rewrites more objects than the default budget of 100 files; the policy for builds has room for that.
run work build work
honest=$status

heading "2. An attack: keys, files, network, kernel, a daemon"
echo "Each attempt below must be refused, and the exit code must be 3: a step that tried to reach the network broke the"
echo "policy, whatever it exits with itself. This one exits with 0."
echo
run attack default attack ../home/.ssh/id_ed25519 ../outside
attack=$status

heading "What it came to, seen from outside the jail"
problems=0
# expect TEXT CONDITION…: one line of the balance.
expect() {
    local text=$1
    shift
    if "$@"; then printf '  ok     %s\n' "$text"; else
        printf '  WRONG  %s\n' "$text"
        problems=1
    fi
}
committed() { git -C "$project" -c safe.directory='*' log --format=%s -n 1 agent/change 2>/dev/null | grep -q '^Add a note$'; }
absent() { [ ! -e "$1" ]; }
unchanged() { [ "$(git -C "$project" config --get core.sshCommand || true)" = "" ]; }
daemon_gone() { ! pgrep -f '^sleep 86399$' >/dev/null 2>&1; }
expect "the honest step passed (exit code 0)" test "$honest" -eq 0
expect "its commit is in the repository" committed
expect "the attack is a policy violation (exit code 3)" test "$attack" -eq 3
expect "nothing was written outside the workspace" absent "$stage/outside/owned.txt"
expect "no hook was installed" absent "$project/.git/hooks/post-checkout"
expect "no workflow was added" absent "$project/.github/workflows/x.yml"
expect "git's configuration is what it was" unchanged
expect "the daemon is gone" daemon_gone

heading "3. Changes: a budget that is broken, a commit, a rollback"
scripts_dir=$source/scripts
"$scripts_dir/demo-change.sh" "$launch_jail" "$project" "$evidence" || problems=1

heading "The report of the attack (launch-jail report .build/demo/attack)"
echo "Denied holds what the filter saw. A path that is not in the jail, or is read-only, is refused by the mounts: the"
echo "command gets its error, and there is nobody whom the kernel would tell."
echo
"$launch_jail" report "$evidence/attack"

heading "$([ "$problems" -eq 0 ] && echo "All as it must be" || echo "NOT as it must be: see WRONG above")"
echo "The evidence of all steps stays in .build/demo: report.json, events.ndjson, gates/*.log, stdout.log."
echo "Try your own: $launch_jail run -- CMD"
exit "$problems"
