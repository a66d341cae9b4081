//! Bare pixels into a pipe.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Finished, OutputError, Sink};
use crate::render::present::Frame;

/// A reader that does not take a frame for so long stalls. Until it reads again only
/// the newest frame is kept for it.
const STALLS_AFTER: Duration = Duration::from_secs(1);
/// How long the end waits for a reader that stalls.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// Writes every frame as it is: RGBA, 8 bits each, straight alpha, no header.
/// A reader that leaves ends the output in order. One that stalls misses frames, and
/// keeps the other outputs waiting for a second at most.
pub struct RawSink {
    name: String,
    shared: Arc<Shared>,
    /// Frames that a reader who stalled has missed.
    skipped: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is to be written next.
    next: Option<Frame>,
    is_writing: bool,
    is_over: bool,
    written: u64,
    error: Option<io::Error>,
}

impl State {
    fn is_done(&self) -> bool {
        self.next.is_none() && !self.is_writing
    }
}

impl RawSink {
    /// Writes to standard output, past Rust's line buffer: pixels have no lines.
    ///
    /// # Errors
    /// When standard output is closed, or there is no thread left.
    pub fn stdout() -> Result<Self, OutputError> {
        const NAME: &str = "standard output";
        #[cfg(unix)]
        let writer = {
            use std::os::fd::AsFd;
            let own = io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map_err(OutputError::write(NAME))?;
            std::fs::File::from(own)
        };
        #[cfg(not(unix))]
        let writer = io::stdout();
        Self::new(NAME, writer)
    }

    /// Writes to `writer`; messages call it `name`.
    ///
    /// # Errors
    /// When there is no thread left.
    pub fn new(
        name: impl Into<String>,
        writer: impl Write + Send + 'static,
    ) -> Result<Self, OutputError> {
        let name = name.into();
        let shared = Arc::<Shared>::default();
        let own = shared.clone();
        thread::Builder::new()
            .name("raw".into())
            .spawn(move || own.write_all(writer))
            .map_err(OutputError::write(&name))?;
        Ok(Self {
            name,
            shared,
            skipped: 0,
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the sink is gone and all is written, or writing fails.
    fn write_all(&self, mut writer: impl Write) {
        let mut state = self.lock();
        loop {
            let Some(frame) = state.next.take() else {
                if state.is_over {
                    return;
                }
                state = self.wait(state);
                continue;
            };
            state.is_writing = true;
            drop(state);
            let result = writer
                .write_all(&frame.pixels)
                .and_then(|()| writer.flush());
            state = self.lock();
            state.is_writing = false;
            match result {
                Ok(()) => state.written += 1,
                Err(error) => state.error = Some(error),
            }
            self.changed.notify_all();
            if state.error.is_some() {
                return;
            }
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all is written, or writing fails, but not longer than `patience`.
    fn wait_until_done<'a>(
        &self,
        state: MutexGuard<'a, State>,
        patience: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, patience, |state| {
            !state.is_done() && state.error.is_none()
        });
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Sink for RawSink {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), OutputError> {
        let mut state = self.shared.lock();
        let was_stalled = !state.is_done();
        self.skipped += u64::from(state.next.replace(frame.clone()).is_some());
        self.shared.changed.notify_all();
        if !was_stalled {
            state = self.shared.wait_until_done(state, STALLS_AFTER);
        }
        match state.error.take() {
            None => Ok(()),
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(OutputError::ReaderLeft(self.name()))
            }
            Some(error) => Err(OutputError::write(self.name())(error)),
        }
    }

    fn finish(self: Box<Self>) -> Result<Finished, OutputError> {
        let state = self.shared.lock();
        let mut state = self.shared.wait_until_done(state, LAST_CHANCE);
        match state.error.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(OutputError::write(&self.name)(error));
            }
            _ => {}
        }
        let missed = self.skipped + u64::from(!state.is_done());
        let warning = format!(
            "whoever reads {} was too slow for {missed} of its frames",
            self.name
        );
        Ok(Finished {
            written: vec![format!("{}: {} frames", self.name, state.written)],
            warnings: (missed > 0).then_some(warning).into_iter().collect(),
        })
    }
}

impl Drop for RawSink {
    /// The thread ends with the last frame. One that waits for a reader that stalls ends
    /// with the program.
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}
