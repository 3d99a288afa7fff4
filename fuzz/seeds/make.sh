#!/usr/bin/env bash
# Makes the seeds of everything that compilers write, anew, from the sources here.
set -eu
cd "$(dirname "$0")"
out=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp seed.c seed.cpp seed.S seed.rs "$work"
cd "$work"

# No seed says where it was made.
gcc() { command gcc "-ffile-prefix-map=$work=/seeds" "$@"; }
g++() { command g++ "-ffile-prefix-map=$work=/seeds" "$@"; }

gcc -w -c -O1 seed.c -o "$out/object/plain.o"
gcc -w -c -O1 -fcommon -ffunction-sections -fdata-sections seed.c -o "$out/object/sections.o"
g++ -c -O1 seed.cpp -o "$out/object/comdat.o"
gcc -c seed.S -o "$out/object/assembly.o"
gcc -w -c -O1 -flto seed.c -o "$out/object/lto.o"
echo "int other_machine;" | gcc -m32 -c -x c - -o "$out/object/other-machine.o"

gcc -w -c -O1 -g -gdwarf-5 seed.c -o "$out/dwarf/five.o"
gcc -w -c -O1 -g -gdwarf-4 -fdebug-types-section seed.c -o "$out/dwarf/four-types.o"
gcc -w -c -O1 -g -gz=zlib seed.c -o "$out/dwarf/zlib.o"
gcc -w -c -O1 -g seed.c -o zstd.o
objcopy --compress-debug-sections=zstd zstd.o "$out/dwarf/zstd.o"
gcc -w -c -O1 -g -gsplit-dwarf seed.c -o split.o
cp split.o split.dwo "$out/dwarf"
g++ -c -O1 -g -fdebug-types-section seed.cpp -o "$out/dwarf/cpp.o"
rustc --edition 2024 "--remap-path-prefix=$work=/seeds" --crate-type lib -C panic=abort -g --emit obj -o "$out/dwarf/rust.o" seed.rs

cp "$out/object/plain.o" a_member_with_a_name_that_is_long.o
cp "$out/object/assembly.o" b.o
rm -f "$out"/archive/*.a
ar crsD "$out/archive/plain.a" b.o
ar crsD "$out/archive/long.a" a_member_with_a_name_that_is_long.o b.o
ar cqD "$out/archive/same.a" b.o b.o
ar crsDT "$out/archive/thin.a" b.o
ar crD "$out/archive/none.a"

gcc -w -c -O1 -g -ffunction-sections seed.c -o seed.o
gcc -nostdlib -static -no-pie -fuse-ld=bfd -Wl,--emit-relocs,-Ttext-segment=0x8000000,-e,seed \
    -Wl,--defsym=taken=0x4000000,-z,noexecstack,--build-id=none seed.o -o "$out/image/plain"
objcopy --strip-debug "$out/image/plain" "$out/image/no-debug"
