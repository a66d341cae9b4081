//! Where read-back frames go: files, pipes, an encoder.
//!
//! The stage never waits for any of this. One thread ([`Outputs`]) takes frames
//! off the readback's bounded channel and shows each to every [`Sink`]; a thread
//! that falls behind makes the readback skip frames, which it counts. A sink
//! that fails is closed, and that is said once, with what to do about it; the
//! others go on.
//!
//! OBS and the overlay on the desktop are not among them: their frames go from
//! the GPU's buffers straight into shared memory, each in a form of their own
//! ([`ObsFeed`], [`overlay`]). Nor are players on this machine, who read a stream
//! of them where our source cannot be installed ([`NutFeed`]).
//!
//! All sinks expect frames in [`Form::Straight`](crate::render::present::Form).
//! Files appear under their names only when they are whole. What there is of a show
//! that happened but once has a name of its own that says that it is not.

mod bleed;
mod clock;
mod codec;
mod draft;
mod encoder;
mod fan;
mod film;
mod nut;
mod obs;
#[cfg(feature = "desktop")]
pub mod overlay;
mod png;
mod raw;
mod sequence;
mod sheet;
#[cfg(test)]
mod tests;
mod webm;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use codec::Codec;
pub use encoder::{ENCODER, PATIENCE};
pub use fan::{OutputReport, Outputs};
pub use film::{FilmSettings, FilmSink};
pub use nut::{MAX_READERS, NutFeed};
pub use obs::{ObsFeed, ObsPace, ObsSound, publish_frame};
pub use png::PngSink;
pub use raw::RawSink;
pub use sequence::SequenceSink;
pub use sheet::{ContactSheet, Label};
pub use webm::{IDLE, WebmSettings, WebmSink, WhenBehind};

use hyperfocus_ring::RingError;

use crate::render::present::Frame;

/// Something that takes frames.
pub trait Sink {
    /// What messages call it, such as the path it writes.
    fn name(&self) -> String;

    /// Takes the next frame.
    ///
    /// # Errors
    /// After any error the sink is closed: it gets no further frame and is not
    /// finished, except after [`OutputError::ReaderLeft`], which is an orderly
    /// end.
    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError>;

    /// Ends the output. A sink that is dropped instead leaves nothing half
    /// written behind.
    ///
    /// # Errors
    /// When what was promised cannot be completed.
    fn finish(self: Box<Self>) -> Result<Finished, OutputError>;
}

/// How a sink ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finished {
    /// What was written, for people: a path and how much is in it.
    pub written: Vec<String>,
    /// What is not as it should be, though the output is whole.
    pub warnings: Vec<String>,
}

/// Why an output ended early or could not begin. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("{name} cannot be written: {why}{}", remedy(.why))]
    Write { name: String, why: io::Error },
    #[error("{name} cannot be encoded as PNG: {why}")]
    Png {
        name: String,
        why: image::ImageError,
    },
    #[error("{0} is no pattern for numbered pictures; write it as frames/%05d.png")]
    Pattern(String),
    #[error("the folder {} holds frames already; empty it or name another", .0.display())]
    Occupied(PathBuf),
    #[error("{0} names no file; give a file name to write to")]
    NoFile(String),
    #[error("{0} would be empty")]
    Empty(String),
    #[error("OBS cannot be reached: {0}")]
    Obs(RingError),
    #[error("{0}; give this one another --name")]
    NameTaken(RingError),
    #[error("{0}")]
    Desktop(String),
    #[error(
        "nut://{0} is not this machine's own address; whoever can reach it would see the stage, \
         so write nut://127.0.0.1:{port}", port = .0.port()
    )]
    NotLoopback(SocketAddr),
    #[error(
        "cannot listen on nut://{address}: {why}; another program may have the port, choose another"
    )]
    Listen { address: SocketAddr, why: io::Error },
    #[error("whoever read {0} has left")]
    ReaderLeft(String),
    #[error(
        "video is made by the program {program}, which is not on PATH; \
         install it with `sudo apt install {program}` or leave the video out"
    )]
    EncoderMissing { program: &'static str },
    #[error("the encoder of {name} ended early{}", quoted(.said))]
    EncoderFailed { name: String, said: String },
    #[error("the encoder of {name} did not move for {} s and was ended", .after.as_secs())]
    EncoderStuck { name: String, after: Duration },
    #[error("{why}; what there is of it is kept as {}", .kept.display())]
    Cut { why: Box<Self>, kept: PathBuf },
    #[error("{name} began at {}x{} and cannot go on at {}x{}", .began.0, .began.1, .now.0, .now.1)]
    SizeChanged {
        name: String,
        began: (u32, u32),
        now: (u32, u32),
    },
}

impl OutputError {
    fn write(name: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let name = name.into();
        |why| Self::Write { name, why }
    }
}

/// What can be done about the usual failures of a disk.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space or write elsewhere"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; write where you may"
        }
        io::ErrorKind::NotFound => "; its folder is gone, or takes no files",
        _ => "",
    }
}

fn quoted(words: &str) -> String {
    match words.trim() {
        "" => "; look whether it runs by itself".to_owned(),
        words => format!(", saying: {words}"),
    }
}
