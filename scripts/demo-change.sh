#!/usr/bin/env bash
# The third part of the demo: what becomes of changes. $1 = program, $2 = project directory, $3 = evidence directory.
set -euo pipefail
launch_jail=$1 project=$2 evidence=$3
cd "$project"
tree() { find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }
problems=0
expect() {
    local text=$1
    shift
    if "$@"; then printf '  ok     %s\n' "$text"; else
        printf '  WRONG  %s\n' "$text"
        problems=1
    fi
}
before=$(tree)

printf '$ launch-jail run -- sh -c "for i in … 150; do echo x > file\$i; done"     # the budget is 100 files\n'
status=0
"$launch_jail" run --run-dir "$evidence/many" -- sh -c 'for i in $(seq 150); do echo x > "file$i"; done' </dev/null || status=$?
expect "150 files are a policy violation (exit code 3)" test "$status" -eq 3
expect "the tree is what it was, byte for byte" test "$(tree)" = "$before"

printf '\n$ launch-jail run -- sh -c "echo note > NOTE.txt; sed -i 1d README.md"\n'
"$launch_jail" run --run-dir "$evidence/note" -- sh -c 'echo note > NOTE.txt; sed -i 1d README.md' </dev/null
printf '$ launch-jail diff --stat %s\n' ".build/demo/note"
"$launch_jail" diff --stat "$evidence/note"
expect "a pass is committed" test -f NOTE.txt
printf '\n$ launch-jail rollback --verify-only .build/demo/note; launch-jail rollback .build/demo/note\n'
"$launch_jail" rollback --verify-only "$evidence/note"
"$launch_jail" rollback "$evidence/note"
expect "after the rollback the tree is what it was, byte for byte" test "$(tree)" = "$before"
exit "$problems"
