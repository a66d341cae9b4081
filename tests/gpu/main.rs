//! What is drawn. A software renderer (Mesa's lavapipe) will do.

#[cfg(feature = "cli")]
mod bench;
mod captions;
mod offscreen;
mod present;
#[cfg(feature = "ffmpeg")]
mod samples;
#[cfg(feature = "ffmpeg")]
mod video_files;
mod video_pixels;
#[cfg(feature = "ffmpeg")]
mod video_samples;
#[cfg(all(feature = "desktop", target_os = "linux"))]
mod window;
