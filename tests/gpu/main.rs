//! What is drawn. A software renderer (Mesa's lavapipe) will do.

#[cfg(feature = "cli")]
mod bench;
mod captions;
mod present;
mod offscreen;
#[cfg(feature = "ffmpeg")]
mod samples;
#[cfg(feature = "ffmpeg")]
mod video_files;
mod video_pixels;
#[cfg(feature = "ffmpeg")]
mod video_samples;
