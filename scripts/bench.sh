#!/usr/bin/env bash
# Prints the benchmark table with today's figures and writes out/bench.json.
# Built like the demo and the tests, so that a figure is of what people run.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p out
exec "${CARGO:-cargo}" run --locked -- bench "$@"
