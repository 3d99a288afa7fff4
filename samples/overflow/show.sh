#!/bin/sh
# Shows the whole sample: the attack succeeds in the plain program and is stopped
# in the partitioned one. Exits with 0 only if both happened.
set -eu
cd "$(dirname "$0")"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { echo "show.sh: $*" >&2; exit 1; }

cargo cubicle --version >/dev/null 2>&1 ||
    fail "there is no cargo-cubicle in the PATH; install it: cargo install --path ../../cargo-cubicle"

work=target/show
mkdir -p "$work"
inputs() { cargo run --quiet --manifest-path inputs/Cargo.toml --target-dir target/inputs -- "$@"; }

cargo build --quiet
cargo cubicle build --quiet --target-dir target/cubicle
inputs honest "$work/honest.fli"

say "1. The plain program plays an honest animation of three frames"
target/debug/overflow "$work/honest.fli"

say "2. The plain program plays a malicious one: the customer is a millionaire"
inputs malicious "$work/malicious.fli" target/debug/overflow
target/debug/overflow "$work/malicious.fli" | tee "$work/plain.txt" | grep balance
grep -q '^balance after:  999998.00$' "$work/plain.txt" || fail "the attack on the plain program failed"

say "3. The partitioned program plays the honest animation: the same output"
target/cubicle/x86_64-unknown-linux-gnu/debug/overflow "$work/honest.fli" | tee "$work/cubicle-honest.txt" | grep balance
cmp "$work/cubicle-honest.txt" expected-honest.txt

say "4. The partitioned program plays one made for it: stopped before the balance changes"
inputs malicious "$work/malicious-cubicle.fli" target/cubicle/x86_64-unknown-linux-gnu/debug/overflow
status=0
cargo cubicle run --quiet --target-dir target/cubicle -- "$work/malicious-cubicle.fli" \
    >"$work/cubicle.txt" || status=$?
cat "$work/cubicle.txt"
echo "status $status"
[ "$status" -eq 86 ] || fail "expected the status of a violation, 86"
cmp "$work/cubicle.txt" expected-malicious-cubicle.txt

say "The attack changed the balance in the plain program and nothing in the partitioned one."
