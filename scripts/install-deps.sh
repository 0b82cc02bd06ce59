#!/bin/sh
# Installs what building and testing need and this machine lacks. Does nothing when all of it is there.
set -eu

# command or file that tells that it is installed : Debian package
needed="
gcc:gcc
make:make
git:git
patch:patch
/usr/bin/python3:python3
pkg-config:pkg-config
perl:perl
tar:tar
gzip:gzip
bwrap:bubblewrap
setpriv:util-linux
ps:procps
node:nodejs
/usr/include/seccomp.h:libseccomp-dev
/usr/include/sys/capability.h:libcap-dev
/usr/include/yaml.h:libyaml-dev
/usr/include/stdio.h:libc6-dev
python3-venv:python3-venv
"

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    python3-venv) /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=""
for entry in $needed; do
    has "${entry%%:*}" || missing="$missing ${entry##*:}"
done

if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "install-deps: missing here:$missing" >&2
        echo "install-deps: these are the names in Debian 12; install the same with this system's package manager" >&2
        exit 1
    fi
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "install-deps: missing:$missing" >&2
            echo "install-deps: run as root: apt-get install --no-install-recommends$missing" >&2
            exit 1
        fi
        as_root=sudo
    fi
    echo "install-deps: installing$missing"
    # shellcheck disable=SC2086 # a list of names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing || {
        $as_root apt-get update
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
    }
fi

if ! command -v swift >/dev/null 2>&1; then
    echo "install-deps: Swift 6.2 or newer is needed and not in PATH: https://www.swift.org/install/linux/" >&2
    exit 1
fi
