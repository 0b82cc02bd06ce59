#!/bin/sh
# Makes .build/venv with the validators that the checks use, once, and prints the path of its python.
set -eu
cd "$(dirname "$0")/.."
venv=.build/venv
stamp=$venv/installed-2
if [ ! -e "$stamp" ]; then
    rm -rf "$venv"
    mkdir -p .build
    /usr/bin/python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check "jsonschema>=4.20,<5" "PyYAML>=6,<7" >&2
    touch "$stamp"
fi
echo "$venv/bin/python"
