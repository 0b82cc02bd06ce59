#!/usr/bin/env bash
# Launch cost beside bubblewrap, interleaved in one run, as Markdown on standard output. launch-jail runs with
# everything on: Landlock, seccomp, report and event log; bubblewrap with the same namespaces and none of these.
#
#   scripts/bench.sh [ROUNDS]        default 200
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-200}
launch_jail=${LAUNCH_JAIL_BIN:-$PWD/.build/bin/launch-jail}
scripts/build-probes.sh .build/probes >/dev/null
probes=$PWD/.build/probes
bwrap=$(command -v bwrap) || { echo "bench: bubblewrap is not installed" >&2; exit 1; }

stage=$(mktemp -d "${TMPDIR:-/tmp}/launch-jail-bench.XXXXXX")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/work" "$stage/state"
export XDG_STATE_HOME=$stage/state
cd "$stage/work"
cp "$probes/true" "$probes/syscost" "$stage/work/"
t=$stage/work/true
w=$stage/work
jail="$launch_jail run --quiet --workspace $w --"
wrap="$bwrap --unshare-all --die-with-parent --new-session --ro-bind / / --dev /dev --proc /proc --bind $w $w"

echo "# Launch cost"
echo
echo "$(uname -sr), $(nproc) processors, user $(id -un), $rounds rounds, interleaved, $(date -u +%Y-%m-%d)"
echo
{
    printf 'bare\t%s\n' "$t"
    printf 'bwrap, same namespaces\t%s %s\n' "$wrap" "$t"
    printf 'launch-jail run\t%s %s\n' "$jail" "$t"
} >"$stage/commands"
"$probes/launchbench" "$rounds" "$stage/commands" | tee "$stage/table"
echo
awk -F'|' '
    / bare /           { bare = $5 }
    / bwrap, same/     { wrap = $5; wmin = $3 }
    / launch-jail run/ { jail = $5; jmin = $3 }
    END {
        printf "launch-jail / bwrap: %.2f by median, %.2f by minimum; above a bare start: %.2f ms against %.2f ms\n",
            jail / wrap, jmin / wmin, jail - bare, wrap - bare
    }' "$stage/table"

echo
echo "## Inside one launch"
echo
$jail "$t"
report=$(find "$stage/state" -name report.json -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-)
/usr/bin/python3 - "$report" <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
print("| phase | ms |\n|---|---:|")
for name, value in sorted(report["timings_ms"].items()):
    print(f"| {name} | {value} |")
END

echo
echo "## Memory"
echo
# The peak of the supervisor and of its init, read while the command waits.
mkfifo "$stage/work/gate"
$jail /bin/sh -c 'read x < gate' &
supervisor=$!
for _ in $(seq 1 200); do
    init=$(pgrep -P "$supervisor" | head -1 || true)
    [ -n "$init" ] && [ -n "$(pgrep -P "$init" || true)" ] && break
    sleep 0.02
done
echo "| process | VmHWM | RssAnon |"
echo "|---|---:|---:|"
for entry in "supervisor:$supervisor" "init:${init:-$supervisor}"; do
    awk -v name="${entry%%:*}" '/^VmHWM/ { peak = $2 } /^RssAnon/ { anon = $2 } END { printf "| %s | %s KiB | %s KiB |\n", name, peak, anon }' \
        "/proc/${entry##*:}/status"
done
echo go >"$stage/work/gate"
wait "$supervisor"

echo
echo "## System calls, ns each (lowest of 15 rounds)"
echo
"$w/syscost" >"$stage/bare"
$wrap "$w/syscost" >"$stage/wrapped"
$jail "$w/syscost" >"$stage/jailed"
echo "| call | bare | bwrap | launch-jail | above bare |"
echo "|---|---:|---:|---:|---:|"
paste -d' ' "$stage/bare" "$stage/wrapped" "$stage/jailed" |
    awk '{ printf "| %s | %s | %s | %s | %+.0f |\n", $1, $2, $4, $6, $6 - $2 }'

scripts/bench-workspace.sh
