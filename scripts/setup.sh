#!/usr/bin/env bash
# Brings a machine to where everything builds and runs. Safe to repeat: when
# nothing is missing it ends in a fraction of a second and touches nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
cargo=${CARGO:-cargo}

# First of all: whatever is fetched is for nothing without a Rust that is new enough.
check_rust() {
    local least tool has how
    how="install Rust from https://rustup.rs, and have it in PATH before any other"
    ! command -v rustup > /dev/null || how="run: rustup update stable && rustup default stable"
    least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    for tool in "$cargo" "${RUSTC:-rustc}"; do
        has=$("$tool" --version 2> /dev/null | awk 'NR == 1 { print $2 }') || true
        if [ -z "$has" ]; then
            say "$tool is missing or does not run, and $least or newer is needed; $how"
            exit 1
        elif ! printf '%s\n' "$least" "$has" | sort -V -C; then
            say "$(command -v "$tool") is $has, and $least or newer is needed; $how"
            exit 1
        fi
    done
}

# To build: a C toolchain, libav and ALSA headers, clang for their bindings,
# Wayland and fontconfig for windows and text.
needed=(
    build-essential pkg-config clang libclang-dev
    libavcodec-dev libavformat-dev libavutil-dev libswresample-dev
    libasound2-dev libfontconfig-dev libwayland-dev
)
# To run: the Vulkan loader, what windows load at run time, fonts for names in
# every script, and ffmpeg as the encoder of recordings.
needed+=(
    libvulkan1 libxkbcommon0 libxkbcommon-x11-0 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2
    fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji ffmpeg
)
# A machine without any Vulkan driver gets Mesa's, which has a software
# rasteriser; one with a driver keeps what it has.
if ! compgen -G '/usr/share/vulkan/icd.d/*.json' > /dev/null && ! compgen -G '/etc/vulkan/icd.d/*.json' > /dev/null; then
    needed+=(mesa-vulkan-drivers)
fi
# To test: displays for windows and the overlay, one of which is composed, with
# hands to use them, a session bus for its icon, a foreign WebSocket server, a NATS
# server for relays that share a store, what sees which system calls reach the disk,
# and a real OBS with its headers and a software rasteriser to draw with.
to_test=(nats-server xvfb xauth openbox xdotool xcompmgr sway grim weston dbus python3 python3-venv strace obs-studio libobs-dev libgl1-mesa-dri)

# Those of the packages that are not installed.
missing() {
    local package installed
    installed=$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2> /dev/null | awk '/ installed$/ { print $1 }' || true)
    for package in "$@"; do
        grep -qx -- "$package" <<< "$installed" || echo "$package"
    done
}

# What is missing of all that can be done without to build and run: for the tests, to
# build the host's desk, and to try it in a browser. Whoever has a Node or a Chromium
# of their own keeps those.
wanted() {
    missing "${to_test[@]}"
    command -v node > /dev/null || echo nodejs
    command -v npm > /dev/null || echo npm
    command -v chromium > /dev/null || command -v chromium-browser > /dev/null \
        || command -v google-chrome > /dev/null || echo chromium
}

# Those of the packages that the package sources have, as far as they were read: a
# name without a package would be the end of all the others.
available() {
    [ "$#" -gt 0 ] || return 0
    LC_ALL=C apt-cache policy "$@" 2> /dev/null \
        | awk '/^[^ ]/ { name = $1; sub(/:$/, "", name) } /^  Candidate: [^(]/ { print name }'
}

lists_were_read() {
    compgen -G '/var/lib/apt/lists/*Packages*' > /dev/null
}

go_on_without() {
    [ "$#" -eq 0 ] || say "going on without $*; the tests and the host's desk lack them"
}

as_root=()

apt_install() {
    say "installing $*"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@"
}

# Tests start a server of their own; Debian's would listen to everybody.
disable_nats_server() {
    ! command -v systemctl > /dev/null \
        || "${as_root[@]}" systemctl disable --quiet --now nats-server 2> /dev/null || true
}

# Only what is needed to build and run ends the set-up where it cannot be had; the
# tests themselves say what they lack.
install_with_apt() {
    local lacks wants has both
    mapfile -t lacks < <(missing "${needed[@]}")
    mapfile -t wants < <(wanted)
    mapfile -t has < <(available "${wants[@]}")
    if [ "${#lacks[@]}" -eq 0 ]; then
        [ "${#wants[@]}" -gt 0 ] || return 0
        if [ "${#has[@]}" -eq 0 ] && lists_were_read; then
            go_on_without "${wants[@]}"
            return 0
        fi
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo > /dev/null; then
            both=("${lacks[@]}" "${has[@]}")
            say "packages are missing and there is no sudo; as root, run:"
            printf '    apt-get update\n' >&2
            [ "${#both[@]}" -eq 0 ] \
                || printf '    apt-get install --no-install-recommends %s\n' "${both[*]}" >&2
            [ "${#lacks[@]}" -eq 0 ] || exit 1
            go_on_without "${wants[@]}"
            return 0
        fi
        as_root=(sudo)
    fi
    # Not all of a machine's package sources need answer for ours to be found.
    "${as_root[@]}" apt-get update -qq || say "apt-get update had errors; going on with the lists at hand"
    if [ "${#lacks[@]}" -gt 0 ] && ! apt_install "${lacks[@]}"; then
        say "nothing can be built or run without ${lacks[*]}"
        exit 1
    fi
    mapfile -t has < <(available "${wants[@]}")
    if [ "${#has[@]}" -gt 0 ]; then
        # It listens from when it is there, whatever ends this script meanwhile.
        [[ " ${has[*]} " != *" nats-server "* ]] || {
            trap disable_nats_server EXIT
            # Not before apt has ended.
            trap 'exit 143' TERM HUP
        }
        apt_install "${has[@]}" || say "not all of that can be installed"
    fi
    mapfile -t wants < <(wanted)
    go_on_without "${wants[@]}"
}

# Elsewhere: say what is missing by what it is for, and install nothing.
check_other_system() {
    local lacks=() library
    command -v cc > /dev/null || lacks+=("a C compiler (cc)")
    command -v clang > /dev/null || lacks+=("clang with libclang, for libav's bindings")
    if command -v pkg-config > /dev/null; then
        for library in libavcodec libavformat libavutil libswresample; do
            pkg-config --exists "$library" || lacks+=("$library headers (FFmpeg development files)")
        done
        if [ "$(uname -s)" = Linux ]; then
            pkg-config --exists alsa || lacks+=("ALSA headers (alsa-lib development files)")
            pkg-config --exists fontconfig || lacks+=("fontconfig headers")
            pkg-config --exists wayland-client || lacks+=("Wayland client headers")
        fi
    else
        lacks+=("pkg-config, and the development files of FFmpeg, and on Linux of ALSA, fontconfig and Wayland")
    fi
    command -v ffmpeg > /dev/null || lacks+=("ffmpeg, to record WebM")
    if [ "$(uname -s)" = Linux ] && ! { ldconfig -p 2> /dev/null || true; } | grep -q 'libvulkan\.so\.1'; then
        lacks+=("the Vulkan loader (libvulkan.so.1) and a driver; Mesa's lavapipe serves without a GPU")
    fi
    if [ "${#lacks[@]}" -gt 0 ]; then
        say "this system has no apt; please install:"
        printf '    - %s\n' "${lacks[@]}" >&2
        say "names in every script also need the Noto fonts (core, CJK, colour emoji)"
        exit 1
    fi
}

# The tests' foreign server and the spell checker come from PyPI, pinned, into
# an environment of their own. They are remade only when the list changes.
python_environment() {
    local venv="${HYPERFOCUS_VENV:-${CARGO_TARGET_DIR:-target}/venv}"
    local stamp="$venv/.requirements"
    # Also made anew when the Python that it was made of has gone.
    cmp -s scripts/requirements.txt "$stamp" && "$venv/bin/python" -c 'import websockets' 2> /dev/null \
        && return 0
    # Somebody may have named a folder of theirs.
    if [ -e "$venv" ] && [ ! -e "$stamp" ] && [ ! -e "$venv/pyvenv.cfg" ] \
        && { [ ! -d "$venv" ] || [ -n "$(ls -A "$venv")" ]; }; then
        say "$venv is no Python environment, and is left as it is; name another in HYPERFOCUS_VENV"
        return 1
    fi
    say "making the Python environment in $venv"
    # The stamp comes first, empty, so that what is left of a try is known as ours.
    rm -rf "$venv" && mkdir -p "$venv" && : > "$stamp" \
        && python3 -m venv "$venv" \
        && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt \
        && cp scripts/requirements.txt "$stamp"
}

check_rust
if command -v apt-get > /dev/null && command -v dpkg-query > /dev/null; then
    install_with_apt
else
    check_other_system
fi
# A minimal toolchain has neither.
if ! "$cargo" fmt --version > /dev/null 2>&1 || ! "$cargo" clippy --version > /dev/null 2>&1; then
    say "this Rust has no rustfmt or no clippy"
    { command -v rustup > /dev/null && rustup component add rustfmt clippy; } \
        || say "going on without, which make test and make lint cannot"
fi
python_environment || say "going on without a Python environment, which make test and make lint cannot"
