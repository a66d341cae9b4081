#!/usr/bin/env bash
# Draws the board around a headline in the three themes: docs/board.png.
set -euo pipefail
cd "$(dirname "$0")/.."
drawn=$(mktemp -d)
# The senders' pictures, at a free loopback port.
python3 -u -m http.server --bind 127.0.0.1 --directory assets/faces 0 > "$drawn/server" 2>&1 &
server=$!
trap 'kill $server; rm -rf "$drawn"' EXIT
until port=$(grep -oP 'port \K[0-9]+' "$drawn/server"); do
    kill -0 $server
    sleep 0.1
done
export HYPERFOCUS_ON_AIR_AVATARS_FROM=http://127.0.0.1:$port

gift() { # seconds, id, type, value, sender, combo count, picture
    printf '{"at": %s, "message": {"type": "gift:received", "payload": {"giftId": "%s", "giftType": "%s", "quantity": 1, "totalValue": %s, "sender": {"userId": "%s", "username": "%s", "avatar": "%s"}, "metadata": {"isStreak": %s, "comboCount": %s}}}}\n' \
        "$1" "$2" "$3" "$4" "$5" "$5" "${7:+http://127.0.0.1:$port/$7.png}" "$([ "$6" = 0 ] && echo false || echo true)" "$6"
}

{
    printf '{"at": 0, "message": {"type": "stream:status", "payload": {"isLive": true, "viewerCount": 1205, "currentGoal": {"type": "gifts", "target": 40, "current": 9, "description": "Gifts for tonight'\''s finale"}}}}\n'
    gift 0.1 a rocket 100 "王小明" 0 xiaoming
    gift 0.5 b mystery-box 5 "김하늘" 0
    gift 1.3 c crown 1000 "Zoë Ångström" 0 zoe
    gift 2.4 d heart 1 "أحمد الزهراني" 0
    for count in $(seq 23); do
        gift "$(awk "BEGIN { print 1.4 + $count * 0.15 }")" "e$count" rose 1 "さくらんぼ" "$count" sakuranbo
    done
} > "$drawn/show.jsonl"

# The moment at which the crown has its name.
for theme in glass neon high-contrast; do
    ${HYPERFOCUS:-${CARGO:-cargo} run --locked --quiet --} record --show "$drawn/show.jsonl" --board \
        --theme "$theme" --catalog assets/catalog.toml --language en --mute --size 960x540 --fps 10 \
        --seconds 5.4 --out "$drawn/$theme-%03d.png"
done
ground() { printf 'color=%s:s=960x540[%s];' "$1" "$2"; }
ffmpeg -v error -y -i "$drawn/glass-052.png" -i "$drawn/neon-052.png" -i "$drawn/high-contrast-052.png" \
    -filter_complex "$(ground '#16161d' a)$(ground '#1d1026' b)$(ground '#d3d0d8' c)
        [a][0]overlay[glass];[b][1]overlay,scale=480:270[neon];[c][2]overlay,scale=480:270[high];
        [neon][high]vstack[right];[glass][right]hstack" -frames:v 1 docs/board.png
