//! The output device, opened and kept open by a thread of its own.
//!
//! No device, or one that dies, is silence: the mix is then pulled in real
//! time and thrown away, so voices end and videos keep their clock. That is
//! said once, and the device is tried again at growing intervals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rodio::cpal::StreamError;

use super::RATE;
use super::hardware::ChosenDevice;
use super::mix::{CHANNELS, MixSource, SAMPLE_RATE};

/// The first wait before the device is tried again; it doubles each time.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// The longest wait: plugging headphones in is noticed within a minute.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// A device that lived this long was fine, so the waits start over.
const FINE_AFTER: Duration = Duration::from_secs(30);

/// How often a device is looked for that was wanted and not there, while another
/// plays.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A device that takes no sound for this long is dead, whatever it says: some
/// drivers just stop calling when the hardware goes.
const STALLED_AFTER: Duration = Duration::from_secs(3);

/// How long a closing device may take to give the mix back.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// How often silence is pulled while there is no device.
const SILENT_TICK: Duration = Duration::from_millis(50);
/// The same while there is nothing to pull: a sound that begins meanwhile is that
/// late, which nobody hears.
const RESTING_TICK: Duration = Duration::from_millis(400);

/// Time missed while there is no device that is not made up for, such as a
/// suspended machine's night.
const MOST_CAUGHT_UP: Duration = Duration::from_secs(1);

/// Device errors waiting to be read. When full the newest are dropped; one is
/// enough.
const SIGNALS: usize = 16;

/// Sound on an output device, for as long as this lives.
pub struct Speakers {
    signals: Sender<Signal>,
    open: Arc<AtomicBool>,
    done: Receiver<MixSource>,
}

/// What wakes the thread.
#[derive(Debug)]
pub(super) enum Signal {
    Quit,
    /// The device opened as this number of times reported an error.
    Lost {
        opening: u32,
        why: String,
    },
}

/// Where the mix may go.
pub(super) trait Output {
    type Opened: Opened;
    type Error: std::fmt::Display;

    /// Opens the device; later errors are sent to `lost`.
    fn open(&mut self, lost: LostReport) -> Result<Self::Opened, Self::Error>;

    /// Whether another device than the one that was opened last is there now, and is
    /// the one that was wanted. Looking may take a while.
    fn has_come(&mut self) -> bool;
}

/// A device that is open. Dropping it closes it and drops what it plays.
pub(super) trait Opened {
    fn play(&self, mix: Lent);
    fn describe(&self) -> String;
}

/// Waits for a signal no longer than the given time; says how long it took.
/// The thread's only clock.
pub(super) trait Wait {
    fn wait(&mut self, longest: Duration) -> (Option<Signal>, Duration);
}

/// How a device says that it is gone.
#[derive(Clone)]
pub(super) struct LostReport {
    signals: Sender<Signal>,
    opening: u32,
}

/// The mix on loan to a device. The device can only drop it; then it goes
/// home, so the voices outlive the device.
pub(super) struct Lent {
    mix: Option<Box<MixSource>>,
    home: Sender<Box<MixSource>>,
}

impl Speakers {
    /// Starts the thread that opens `device`, by its name or id; `None` is the
    /// system's default, which also plays when there is no such device.
    /// Returns at once and cannot fail: without any device there is silence.
    pub fn start(mix: MixSource, device: Option<String>) -> Self {
        let (signals, signals_out) = bounded(SIGNALS);
        let (done_in, done) = bounded(1);
        let open = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            output: ChosenDevice::new(device),
            waiting: SignalWait(signals_out),
            signals: signals.clone(),
            open: open.clone(),
        };
        let spawned = thread::Builder::new().name("sound".into()).spawn(move || {
            if let Some(mix) = keeper.keep(Box::new(mix)) {
                drop(done_in.send(*mix));
            }
        });
        if let Err(error) = spawned {
            tracing::warn!("no sound: its thread cannot be started: {error}");
        }
        Self {
            signals,
            open,
            done,
        }
    }

    /// Whether a device is playing; false is silence.
    pub fn are_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Closes the device and gives the mix back; `None` when the device does
    /// not let go of it.
    pub fn stop(self) -> Option<MixSource> {
        self.quit();
        self.done.recv_timeout(GIVE_BACK * 2).ok()
    }

    fn quit(&self) {
        // Full means that the thread is busy with a dying device; it reads on
        // as soon as that is closed.
        drop(self.signals.send_timeout(Signal::Quit, GIVE_BACK));
    }
}

impl Drop for Speakers {
    fn drop(&mut self) {
        self.quit();
    }
}

/// The thread's state, apart from the mix.
pub(super) struct Keeper<O, W> {
    pub(super) output: O,
    pub(super) waiting: W,
    pub(super) signals: Sender<Signal>,
    pub(super) open: Arc<AtomicBool>,
}

/// Why the thread stopped waiting.
enum Woken {
    Quit,
    Lost(String),
    Retry,
}

impl<O: Output, W: Wait> Keeper<O, W> {
    /// Plays until told to quit; returns the mix unless a device kept it.
    pub(super) fn keep(mut self, mut mix: Box<MixSource>) -> Option<Box<MixSource>> {
        let mut retry_in = FIRST_RETRY;
        let mut said = false;
        for opening in 0.. {
            let lost = LostReport {
                signals: self.signals.clone(),
                opening,
            };
            match self.output.open(lost) {
                Ok(device) => {
                    tracing::info!("sound plays on {}", device.describe());
                    said = false;
                    let (lived, woken, given_back) = self.play(device, mix, opening);
                    let Some(given_back) = given_back else {
                        tracing::warn!(
                            "no sound until restart: the device hangs and does not close"
                        );
                        return None;
                    };
                    mix = given_back;
                    if lived >= FINE_AFTER {
                        retry_in = FIRST_RETRY;
                    }
                    match woken {
                        Woken::Quit => return Some(mix),
                        Woken::Lost(why) => {
                            tracing::warn!("sound is off: {why}; the device is tried again");
                            said = true;
                        }
                        Woken::Retry => continue,
                    }
                }
                Err(error) if !said => {
                    tracing::warn!(
                        "no sound: {error}; the show goes on silently, and the device is tried again"
                    );
                    said = true;
                }
                Err(_) => {}
            }
            if let Woken::Quit = self.play_silently(&mut mix, retry_in) {
                break;
            }
            retry_in = (retry_in * 2).min(LONGEST_RETRY);
        }
        Some(mix)
    }

    /// Lends the mix to the device until it is lost or it is time to quit.
    fn play(
        &mut self,
        device: O::Opened,
        mix: Box<MixSource>,
        opening: u32,
    ) -> (Duration, Woken, Option<Box<MixSource>>) {
        let (home, returned) = bounded(1);
        let progress = mix.progress();
        device.play(Lent {
            mix: Some(mix),
            home,
        });
        self.open.store(true, Ordering::Relaxed);
        let mut lived = Duration::ZERO;
        let mut looked = Duration::ZERO;
        let mut still = Duration::ZERO;
        let mut frames = progress.frames();
        let woken = loop {
            let (signal, took) = self.waiting.wait(STALLED_AFTER - still);
            lived += took;
            match signal {
                Some(Signal::Quit) => break Woken::Quit,
                Some(Signal::Lost { opening: of, why }) if of == opening => break Woken::Lost(why),
                _ => {}
            }
            let now = progress.frames();
            still = if now == frames {
                still + took
            } else {
                Duration::ZERO
            };
            frames = now;
            if still >= STALLED_AFTER {
                break Woken::Lost("the device takes no more sound".into());
            }
            if lived - looked >= LOOK_AGAIN {
                looked = lived;
                if self.output.has_come() {
                    break Woken::Retry;
                }
            }
        };
        self.open.store(false, Ordering::Relaxed);
        drop(device);
        (lived, woken, returned.recv_timeout(GIVE_BACK).ok())
    }

    /// The Null form: pulls the mix in real time and drops the samples.
    fn play_silently(&mut self, mix: &mut MixSource, longest: Duration) -> Woken {
        let mut waited = Duration::ZERO;
        // Time pulled so far, so that rounding to frames does not add up.
        let mut owed = Duration::ZERO;
        let mut samples = [0.0; 1024];
        let span = Duration::from_secs_f64((samples.len() / 2) as f64 / f64::from(RATE));
        while waited < longest {
            let tick = if mix.is_at_rest() {
                RESTING_TICK
            } else {
                SILENT_TICK
            };
            let (signal, took) = self.waiting.wait(tick.min(longest - waited));
            if let Some(Signal::Quit) = signal {
                return Woken::Quit;
            }
            waited += took;
            owed = (owed + took).min(MOST_CAUGHT_UP);
            while owed >= span {
                mix.render(&mut samples);
                owed -= span;
            }
        }
        Woken::Retry
    }
}

impl LostReport {
    /// Which opening of the device it speaks for.
    #[cfg(test)]
    pub(super) fn opening(&self) -> u32 {
        self.opening
    }

    /// Called from the audio backend's thread, so it must not wait.
    pub(super) fn report(&self, error: &StreamError) {
        // The device goes on after an underrun.
        if !matches!(error, StreamError::BufferUnderrun) {
            drop(self.signals.try_send(Signal::Lost {
                opening: self.opening,
                why: error.to_string(),
            }));
        }
    }
}

struct SignalWait(Receiver<Signal>);

impl Wait for SignalWait {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sound's thread owns its clock"
    )]
    fn wait(&mut self, longest: Duration) -> (Option<Signal>, Duration) {
        let before = Instant::now();
        let signal = match self.0.recv_timeout(longest) {
            Ok(signal) => Some(signal),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Signal::Quit),
        };
        (signal, before.elapsed())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(mix) = self.mix.take() {
            drop(self.home.try_send(mix));
        }
    }
}

impl Iterator for Lent {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.mix.as_mut()?.next()
    }
}

impl rodio::Source for Lent {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> rodio::ChannelCount {
        CHANNELS
    }

    fn sample_rate(&self) -> rodio::SampleRate {
        SAMPLE_RATE
    }

    fn total_duration(&self) -> Option<Duration> {
        None
    }
}
