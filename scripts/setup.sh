#!/usr/bin/env bash
# Brings a machine to where everything builds and runs. Safe to repeat: when
# nothing is missing it ends in a fraction of a second and touches nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }

# To build: a C toolchain, libav and ALSA headers, clang for their bindings,
# Wayland and fontconfig for windows and text.
packages=(
    build-essential pkg-config clang libclang-dev
    libavcodec-dev libavformat-dev libavutil-dev libswresample-dev
    libasound2-dev libfontconfig-dev libwayland-dev
)
# To run: the Vulkan loader, what windows load at run time, fonts for names in
# every script, and ffmpeg as the encoder of recordings.
packages+=(
    libvulkan1 libxkbcommon0 libxkbcommon-x11-0 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2
    fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji ffmpeg
)
# To test: displays for windows and the overlay, one of which is composed, with
# hands to use them, a session bus for its icon, a foreign WebSocket server, a NATS
# server for relays that share a store, what sees which system calls reach the disk,
# and a real OBS with its headers and a software rasteriser to draw with.
packages+=(nats-server xvfb xauth openbox xdotool xcompmgr sway grim weston dbus python3 python3-venv strace obs-studio libobs-dev libgl1-mesa-dri)

# To build the host's desk and to try it in a browser. Whoever has a Node or a
# Chromium of their own keeps those. Not every system has these packages, and all
# but the desk and its tests does without.
wanted=()
command -v node > /dev/null || wanted+=(nodejs)
command -v npm > /dev/null || wanted+=(npm)
command -v chromium > /dev/null || command -v chromium-browser > /dev/null \
    || command -v google-chrome > /dev/null || wanted+=(chromium)

# A machine without any Vulkan driver gets Mesa's, which has a software
# rasteriser; one with a driver keeps what it has.
if ! compgen -G '/usr/share/vulkan/icd.d/*.json' > /dev/null && ! compgen -G '/etc/vulkan/icd.d/*.json' > /dev/null; then
    packages+=(mesa-vulkan-drivers)
fi

missing_packages() {
    local package installed
    installed=$(dpkg-query -W -f '${Package} ${Status}\n' "${packages[@]}" 2> /dev/null | awk '/ installed$/ { print $1 }' || true)
    for package in "${packages[@]}"; do
        grep -qx -- "$package" <<< "$installed" || echo "$package"
    done
}

# Whether the package sources have it, as far as they were read.
has_candidate() {
    # Read to its end, or `pipefail` would take a broken pipe for an absence.
    LC_ALL=C apt-cache policy "$1" | grep 'Candidate: [^(]' > /dev/null
}

# What is wanted and can be had: a name without a package would be the end of all
# the others.
available() {
    local package
    for package in "${wanted[@]}"; do
        if has_candidate "$package"; then
            echo "$package"
        else
            say "this system has no package $package; going on without"
        fi
    done
}

install_with_apt() {
    local missing more as_root=()
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -eq 0 ]; then
        mapfile -t more < <(available)
        [ "${#more[@]}" -gt 0 ] || return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo > /dev/null; then
            say "these packages are missing and there is no sudo; as root, run:"
            printf '    apt-get install --no-install-recommends %s\n' "${missing[*]} ${wanted[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    # Not all of a machine's package sources need answer for ours to be found.
    "${as_root[@]}" apt-get update -qq || say "apt-get update had errors; going on with the lists at hand"
    mapfile -t more < <(available)
    missing+=("${more[@]}")
    say "installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
    # Tests start a server of their own; Debian's would listen to everybody.
    if [[ " ${missing[*]} " == *" nats-server "* ]] && command -v systemctl > /dev/null; then
        "${as_root[@]}" systemctl disable --quiet --now nats-server 2> /dev/null || true
    fi
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
    command -v python3 > /dev/null || lacks+=("python3 with venv, for the tests")
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
    say "making the Python environment in $venv"
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
    cp scripts/requirements.txt "$stamp"
}

if command -v apt-get > /dev/null && command -v dpkg-query > /dev/null; then
    install_with_apt
else
    check_other_system
fi
command -v cargo > /dev/null || {
    say "cargo is missing: install Rust 1.95 or newer from https://rustup.rs, and have it in PATH"
    exit 1
}
# A minimal toolchain has neither.
if ! cargo fmt --version > /dev/null 2>&1 || ! cargo clippy --version > /dev/null 2>&1; then
    if command -v rustup > /dev/null; then
        say "installing rustfmt and clippy"
        rustup component add rustfmt clippy
    else
        say "this Rust has no rustfmt or no clippy, which make test and make lint need"
    fi
fi
python_environment
