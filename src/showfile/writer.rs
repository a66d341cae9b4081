//! Keeping a show while it happens.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::model::Moment;
use crate::protocol::{ServerMessage, decode_server};

/// The largest file: a million gifts and more. What comes after is not kept.
pub const MOST_BYTES: u64 = 1 << 30;

pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Writes what a backend says, each line as it comes, so that a show that ends
/// badly is kept as far as it went.
#[derive(Debug)]
pub struct Writer<W = File> {
    out: W,
    bytes: u64,
    lines: u64,
    is_full: bool,
}

impl Writer {
    /// A new file, readable by its owner alone: viewers' names are in it.
    ///
    /// # Errors
    /// When there is a file already, or none can be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self::new(options.open(path)?))
    }

    /// Takes back what a full disk left of a line, so that the rest can be read.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn cut(&mut self) -> io::Result<()> {
        self.out.set_len(self.bytes)
    }
}

impl<W: Write> Writer<W> {
    pub fn new(out: W) -> Self {
        Self {
            out,
            bytes: 0,
            lines: 0,
            is_full: false,
        }
    }

    /// Keeps a message that came at `at`, if it is one that a show plays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, at: Moment, message: &[u8]) -> io::Result<()> {
        let is_played = matches!(
            decode_server(message),
            Ok(ServerMessage::Gift(_)
                | ServerMessage::Status(_)
                | ServerMessage::Control(_)
                | ServerMessage::Ack(_))
        );
        let Some(text) = is_played
            .then(|| std::str::from_utf8(message).ok())
            .flatten()
        else {
            return Ok(());
        };
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        // A line break can only stand between a message's words.
        let text = text.replace(['\n', '\r'], " ");
        let line = format!("{{\"at\": {:.3}, \"message\": {text}}}\n", at.as_secs_f64());
        if self.is_full || self.bytes + line.len() as u64 > MOST_BYTES {
            self.is_full = true;
            return Ok(());
        }
        self.out.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Messages that were kept.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether something came after [`MOST_BYTES`].
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What it wrote into.
    pub fn into_inner(self) -> W {
        self.out
    }
}
