#!/bin/sh
# make-input.sh OUT BYTES: makes a file of BYTES bytes out of real ones, those of
# the Rust toolchain, in a fixed order. On one machine it is always the same file.
set -eu
[ $# -eq 2 ] || { echo "usage: make-input.sh OUT BYTES" >&2; exit 2; }
root=$(rustc --print sysroot)
find "$root/lib" "$root/bin" -type f | LC_ALL=C sort | tr '\n' '\0' |
    xargs -0 cat 2>/dev/null | head -c "$2" >"$1" || true
size=$(wc -c <"$1")
[ "$size" -eq "$2" ] || { echo "make-input.sh: only $size bytes found under $root" >&2; exit 1; }
