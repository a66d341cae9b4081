//! What is drawn. A software renderer (Mesa's lavapipe) will do.

#[cfg(all(unix, feature = "cli"))]
mod bad_input;
#[cfg(feature = "cli")]
mod bench;
mod bloom;
#[cfg(feature = "cli")]
mod board;
mod captions;
#[cfg(all(target_os = "linux", feature = "cli"))]
mod devices;
#[cfg(all(unix, feature = "cli"))]
mod faces;
#[cfg(all(unix, feature = "cli"))]
mod flashes;
#[cfg(all(unix, feature = "cli"))]
#[expect(dead_code, reason = "the network tests use the rest of it")]
#[path = "../foreign/mod.rs"]
mod foreign_server;
#[cfg(feature = "cli")]
mod golden;
#[cfg(all(unix, feature = "cli"))]
mod graphics;
#[cfg(all(unix, feature = "cli"))]
mod guide;
#[cfg(all(unix, feature = "cli"))]
mod making_way;
#[cfg(all(unix, feature = "cli"))]
mod nut;
#[cfg(all(target_os = "linux", feature = "desktop"))]
mod obs;
mod offscreen;
#[cfg(all(target_os = "linux", feature = "desktop"))]
mod overlay;
#[cfg(all(feature = "ffmpeg", feature = "cli"))]
mod pack;
#[cfg(all(feature = "ffmpeg", feature = "cli"))]
#[expect(dead_code, reason = "the tests of the program use the rest of it")]
#[path = "../pack/mod.rs"]
mod pack_frames;
mod present;
#[cfg(all(unix, feature = "cli"))]
mod preview;
#[cfg(all(unix, feature = "cli"))]
mod program;
#[cfg(all(unix, feature = "cli"))]
mod quality;
#[cfg(all(unix, feature = "cli"))]
mod record;
#[cfg(all(unix, feature = "cli"))]
mod run;
#[cfg(feature = "ffmpeg")]
mod samples;
#[cfg(all(unix, feature = "cli"))]
#[expect(dead_code, reason = "the network tests use the rest of it")]
#[path = "../net/server.rs"]
mod server;
#[cfg(all(unix, feature = "cli"))]
#[path = "../foreign/skip.rs"]
mod skip;
#[cfg(all(unix, feature = "cli"))]
mod stage;
#[cfg(feature = "ffmpeg")]
mod video_files;
mod video_pixels;
#[cfg(feature = "ffmpeg")]
mod video_samples;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod window;
