//! The plugin in a real OBS: Debian's, on a virtual display with a software
//! rasteriser, driven through obs-websocket. The engine's part is played by a
//! producer that draws known frames into a real ring ([`producer`]); the
//! [`harness`] takes any other program in its place.
//!
//! `apt-get install --no-install-recommends obs-studio xvfb libgl1-mesa-dri ffmpeg`

// The tests' parts are of this one program, and OBS is Linux's here.
#![cfg(target_os = "linux")]

mod age;
mod colours;
mod cost;
mod engine;
mod harness;
mod life;
mod media;
mod producer;
mod sound;
mod starting;
mod tearing;
