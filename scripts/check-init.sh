#!/bin/sh
# check-init.sh FILE: jail-init must be what its decision record says: static, without a dynamic section, without
# undefined symbols, without an executable stack, and small.
set -eu
file=$1
limit=65536

fail() {
    echo "check-init: $file: $1" >&2
    exit 1
}

size=$(stat -c %s "$file")
[ "$size" -lt "$limit" ] || fail "$size bytes, the limit is $limit"

readelf -lW "$file" | grep -q 'INTERP' && fail "has an interpreter"
readelf -lW "$file" | grep -q 'DYNAMIC' && fail "has a dynamic section"
readelf -lW "$file" | grep -q 'TLS' && fail "has thread-local storage"
readelf -lW "$file" | grep 'GNU_STACK' | grep -q 'RWE' && fail "has an executable stack"
undefined=$(nm -u "$file" 2>/dev/null || true)
[ -z "$undefined" ] || fail "undefined symbols: $undefined"
echo "check-init: ok, $size bytes, static, no undefined symbols"
