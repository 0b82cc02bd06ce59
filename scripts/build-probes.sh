#!/bin/sh
# Compiles the C programs that the tests and benchmarks run into .build/probes: static, so that they need nothing of the
# jail's file system.
set -eu
cd "$(dirname "$0")/.."
out=${1:-.build/probes}
mkdir -p "$out"

flags="-std=gnu17 -O1 -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -static"

# newer OUTPUT INPUT…: whether some input is younger than the output.
newer() {
    target=$1
    shift
    [ -e "$target" ] || return 0
    for input in "$@"; do
        [ "$input" -nt "$target" ] && return 0
    done
    return 1
}

# build NAME LIBRARIES SOURCE…
build() {
    name=$1
    libraries=$2
    shift 2
    if newer "$out/$name" "$@" Probes/probe.h scripts/build-probes.sh; then
        echo "cc $name"
        # shellcheck disable=SC2086 # the flags are words
        gcc $flags -o "$out/$name.new" "$@" $libraries
        mv "$out/$name.new" "$out/$name"
    fi
}

build escape-probe "" \
    Probes/probe_main.c Probes/net.c Probes/sockets.c Probes/files.c Probes/trees.c Probes/namespaces.c \
    Probes/processes.c Probes/survivors.c Probes/execution.c Probes/syscalls.c Probes/terminals.c
build degrade "-lseccomp" Probes/degrade.c
build busy "-pthread" Probes/busy.c
build ptyrun "" Probes/ptyrun.c
build true "" Benchmarks/true.c
build syscost "" Benchmarks/syscost.c
build launchbench "" Benchmarks/launchbench.c
