#!/usr/bin/env bash
# Prints the benchmark table with today's figures and writes out/bench.json.
# Built like the demo and the tests, so that a figure is of what people run.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p out

# The relay is measured beside Node's ws, where there is an npm to install it
# with: as the lock file says, and again only when that changes.
folder="$(realpath -m "${CARGO_TARGET_DIR:-target}")/bench-relay"
if command -v npm > /dev/null; then
    if ! cmp -s benches/relay/package-lock.json "$folder/installed.json"; then
        printf 'bench: installing ws in %s\n' "$folder" >&2
        mkdir -p "$folder"
        cp benches/relay/package.json benches/relay/package-lock.json benches/versus/.npmrc "$folder/"
        (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
        cp benches/relay/package-lock.json "$folder/installed.json"
    fi
    export BENCH_NODE_MODULES="$folder/node_modules"
fi

# OBS's side is measured by the tests that run a real OBS.
tests="$("${CARGO:-cargo}" test --locked --package hyperfocus-obs --test obs --no-run \
    --message-format=json-render-diagnostics |
    python3 -c '
import json, sys
built = (json.loads(line) for line in sys.stdin)
print(next(it["executable"] for it in built
           if it.get("executable") and it["target"]["name"] == "obs"))')"
export BENCH_OBS_TESTS="$tests"
exec "${CARGO:-cargo}" run --locked -- bench "$@"
