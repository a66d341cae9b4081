#!/bin/sh
# Rebuild every generated asset. Needs Python 3.11 and ffmpeg (libx264, libvorbis).
#   assets/scripts/build.sh            everything (about ten minutes of one core)
#   assets/scripts/build.sh sounds     one step: textures spectra sounds rocket diamond planet disco
#                                      airplane bloom portraits icons flips props love space lion
#                                      mermaid faces crown video fireworks clips
# PYTHON names an interpreter that has requirements.txt installed; without it a
# virtual environment is made under out/.
set -eu
export PYTHONDONTWRITEBYTECODE=1
scripts=$(cd "$(dirname "$0")" && pwd)
venv=$scripts/../../out/assets/venv
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$venv/bin/python
    # Only what was installed whole has the stamp, and from which list.
    if ! cmp -s "$scripts/requirements.txt" "$venv/.requirements" || ! "$PYTHON" -c '' 2> /dev/null; then
        python3 -m venv --clear "$venv"
        "$PYTHON" -m pip install --quiet -r "$scripts/requirements.txt"
        cp "$scripts/requirements.txt" "$venv/.requirements"
    fi
fi

step() {
    case $1 in
    textures | spectra | sounds | rocket | diamond | planet | disco | airplane | bloom | portraits | icons | flips | props | love | space | lion | mermaid | faces | crown | fireworks) nice "$PYTHON" "$scripts/$1.py" ;;
    video) nice "$PYTHON" "$scripts/crown_video.py" ;;
    clips) nice "$PYTHON" "$scripts/tiny_clip.py" ;;
    *) echo "no such step: $1" >&2 && exit 2 ;;
    esac
}

# Each step reads what the ones before it wrote.
[ $# -gt 0 ] || set -- textures spectra sounds rocket diamond planet disco airplane bloom portraits icons flips props love space lion mermaid faces crown video fireworks clips
for name in "$@"; do
    step "$name"
done
