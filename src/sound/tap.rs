//! The mix pulled in real time for someone other than a device.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::RATE;
use super::mix::MixSource;

/// How often sound is pulled while something sounds.
const TICK: Duration = Duration::from_millis(10);
/// And while nothing does, though something may: a sound begins at most this late.
const SILENT_TICK: Duration = Duration::from_millis(40);
/// Time missed that is not made up for, such as a suspended machine's night.
const MOST_CAUGHT_UP: Duration = Duration::from_secs(1);
/// Frames that are pulled at a time.
const SPAN: u64 = 240;

/// Hands on what sounds for as long as this lives.
pub struct Tap {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    /// Calls `take` with each piece of interleaved stereo at [`RATE`] and how long ago
    /// it was due, and not at all while there is silence: with nothing to play its
    /// thread sleeps. It must not wait.
    pub fn start(
        mut mix: MixSource,
        mut take: impl FnMut(&[f32], Duration) + Send + 'static,
    ) -> Self {
        let (stop, stopped) = bounded(0);
        let spawned = thread::Builder::new().name("sound".into()).spawn(move || {
            let mut samples = [0.0; SPAN as usize * 2];
            let span = Duration::from_nanos(SPAN * 1_000_000_000 / u64::from(RATE));
            let mut pulled = now();
            loop {
                if mix.is_at_rest() {
                    mix.wait(&stopped);
                    pulled = now();
                }
                let tick = if mix.is_silent() { SILENT_TICK } else { TICK };
                if stopped.recv_timeout(tick) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let due = now();
                pulled = pulled.max(due.checked_sub(MOST_CAUGHT_UP).unwrap_or(due));
                while pulled + span <= due {
                    mix.render(&mut samples);
                    pulled += span;
                    if !mix.is_silent() {
                        take(&samples, due - pulled);
                    }
                }
            }
        });
        if let Err(error) = &spawned {
            tracing::warn!("no sound: its thread cannot be started: {error}");
        }
        Self {
            stop: Some(stop),
            thread: spawned.ok(),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sound's thread owns its clock"
)]
fn now() -> Instant {
    Instant::now()
}
