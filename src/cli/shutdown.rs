//! Ending in good order: one request, seen by whoever asks.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::hangup;
use crate::{draft, ffmpeg};

/// What a shell reports for a program ended by ctrl-C.
const INTERRUPTED: i32 = 130;

/// Signals that come this soon after the first are the same request: the end of a
/// login session is SIGTERM and SIGHUP at once. No hand is as quick.
const ONE_REQUEST: Duration = Duration::from_millis(100);

/// Ends the program without waiting for anything. What would be left behind goes
/// first: encoders at work, and files that are not whole; what there is of a live
/// show's gets a name that says so.
pub(super) fn leave() -> ! {
    // Both held to the end, or there would be new ones.
    let _encoders = ffmpeg::end_all();
    let _drafts = draft::give_up_all();
    end(INTERRUPTED)
}

/// Ends the program with `status`, at once; what it has printed is flushed by now.
///
/// The C library's own end would run the destructors of every library while threads
/// are still in some of them. Those that compile shaders for a show that is ended while
/// it starts are in the graphics driver: about one such end in a hundred was a crash.
pub(super) fn end(status: i32) -> ! {
    // SAFETY: it takes a number, runs nothing of this process's and does not return.
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "the C library has no other way to say it")]
    unsafe {
        libc::_exit(status)
    }
    #[cfg(not(unix))]
    std::process::exit(status)
}

/// Tells a signal that asks again from one that came with the first.
#[derive(Default)]
pub(super) struct SecondSignal {
    first: Option<Instant>,
}

impl SecondSignal {
    /// Whether the one that comes `now` asks again. What else has asked for the end,
    /// a window that was closed for instance, does not count: the first signal after
    /// it may still want the good order.
    pub fn is_second(&mut self, now: Instant) -> bool {
        let first = *self.first.get_or_insert(now);
        now.saturating_duration_since(first) >= ONE_REQUEST
    }
}

/// A request to end, shared by signals, time limit and window.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Default)]
struct Inner {
    requested: AtomicBool,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shutdown")
            .field(&self.is_requested())
            .finish()
    }
}

impl Shutdown {
    /// Asks for the end, and wakes who registered. Asking again does nothing.
    pub fn request(&self) {
        if !self.0.requested.swap(true, Ordering::AcqRel)
            && let Some(wake) = self.0.wake.get()
        {
            wake();
        }
    }

    pub fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::Acquire)
    }

    /// Calls `wake` when the end is asked for, or at once if it already was.
    /// Only the first to register is called.
    pub fn on_request(&self, wake: impl Fn() + Send + Sync + 'static) {
        let first = self.0.wake.set(Box::new(wake)).is_ok();
        if first
            && self.is_requested()
            && let Some(wake) = self.0.wake.get()
        {
            wake();
        }
    }

    /// Listens to ctrl-C, SIGTERM and SIGHUP; not to hangups where whoever started
    /// the program has them ignored. A second one does not wait for good order.
    ///
    /// # Errors
    /// When the system refuses a handler, or one is installed already.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever sends signals has no other clock"
    )]
    pub fn listen_to_signals(&self) -> Result<(), ctrlc::Error> {
        let shutdown = self.clone();
        let outlives_terminal = hangup::is_ignored();
        let mut signals = SecondSignal::default();
        ctrlc::set_handler(move || {
            if signals.is_second(Instant::now()) {
                leave();
            }
            shutdown.request();
        })?;
        if outlives_terminal {
            // They were taken with the others.
            hangup::ignore();
        }
        Ok(())
    }

    /// Asks for the end when standard input ends, as it does when whoever holds
    /// the other end has gone, however that happened.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn listen_to_stdin(&self) -> io::Result<()> {
        let shutdown = self.clone();
        let read_to_the_end = move || {
            // One that cannot be read any more has ended, too.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            shutdown.request();
        };
        thread::Builder::new()
            .name("stdin".into())
            .spawn(read_to_the_end)
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn a_request_is_seen_by_every_clone_and_wakes_once() {
        let shutdown = Shutdown::default();
        let woken = Arc::new(AtomicU32::new(0));
        let count = woken.clone();
        shutdown.on_request(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let clone = shutdown.clone();
        assert!(!clone.is_requested());
        shutdown.request();
        shutdown.request();
        assert!(clone.is_requested());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any moment to begin with")]
    fn signals_that_come_together_are_one_and_a_later_one_is_a_second() {
        let mut signals = SecondSignal::default();
        let start = Instant::now();
        let mut is_second = |millis| signals.is_second(start + Duration::from_millis(millis));
        assert!(!is_second(0));
        assert!(!is_second(5));
        assert!(!is_second(99));
        assert!(is_second(100));
        assert!(is_second(60_000));
    }

    #[test]
    fn who_registers_late_is_woken_at_once() {
        let shutdown = Shutdown::default();
        shutdown.request();
        let woken = Arc::new(AtomicBool::new(false));
        let flag = woken.clone();
        shutdown.on_request(move || flag.store(true, Ordering::Relaxed));
        assert!(woken.load(Ordering::Relaxed));
    }
}
