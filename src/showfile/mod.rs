//! The show file: what a backend said and when, as JSON Lines.
//!
//! One message a line, in any of three forms:
//!
//! ```json
//! {"at": 1.25, "message": {"type": "gift:received", "payload": {"giftId": "1", "giftType": "rose"}}}
//! {"type": "gift:received", "payload": {"giftId": "2", "giftType": "rose"}, "timestamp": "2026-01-01T20:00:02Z"}
//! {"giftId": "3", "giftType": "rose", "metadata": {"timestamp": "2026-01-01T20:00:03Z"}}
//! ```
//!
//! - `message` is any message of the protocol's server side, whole: gifts, stream
//!   status, `x-control`, and `connection:ack` for the rate that it grants.
//!   Heartbeats, errors and what a renderer sends are passed over.
//! - `at` is a number of seconds from the show's beginning, or a date and time in
//!   RFC 3339. It may stand in the other forms as well. Without it a gift's own
//!   timestamp counts, else the message's.
//! - Dates are counted from the first. One file has seconds or dates, not both.
//! - Lines out of order are played in the order of their times; lines of one time
//!   in the order of the file. Empty lines count for nothing.
//!
//! A file is read through once, so that every mistake is told before anything is
//! played, and then line by line; only each line's time and place are kept.

mod line;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;

pub use line::{Line, LineError};
pub use reader::{LONGEST, MOST_LINES, ShowFile};
pub use writer::{MOST_BYTES, Writer};

/// Why a show file cannot be played. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ShowFileError {
    #[error("cannot read {}: {why}", .path.display())]
    Read { path: PathBuf, why: io::Error },
    #[error("{}:{line}: {why}", .path.display())]
    Line {
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        why: LineError,
    },
    #[error(
        "{} holds no messages; write one a line, such as \
         {{\"at\": 1.5, \"message\": {{\"type\": \"gift:received\", ...}}}}",
        .0.display()
    )]
    Empty(PathBuf),
    #[error("{} holds more than {MOST_LINES} messages; cut it into parts", .0.display())]
    TooMany(PathBuf),
}
