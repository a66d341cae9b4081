#!/usr/bin/env bash
# Draws each gift at its best moment over a game: docs/gifts/GIFT.png.
set -euo pipefail
cd "$(dirname "$0")/.."
drawn=$(mktemp -d)
trap 'rm -rf "$drawn"' EXIT
${HYPERFOCUS:-${CARGO:-cargo} run --locked --quiet --} preview all --headless \
    --over game --size 640x360 --name Ana --catalog assets/catalog.toml --out "$drawn"
mkdir -p docs/gifts
for picture in "$drawn"/*.png; do
    name=$(basename "$picture")
    mv "$picture" "docs/gifts/${name%%-*}.png"
done
ls docs/gifts
