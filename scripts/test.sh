#!/usr/bin/env bash
# Every test: checks, unit tests, then the kernel and escape suites against the release binaries, as the user who calls
# and, when that is root, as an ordinary user too. The last line is `N passed, N failed`.
#
#   scripts/test.sh [--quick]      --quick: leave out the release build; the suites run the debug binaries
#   LAUNCH_JAIL_MUST_WORK=1        what cannot be tried here is a failure
#   LAUNCH_JAIL_FILTER=REGEX       only these tests of the kernel and escape suites
set -euo pipefail
cd "$(dirname "$0")/.."

quick=""
[ "${1:-}" = "--quick" ] && quick=1
export LAUNCH_JAIL_MUST_WORK="${LAUNCH_JAIL_MUST_WORK:-0}"
ordinary_uid=12345
logs=.build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

results=()

step "checks"
if scripts/check.sh >"$logs/checks.log" 2>&1; then
    results+=("checks=passed")
else
    results+=("checks=failed")
    tail -n 40 "$logs/checks.log"
fi

step "debug build"
swift build --build-tests 2>&1 | grep -vE '^\[[0-9]+/[0-9]+\]|^$' || true
swift build --build-tests >/dev/null
debug=$(swift build --show-bin-path)

step "probes"
scripts/build-probes.sh .build/probes

if [ -n "$quick" ]; then
    program_dir=$debug
else
    step "release build"
    scripts/build-release.sh
    program_dir=.build/bin
fi

# The suites run from a place that every user can enter: the checkout may lie in somebody's home.
stage=$(mktemp -d "${TMPDIR:-/tmp}/launch-jail-tests.XXXXXX")
clean_up() { rm -rf "$stage"; }
trap clean_up EXIT
chmod 755 "$stage"
step "staging in $stage"
scripts/install.sh "$program_dir" "$stage/usr" >/dev/null
mkdir -p "$stage/probes" "$stage/tests"
cp .build/probes/* "$stage/probes/"
bundle=$(find "$debug" -maxdepth 1 -name '*PackageTests.xctest' | head -1)
cp "$bundle" "$stage/tests/"
bundle=$stage/tests/$(basename "$bundle")
chmod -R go+rX "$stage"

# Libraries of a toolchain that only its owner can read are taken along; the bundle looks beside itself last.
if [ "$(id -u)" -eq 0 ]; then
    ldd "$bundle" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
        setpriv --reuid=$ordinary_uid --regid=$ordinary_uid --clear-groups test -r "$library" 2>/dev/null ||
            cp "$library" "$stage/tests/"
    done
    chmod -R go+rX "$stage/tests"
fi

# A set-user-id copy of the probe, on a file system where the bit counts.
suid_probe=""
if [ "$(id -u)" -eq 0 ]; then
    for directory in "$stage/suid" "/var/tmp/$(basename "$stage")" "/opt/$(basename "$stage")"; do
        mkdir -p "$directory"
        chmod 755 "$directory"
        cp .build/probes/escape-probe "$directory/set-user-id-probe"
        chmod 4755 "$directory/set-user-id-probe"
        if setpriv --reuid=$ordinary_uid --regid=$ordinary_uid --clear-groups \
            "$directory/set-user-id-probe" set-user-id >/dev/null 2>&1; then
            suid_probe=$directory/set-user-id-probe
            break
        fi
        rm -rf "$directory"
    done
    clean_up() { rm -rf "$stage" ${suid_probe:+"$(dirname "$suid_probe")"}; }
fi

# A stray signal to everybody must not reach more than this: every suite runs in a pid namespace of its own, below a
# shell that reaps what the suites orphan on purpose.
outer=()
if [ "$(id -u)" -eq 0 ]; then
    # shellcheck disable=SC2016 # the inner shell expands it
    outer=(unshare --pid --ipc --fork --kill-child --mount-proc /bin/sh -c '"$@"; exit $?' reaper)
fi

# run LABEL USER ARGUMENTS…: one run of the test bundle with an environment of its own.
run() {
    local label=$1 user=$2 home temporary as_user=()
    shift 2
    home=$stage/home-$label
    temporary=$stage/tmp-$label
    mkdir -p "$home" "$temporary"
    if [ "$user" = ordinary ]; then
        chown "$ordinary_uid:$ordinary_uid" "$home" "$temporary"
        as_user=(setpriv --reuid=$ordinary_uid --regid=$ordinary_uid --clear-groups)
    fi
    local events=$logs/$label.events
    : >"$events"
    chmod 666 "$events"
    # The events come out through an open descriptor: the ordinary user may not reach the checkout.
    (
        cd "$home"
        timeout --foreground --kill-after=10 1200 \
            "${outer[@]}" "${as_user[@]}" \
            env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" TMPDIR="$temporary" LANG=C.UTF-8 NO_COLOR=1 \
            LAUNCH_JAIL_BIN="$stage/usr/bin/launch-jail" LAUNCH_JAIL_PROBES="$stage/probes" \
            LAUNCH_JAIL_SUID_PROBE="$suid_probe" LAUNCH_JAIL_MUST_WORK="$LAUNCH_JAIL_MUST_WORK" \
            "$bundle" --testing-library swift-testing --event-stream-version 0 \
            --event-stream-output-path "$temporary/events" "$@"
    ) >"$logs/$label.log" 2>&1 </dev/null || true
    cp "$temporary/events" "$events" 2>/dev/null || true
    results+=("$label=$events")
    scripts/count-tests.py "$label=$events" | grep -E "^$label:" || true
}

suites="${LAUNCH_JAIL_FILTER:-^(KernelTests|EscapeTests)\\.}"

step "unit tests"
(
    timeout --foreground --kill-after=10 600 "${outer[@]}" \
        "$debug/$(basename "$bundle")" --testing-library swift-testing --event-stream-version 0 \
        --event-stream-output-path "$logs/unit.events" --skip '^(KernelTests|EscapeTests)\.'
) >"$logs/unit.log" 2>&1 </dev/null || true
results+=("unit=$logs/unit.events")
scripts/count-tests.py "unit=$logs/unit.events" | grep -E '^unit:' || true

me=$(id -un)
step "kernel and escape suites as $me"
run "$me" caller --filter "$suites" --skip LeakTests
if [ -z "${LAUNCH_JAIL_FILTER:-}" ]; then
    step "leak tests as $me"
    run "$me-leaks" caller --filter LeakTests
fi
if [ "$(id -u)" -eq 0 ]; then
    step "kernel and escape suites as uid $ordinary_uid"
    run ordinary ordinary --filter "$suites" --skip LeakTests
    if [ -z "${LAUNCH_JAIL_FILTER:-}" ]; then
        step "leak tests as uid $ordinary_uid"
        run ordinary-leaks ordinary --filter LeakTests
    fi
fi

step "result"
scripts/count-tests.py "${results[@]}"
