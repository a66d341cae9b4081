//! The sound is judged as a listener would: by rendering it and measuring
//! level, pitch, peaks and clicks.

mod accent;
mod acts;
mod clip;
mod device;
mod limiter;
mod loudness;
mod measure;
mod mix;
mod shelf;
mod streak;
mod stream;
