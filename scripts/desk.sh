#!/usr/bin/env bash
# Builds the host's desk into web/dist, for the relay to carry. Does nothing when
# that is up to date, and without Node or its packages says that the relay then
# has no desk: everything else works without one. `--check` checks its types,
# `--test` tries it in a browser against HYPERFOCUS_PROGRAM, or the built program;
# `--picture` draws docs/desk.png with that.
set -euo pipefail
cd "$(dirname "$0")/../web"

say() { printf 'desk: %s\n' "$*" >&2; }

# What cannot be done here is left out, but not where that is a fault.
leave_out() {
    say "LEFT OUT: $left_out, since $1"
    [ "${HYPERFOCUS_NO_SKIP:-0}" != 1 ] || exit 1
    exit 0
}

is_up_to_date() {
    local sources=(src index.html build.mjs package-lock.json ../assets/catalog.toml)
    [ -f dist/index.html ] && [ -z "$(find "${sources[@]}" -newer dist/index.html -print -quit)" ]
}

# As the lock file says, and again only when that changes. No package's scripts
# are run; none of ours needs them.
install() {
    command -v node > /dev/null || leave_out "there is no Node.js (18 or newer)"
    node -e 'process.exit(parseInt(process.versions.node, 10) >= 18 ? 0 : 1)' \
        || leave_out "Node.js is $(node --version), and 18 or newer is needed"
    cmp -s package-lock.json node_modules/.installed.json && return 0
    command -v npm > /dev/null || leave_out "there is no npm"
    say "installing what it is built and tried with"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
        || leave_out "npm could not install what it is built with"
    cp package-lock.json node_modules/.installed.json
}

build() {
    is_up_to_date && return 0
    left_out="the relay's desk"
    install
    node build.mjs
    say "built web/dist"
}

check() {
    left_out="the types of the relay's desk"
    install
    node_modules/.bin/tsc --noEmit
}

try() {
    check
    # A program that is named carries its desk already.
    if [ -z "${HYPERFOCUS_PROGRAM:-}" ]; then
        build
    fi
    left_out="the tests of the relay's desk"
    command -v chromium > /dev/null || command -v chromium-browser > /dev/null \
        || command -v google-chrome > /dev/null || leave_out "there is no chromium"
    cd ..
    if [ -z "${HYPERFOCUS_PROGRAM:-}" ]; then
        "${CARGO:-cargo}" build --locked
    fi
    # One after the other: each has a relay and a browser of its own.
    [ "$#" -gt 0 ] || set -- tests/web/*.test.mjs
    node --test --test-concurrency=1 "$@"
}

case "${1:-}" in
    '') build ;;
    --check) check ;;
    --test) try ;;
    --picture)
        try tests/web/picture.mjs
        # With a palette it takes half the room.
        ffmpeg -v error -y -i docs/desk.png -vf 'split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none' docs/desk.small.png
        mv docs/desk.small.png docs/desk.png
        ;;
    *)
        say "no such argument: $1"
        exit 2
        ;;
esac
