#!/bin/sh
# Builds the release binaries and puts them side by side into .build/bin: launch-jail as a static PIE, jail-init as the
# freestanding program that Package.swift describes.
set -eu
cd "$(dirname "$0")/.."

# jail-init is linked without libc and at a fixed address, so the flags of a static PIE must not reach it.
swift build -c release --product jail-init -Xlinker -s

swift build -c release --product launch-jail --disable-local-rpath \
    -Xswiftc -static-executable -Xswiftc -use-ld=lld \
    -Xswiftc -Xclang-linker -Xswiftc -static-pie \
    -Xlinker -z -Xlinker pack-relative-relocs -Xlinker -s

from=$(swift build -c release --show-bin-path)
mkdir -p .build/bin
for name in launch-jail jail-init; do
    cp "$from/$name" ".build/bin/$name.new"
    mv ".build/bin/$name.new" ".build/bin/$name"
done
scripts/check-init.sh .build/bin/jail-init
ls -l .build/bin
