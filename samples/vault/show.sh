#!/bin/sh
# Shows the whole sample: the heartbeat finds the key in the plain program and
# does not find it in the partitioned one. Exits with 0 only if both happened.
set -eu
cd "$(dirname "$0")"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { echo "show.sh: $*" >&2; exit 1; }

cargo cubicle --version >/dev/null 2>&1 ||
    fail "there is no cargo-cubicle in the PATH; install it: cargo install --path ../../cargo-cubicle"

make --quiet all test
cargo cubicle build --quiet --target-dir target/cubicle
plain=build/notary
partitioned=target/cubicle/x86_64-unknown-linux-gnu/debug/vault
key=$(cat demo.key)

say "1. Honest requests: both programs give the same answers"
"$plain" <requests/honest.txt | cmp - expected-honest.txt
"$partitioned" <requests/honest.txt >build/honest.txt
cat build/honest.txt
cmp build/honest.txt expected-honest.txt

say "2. The plain program: a heartbeat of 5 bytes that claims to have 600"
"$plain" <requests/heartbleed.txt >build/plain.txt
fold -w 100 build/plain.txt
grep -q "$key" build/plain.txt || fail "the key was not found in the plain program"

say "3. The partitioned program: the same request"
"$partitioned" <requests/heartbleed.txt >build/partitioned.txt
fold -w 100 build/partitioned.txt
grep -q '^heartbeat hello' build/partitioned.txt || fail "the heartbeat was not answered"
! grep -q "$key" build/partitioned.txt || fail "the key was found in the partitioned program"

say "4. The partitioned program: claiming 60,000 bytes, and looking for the key"
echo 'heartbeat 60000 hello' | "$partitioned" >build/more.txt
[ "$(wc -c <build/more.txt)" -ge 60000 ] || fail "the heartbeat was not answered"
! grep -q "$key" build/more.txt || fail "the key was found in the partitioned program"
echo "not found"

say "The heartbeat leaks the key of the plain program and not that of the partitioned one."
