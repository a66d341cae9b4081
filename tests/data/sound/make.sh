#!/bin/sh
# Makes the sounds the tests decode. Needs ffmpeg with libvorbis.
# The files are small and committed, so tests need no ffmpeg.
set -eu
cd "$(dirname "$0")"

encode() { # expression, seconds, rate, channels, file
    ffmpeg -hide_banner -loglevel error -y \
        -f lavfi -i "aevalsrc=exprs='$1':sample_rate=$3:duration=$2" \
        -ac "$4" -c:a libvorbis -q:a 3 -map_metadata -1 -fflags +bitexact "$5"
}

# A steady tone of half amplitude, at the mixer's own rate and at the other common one.
encode '0.5*sin(440*2*PI*t)' 1 48000 1 tone-440.ogg
encode '0.5*sin(1000*2*PI*t)|0.25*sin(1000*2*PI*t)' 0.5 44100 2 tone-1000-44k.ogg
# Refused: longer than a gift's sound may be, and more channels than two.
encode '0' 31 8000 1 too-long.ogg
encode '0|0|0|0' 0.1 48000 4 four-channels.ogg
