#!/usr/bin/env bash
# Everything that can be checked without running the program: format, layers, shell syntax, schemas, generated pages.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict -r Sources Tests Package.swift
echo "format: ok"
/usr/bin/python3 scripts/check-layers.py
for script in scripts/*.sh .ci/run; do
    bash -n "$script"
done
for script in scripts/*.py; do
    /usr/bin/python3 -m py_compile "$script"
done
rm -rf scripts/__pycache__
echo "scripts: ok"
/usr/bin/python3 scripts/embed-policies.py --check
# The other check scripts use validators from PyPI.
python=$(scripts/python-env.sh)
for script in scripts/check-*.py; do
    [ "$script" = scripts/check-layers.py ] || "$python" "$script"
done
