#!/usr/bin/env bash
# Checks that ask for taste or a network rather than a test run.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
venv="${HYPERFOCUS_VENV:-${CARGO_TARGET_DIR:-target}/venv}"

if ! [ -x "$venv/bin/typos" ]; then
    echo "lint: $venv has no spell checker; make setup makes it, or says why not" >&2
    exit 1
fi
"$cargo" fmt --all --check
"$cargo" clippy --locked --no-default-features --all-targets -- -D warnings
"$cargo" clippy --locked --no-default-features --features cli --all-targets -- -D warnings
"$cargo" clippy --locked --no-default-features --features relay --all-targets -- -D warnings
# Each weight that the library's page names is compiled by somebody.
"$cargo" clippy --locked --no-default-features --features stage --all-targets -- -D warnings
"$cargo" clippy --locked --no-default-features --features render,cli --all-targets -- -D warnings
"$cargo" clippy --locked --all-targets -- -D warnings
"$cargo" clippy --locked -p hyperfocus-ring -p hyperfocus-obs --all-targets -- -D warnings
"$venv/bin/typos"
scripts/desk.sh --check

if ! "$cargo" deny --version > /dev/null 2>&1; then
    echo 'lint: installing cargo-deny (once, some minutes)' >&2
    "$cargo" install cargo-deny --locked --version '^0.20'
fi
"$cargo" deny check bans licenses sources
# The advisory database is a git repository on the network. Where it cannot be
# fetched the rest still counts, but nobody should believe it was read.
if ! "$cargo" deny check advisories; then
    if "$cargo" deny fetch db > /dev/null 2>&1; then
        echo 'lint: advisories found, see above' >&2
        exit 1
    fi
    echo 'lint: WARNING: the advisory database could not be fetched; ADVISORIES WERE NOT CHECKED' >&2
fi
echo 'lint: clean'
