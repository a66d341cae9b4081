#!/usr/bin/env bash
# Everything that must hold, fastest first; stops at the first phase that
# fails and always ends with what ran and how long it took.
set -uo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A machine without a login session has no runtime folder; Wayland and audio
# libraries complain at length without one.
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    export XDG_RUNTIME_DIR="$scratch/runtime"
    mkdir -m 700 "$XDG_RUNTIME_DIR"
fi
# The interpreter that has the foreign server's library.
venv="${HYPERFOCUS_VENV:-${CARGO_TARGET_DIR:-target}/venv}"
export HYPERFOCUS_TEST_PYTHON="$venv/bin/python"
if ! "$HYPERFOCUS_TEST_PYTHON" -c 'import websockets' 2> /dev/null || ! [ -x "$venv/bin/typos" ]; then
    echo "test: $venv lacks what the tests need; make setup makes it, or says why not" >&2
    exit 1
fi
# Property tests draw the same cases in every run of this script, so that it
# fails for what was changed; `PROPTEST_RNG_SEED=$RANDOM make test` explores.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-17}"
export RUST_BACKTRACE="${RUST_BACKTRACE:-1}"

names=()
results=()
seconds=()

summary() {
    local i total=0
    printf '\n%-44s %8s  %s\n' phase seconds result
    for i in "${!names[@]}"; do
        printf '%-44s %8d  %s\n' "${names[$i]}" "${seconds[$i]}" "${results[$i]}"
        total=$((total + seconds[i]))
    done
    printf '%-44s %8d  %s\n' total "$total" "$1"
}

log=$scratch/log
running=
start=0

interrupted() {
    if [ -n "$running" ]; then
        names+=("$running")
        seconds+=($((SECONDS - start)))
        results+=(INTERRUPTED)
    fi
    summary INTERRUPTED
    exit 130
}
trap interrupted INT TERM

phase() {
    local name=$1 counts skipped status
    shift
    printf '\n==> %s: %s\n' "$name" "$*"
    start=$SECONDS
    running=$name
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    counts=$(awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
        # What `node --test` counts, in TAP or in words.
        $2 == "pass" && NF == 3 { passed += $3 }
        $2 == "fail" && NF == 3 { failed += $3 }
        $2 == "skipped" && NF == 3 { ignored += $3 }
        END { if (passed + failed + ignored) { printf "%d passed, %d failed, %d ignored", passed, failed, ignored } }' "$log")
    # What could not be run here is said in the table too: a test that was skipped
    # has not passed.
    skipped=$(grep -cE '(SKIPPED|NOT TESTED|LEFT OUT):' "$log" || true)
    [ "$skipped" -eq 0 ] || counts="${counts:+$counts, }$skipped SKIPPED"
    running=
    names+=("$name")
    seconds+=($((SECONDS - start)))
    if [ "$status" -ne 0 ]; then
        results+=("FAILED${counts:+ ($counts)}")
        summary FAILED
        exit "$status"
    fi
    results+=("${counts:-ok}")
}

# Spelling and form cost nothing. Clippy wants each weight compiled once more, which
# is `make lint`'s to do.
phase 'format' "$cargo" fmt --all --check
phase 'spelling' "$venv/bin/typos"
phase 'core: no features' "$cargo" test --locked --no-default-features
# The program itself is part of this weight: it parses arguments, reads
# configuration and speaks the network without Bevy.
phase 'net: network and command line' "$cargo" test --locked --no-default-features --features cli --lib --bins --test net
# The relay needs no Bevy either. The rest of the library has run by now.
phase 'relay: hub and store' "$cargo" test --locked --no-default-features --features relay --lib relay::
phase 'relay: server' "$cargo" test --locked --no-default-features --features relay --test relay
# The stage's tests are the library's own. Of the binaries only `gpu`: the lighter
# ones have run already, and linking them against Bevy would prove nothing new.
phase 'stage and GPU: default features' "$cargo" test --locked --lib --bins --test gpu
# Last, since it draws with all processors there are, in a real OBS.
phase 'obs: ring and source' "$cargo" test --locked -p hyperfocus-ring -p hyperfocus-obs
# In a real browser, with the whole program as it was built for the tests before.
phase "web: the host's desk" scripts/desk.sh --test
summary passed
