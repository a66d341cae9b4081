//! The way into OBS: frames and sound go into a ring of shared memory, from
//! which the source "Hyperfocus gifts" in OBS takes them.
//!
//! A thread of its own beats the ring's heart, so that a stage that sleeps does
//! not go blank in OBS; one that stands still does ([`pulse`]). It also listens
//! to what OBS says: its frame rate, which paces the stage, and whether the source
//! is on air. While it is not, gifts wait, as they would for a hidden window.

mod pulse;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bevy::prelude::*;
use hyperfocus_ring::{
    Connection, Folder, FrameStamp, ReaderWish, RingError, SAMPLE_RATE, Settings, Showing,
    SoundWriter, Vitals, Writer, now_ns,
};

use super::OutputError;
use crate::render::Warmup;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_outlet};
use crate::stage::{Connected, ConnectionState, LastEvent, StageSet};
use pulse::Pulse;

/// How far ahead of its pulling sound is to be heard: OBS wants it early, and
/// the picture is a frame or two on its way.
const LEAD_NS: u64 = 30_000_000;
/// Sound that is further than this from its clock begins anew: it was silent,
/// or the machine stood still.
const DRIFT_NS: u64 = 60_000_000;
/// How often the heart beats and OBS is listened to. The source goes blank
/// after half a second without a beat.
const BEAT: Duration = Duration::from_millis(100);
/// How often the ring's file is looked for. Whoever cleans up removes it under our
/// feet, as a login manager does when its user's last session ends.
const LOOK_NS: u64 = 2_000_000_000;

/// The ring, from its making to its orderly end.
pub struct ObsFeed {
    state: Arc<State>,
    heart: Option<JoinHandle<()>>,
}

struct State {
    /// Held for one copy of a frame, or for a few words.
    ring: Mutex<Ring>,
    /// Nanoseconds between frames as OBS wants them; 0 while it does not say.
    period: AtomicU64,
    /// Whether OBS has taken its seat.
    is_joined: AtomicBool,
    /// Whether gifts play for a preview that only the streamer sees.
    in_preview: bool,
    /// Whether the source is where gifts play for it.
    is_seen: AtomicBool,
    /// OBS has come, and has not seen the stage as it is.
    is_owed: AtomicBool,
    is_over: AtomicBool,
    frames: AtomicU64,
    pulse: Pulse,
}

struct Ring {
    writer: Writer,
    /// What the next beat says.
    vitals: Vitals,
}

impl ObsFeed {
    /// Makes the ring called `name` for frames of `size` pixels, and what takes
    /// its sound. Gifts play while the source is on air, and `in_preview` also while
    /// only the streamer sees it. `wake` is called when OBS wants something else than
    /// before.
    ///
    /// # Errors
    /// When an engine of that name runs already, or shared memory is not to be
    /// had.
    pub fn open(
        name: &str,
        (width, height): (u32, u32),
        in_preview: bool,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(Self, ObsSound), OutputError> {
        let settings = Settings {
            name,
            engine: env!("CARGO_PKG_VERSION"),
            width,
            height,
        };
        let mut writer = Folder::of_user()
            .and_then(|folder| Writer::create(&folder, &settings))
            .map_err(|error| match error {
                RingError::Running { .. } => OutputError::NameTaken(error),
                error => OutputError::Obs(error),
            })?;
        let sound = ObsSound {
            ring: writer.take_sound().expect("a new ring's sound is free"),
            next_ns: 0,
        };
        let state = Arc::new(State::new(writer, in_preview, now_ns()));
        let heart = Heart::of(state.clone());
        let heart = thread::Builder::new()
            .name("obs".into())
            .spawn(move || heart.run(wake))
            .expect("a system that draws has a thread left for what it draws");
        let feed = Self {
            state,
            heart: Some(heart),
        };
        Ok((feed, sound))
    }

    /// Makes the app feed the ring.
    pub fn install(&self, app: &mut App) {
        add_outlet(app, Form::LinearPremultiplied, Frames(self.state.clone()));
        app.insert_resource(Feed(self.state.clone()))
            .add_systems(First, awake)
            .add_systems(Update, tell.after(StageSet::Receive));
    }

    /// Asks whether the source is where gifts play for it.
    pub fn is_seen(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let state = self.state.clone();
        move || state.is_seen.load(Ordering::Acquire)
    }

    /// What paces the stage in place of its own rate, and wants to hear how long it
    /// sleeps.
    pub fn pace(&self) -> ObsPace {
        ObsPace(Some(self.state.clone()))
    }

    /// Ends the ring: the source is blank at once. Says what it has had.
    pub fn close(mut self) -> String {
        self.stop();
        let frames = self.state.frames.load(Ordering::Relaxed);
        format!("OBS ({}): {frames} frames", self.state.ring().writer.name())
    }

    fn stop(&mut self) {
        self.state.is_over.store(true, Ordering::Release);
        if let Some(heart) = self.heart.take() {
            heart.thread().unpark();
            // A panic was reported by its own hook.
            let _ = heart.join();
        }
        // Not left to the last who shares the state: it may live on for long.
        self.state.ring().writer.end();
    }
}

impl Drop for ObsFeed {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where sound for OBS goes.
pub struct ObsSound {
    ring: SoundWriter,
    /// When the next sample is to be heard.
    next_ns: u64,
}

impl ObsSound {
    /// Takes interleaved stereo at 48 kHz that was due `late` ago; nothing need be
    /// written for silence.
    pub fn write(&mut self, samples: &[f32], late: Duration) {
        let late = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        let due = (now_ns() + LEAD_NS).saturating_sub(late);
        if due.abs_diff(self.next_ns) > DRIFT_NS {
            self.next_ns = due;
        }
        self.ring.write(samples, self.next_ns);
        let frames = (samples.len() / 2) as u64;
        self.next_ns += frames * 1_000_000_000 / u64::from(SAMPLE_RATE);
    }
}

/// The time between two frames, which OBS may say, and the time without any, which
/// it is told.
#[derive(Clone, Default)]
pub struct ObsPace(Option<Arc<State>>);

impl ObsPace {
    /// OBS's, or `own` where there is no OBS or it does not say.
    pub fn period(&self, own: Duration) -> Duration {
        let said = self.0.as_ref().map(|state| &state.period);
        match said.map_or(0, |period| period.load(Ordering::Relaxed)) {
            0 => own,
            nanoseconds => Duration::from_nanos(nanoseconds),
        }
    }

    /// To be called by whoever drives the stage before each sleep, with how long it
    /// may be: a stage that stays away for longer goes blank in OBS.
    pub fn rests(&self, sleep: Duration) {
        if let Some(state) = &self.0 {
            state.pulse.rests(now_ns(), sleep);
        }
    }
}

impl State {
    fn new(writer: Writer, in_preview: bool, now_ns: u64) -> Self {
        Self {
            ring: Mutex::new(Ring {
                writer,
                vitals: Vitals::default(),
            }),
            period: AtomicU64::new(0),
            is_joined: AtomicBool::new(false),
            in_preview,
            is_seen: AtomicBool::new(false),
            is_owed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            pulse: Pulse::new(now_ns),
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what OBS wants; true when it is news to the stage.
    fn heed(&self, wish: &ReaderWish, now_ns: u64) -> bool {
        let period = wish.fps.map_or(0, |(numerator, denominator)| {
            1_000_000_000 * u64::from(denominator) / u64::from(numerator)
        });
        self.period.store(period, Ordering::Relaxed);
        // An OBS that pauses for a moment goes on with what it shows: gifts wait, and
        // nothing else changes while it has its seat.
        let was_joined = self.is_joined.swap(wish.is_seated, Ordering::AcqRel);
        let has_come = wish.is_seated && !was_joined;
        if has_come {
            tracing::info!("OBS takes the frames");
            self.is_owed.store(true, Ordering::Release);
        } else if was_joined && !wish.is_seated {
            // What comes next is not taken: who comes back begins with nothing
            // rather than with a gift of long ago.
            let nothing = FrameStamp {
                drawn_ns: now_ns,
                ..FrameStamp::default()
            };
            self.ring().writer.clear(&nothing);
        }
        let is_seen = match wish.showing {
            Showing::OnAir => true,
            Showing::InPreview => self.in_preview,
            Showing::Nowhere => false,
        };
        let was_seen = self.is_seen.swap(is_seen, Ordering::AcqRel);
        has_come || was_seen != is_seen
    }
}

/// What beats beside the stage, and what it remembers from beat to beat.
struct Heart {
    state: Arc<State>,
    /// When the ring's file is looked for next.
    look_ns: u64,
    /// Others do not find the ring any more, which has been said.
    is_lost: bool,
    /// Since when the stage stands still, as long as it does.
    stopped_ns: Option<u64>,
}

impl Heart {
    fn of(state: Arc<State>) -> Self {
        Self {
            state,
            look_ns: 0,
            is_lost: false,
            stopped_ns: None,
        }
    }

    fn run(mut self, wake: impl Fn()) {
        while !self.state.is_over.load(Ordering::Acquire) {
            if self.beat(now_ns()) {
                wake();
            }
            thread::park_timeout(BEAT);
        }
    }

    /// Beats unless the stage stands still, and listens to OBS; true when that wants
    /// something else than before.
    fn beat(&mut self, now_ns: u64) -> bool {
        if now_ns >= self.look_ns {
            self.look_ns = now_ns + LOOK_NS;
            self.keep_in_place();
        }
        let stopped_ns = self.state.pulse.stopped_ns(now_ns);
        let wish = {
            let Ring { writer, vitals } = &mut *self.state.ring();
            if stopped_ns.is_none() {
                writer.beat(now_ns, vitals);
            }
            writer.wish(now_ns)
        };
        let stopped_before_ns = std::mem::replace(&mut self.stopped_ns, stopped_ns);
        if let (Some(since_ns), None) = (stopped_before_ns, stopped_ns) {
            // Said now and not when it began: the log may be what the stage waited for.
            let seconds = now_ns.saturating_sub(since_ns) / 1_000_000_000;
            tracing::warn!("the stage stood still for {seconds} s, and was blank in OBS");
        }
        self.state.heed(&wish, now_ns)
    }

    /// Has a ring in place that others find.
    fn keep_in_place(&mut self) {
        let kept = self.state.ring().writer.keep_in_place();
        let was_lost = std::mem::replace(&mut self.is_lost, kept.is_err());
        match kept {
            Ok(false) => {}
            Ok(true) => {
                // OBS comes anew, and is owed the stage as it is.
                self.state.is_joined.store(false, Ordering::Release);
                tracing::warn!("somebody removed the memory shared with OBS; it was made anew");
            }
            Err(error) if !was_lost => {
                tracing::warn!("OBS will not find this engine when it looks anew: {error}");
            }
            Err(_) => {}
        }
    }
}

/// Takes the frames of the outlet.
struct Frames(Arc<State>);

impl Taker for Frames {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        let state = &self.0;
        let is_owed = state.is_owed.swap(false, Ordering::AcqRel);
        is_owed || request.is_new && state.is_joined.load(Ordering::Relaxed)
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let mut ring = self.0.ring();
        if !self.0.is_joined.load(Ordering::Acquire) {
            // OBS has left meanwhile, and will not miss it.
            return true;
        }
        let is_taken = publish_frame(&mut ring.writer, frame);
        self.0
            .frames
            .fetch_add(u64::from(is_taken), Ordering::Relaxed);
        is_taken
    }
}

/// Puts a frame into the ring; false when it is of another size.
pub fn publish_frame(writer: &mut Writer, frame: &MappedFrame<'_>) -> bool {
    if writer.size() != (frame.width, frame.height) {
        return false;
    }
    let age = u64::try_from(frame.drawn.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let stamp = FrameStamp {
        number: frame.index,
        stage_seconds: frame.request.at,
        drawn_ns: now_ns().saturating_sub(age),
    };
    if frame.request.is_bare {
        writer.clear(&stamp);
        return true;
    }
    let stride = writer.stride();
    let mut slot = writer.frame();
    let into = slot.as_mut_slice();
    if frame.row_bytes() == stride {
        // As for most sizes there are, and quicker than a row at a time.
        let length = into.len();
        into.copy_from_slice(&frame.padded_rows()[..length]);
    } else {
        for (into, row) in into.chunks_exact_mut(stride).zip(frame.rows()) {
            into[..row.len()].copy_from_slice(row);
        }
    }
    slot.publish(&stamp);
    true
}

#[derive(Resource)]
struct Feed(Arc<State>);

/// Says that the stage goes on.
fn awake(warmup: Res<Warmup>, feed: Res<Feed>) {
    feed.0.pulse.wakes(now_ns(), warmup.is_done());
}

/// What the source says about the backend.
fn tell(connected: Res<Connected>, last: Res<LastEvent>, feed: Res<Feed>) {
    if connected.is_changed() {
        feed.0.ring().vitals.connection = match &connected.0 {
            None => Connection::Unknown,
            Some(ConnectionState::Connecting) => Connection::Connecting,
            Some(ConnectionState::Online) => Connection::Online,
            Some(ConnectionState::Offline { .. }) => Connection::Offline,
            Some(ConnectionState::Stopped(_)) => Connection::Stopped,
        };
    }
    if last.is_changed() && last.0.is_some() {
        feed.0.ring().vitals.backend_event_ns = now_ns();
    }
}
