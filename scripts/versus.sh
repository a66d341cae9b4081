#!/usr/bin/env bash
# The engine beside a browser source: installs the libraries of its pages, then
# measures. HYPERFOCUS_ENGINE names an engine that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
python="${HYPERFOCUS_VENV:-$target/venv}/bin/python"
folder="$target/versus"

say() { printf 'versus: %s\n' "$*" >&2; }

# A Chromium of any name will do, and so will a newer npm than Debian's. Where the
# system has them, the set-up has installed them.
missing=()
[ -x /usr/lib/chromium/chromium ] || command -v chromium chromium-browser google-chrome chrome > /dev/null \
    || missing+=(chromium)
command -v npm > /dev/null || missing+=(npm)
[ -x "$python" ] || missing+=("$python")
if [ "${#missing[@]}" -gt 0 ]; then
    say "there is no ${missing[*]}: a browser to compare with, npm for what its pages use, and a"
    say "Python to measure with; make setup installs them, or says why not"
    exit 1
fi

# As the lock file says, and again only when that changes.
if ! cmp -s benches/versus/package-lock.json "$folder/installed.json"; then
    say "installing the pages' libraries in $folder"
    mkdir -p "$folder"
    cp benches/versus/package.json benches/versus/package-lock.json benches/versus/.npmrc "$folder/"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp benches/versus/package-lock.json "$folder/installed.json"
fi

engine="${HYPERFOCUS_ENGINE:-}"
if [ -z "$engine" ]; then
    "${CARGO:-cargo}" build --locked
    engine="$target/debug/hyperfocus"
fi
exec "$python" -B benches/versus/versus.py --engine "$engine" --modules "$folder/node_modules" "$@"
