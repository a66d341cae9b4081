//! What needs a renderer: a software one (Mesa's lavapipe) will do.

mod offscreen;
#[cfg(feature = "ffmpeg")]
mod samples;
#[cfg(feature = "ffmpeg")]
mod video_files;
mod video_pixels;
#[cfg(feature = "ffmpeg")]
mod video_samples;
