#!/bin/sh
# install.sh FROM PREFIX [DESTDIR]: puts launch-jail, its init and the shipped policies in place.
set -eu
cd "$(dirname "$0")/.."
from=$1
prefix=$2
root=${3:-}
install -d -m 755 "$root$prefix/bin" "$root$prefix/libexec/launch-jail" "$root$prefix/share/launch-jail/policies"
install -m 755 "$from/launch-jail" "$root$prefix/bin/launch-jail"
install -m 755 "$from/jail-init" "$root$prefix/libexec/launch-jail/jail-init"
for file in policies/*.yaml; do
    [ -e "$file" ] && install -m 644 "$file" "$root$prefix/share/launch-jail/policies/"
done
echo "installed $root$prefix/bin/launch-jail"
