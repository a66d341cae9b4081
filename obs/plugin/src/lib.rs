//! The OBS Studio source "Hyperfocus gifts": what the engine draws and sounds,
//! over whatever else is in the scene.
//!
//! The plugin is a guest in OBS. It never waits on OBS's threads, it owns no
//! long-lived thread, and a panic of its own ends in a line in the log and a
//! source that draws nothing (`shield`). What it shows comes through the
//! shared memory of `hyperfocus-ring`; the engine is another program, which may
//! come, go or crash as it likes.
//!
//! | file | what it is |
//! |---|---|
//! | `ffi` | the part of libobs that is used, resolved from OBS when it loads us |
//! | `obs` | the same, as safe Rust |
//! | `callbacks`, `shield` | what OBS calls |
//! | `source`, `choice` | one source and its settings |
//! | `hub` | what all sources of one engine share: the reader, the texture |
//! | `feed` | the reader's life: opening, silence, recovery |
//! | `picture` | the texture, and how it is drawn |
//! | `launcher` | starting an engine, and ending what was started |
//! | `properties`, `words` | what the user sees |

#[cfg(not(panic = "unwind"))]
compile_error!("a panic that aborts would take OBS along; build with unwinding");

mod callbacks;
mod choice;
mod feed;
mod ffi;
mod hub;
mod launcher;
mod obs;
mod picture;
mod properties;
mod shield;
mod source;
#[cfg(test)]
mod tests;
mod words;
