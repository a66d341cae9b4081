//! Bare pixels into a pipe.

use std::io::{self, Write};

use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// Writes every frame as it is: RGBA, 8 bits each, straight alpha, no header.
/// A reader that leaves ends the output in order. A reader that stalls stalls
/// all outputs (the stage goes on and frames are skipped).
pub struct RawSink<W> {
    name: String,
    writer: W,
    frames: u64,
}

impl RawSink<Box<dyn Write + Send>> {
    /// Writes to standard output, past Rust's line buffer: pixels have no lines.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn stdout() -> Result<Self, OutputError> {
        const NAME: &str = "standard output";
        #[cfg(unix)]
        let writer = {
            use std::os::fd::AsFd;
            let own = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(OutputError::write(NAME))?;
            Box::new(std::fs::File::from(own))
        };
        #[cfg(not(unix))]
        let writer = Box::new(io::stdout());
        Ok(Self::new(NAME, writer))
    }
}

impl<W: Write> RawSink<W> {
    /// Writes to `writer`; messages call it `name`.
    pub fn new(name: impl Into<String>, writer: W) -> Self {
        Self {
            name: name.into(),
            writer,
            frames: 0,
        }
    }
}

impl<W: Write> Sink for RawSink<W> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        let result = self
            .writer
            .write_all(&frame.pixels)
            .and_then(|()| self.writer.flush());
        match result {
            Ok(()) => {
                self.frames += 1;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(OutputError::ReaderLeft(self.name()))
            }
            Err(error) => Err(OutputError::write(self.name())(error)),
        }
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        Ok(Finished {
            written: vec![format!("{}: {} frames", self.name, self.frames)],
            warnings: Vec::new(),
        })
    }
}
