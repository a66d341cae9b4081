//! The way into OBS: frames and sound go into a ring of shared memory, from
//! which the source "Hyperfocus gifts" in OBS takes them.
//!
//! A thread of its own beats the ring's heart, so that a stage that sleeps does
//! not go blank in OBS. It also listens to what OBS says: its frame rate, which
//! paces the stage, and whether the source is on air. While it is not, gifts
//! wait, as they would for a hidden window.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bevy::prelude::*;
use hyperfocus_ring::{
    Connection, Folder, FrameStamp, ReaderWish, RingError, Settings, Vitals, Writer, now_ns,
};

use super::wake::Alarm;
use crate::config::Size;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_outlet};
use crate::sound::{MixSource, RATE, Tap};
use crate::stage::{Connected, ConnectionState, Director, LastEvent, StageSet};

/// How far ahead of its pulling sound is to be heard: OBS wants it early, and
/// the picture is a frame or two on its way.
const LEAD_NS: u64 = 30_000_000;
/// Sound that is further than this from its clock begins anew: it was silent,
/// or the machine stood still.
const DRIFT_NS: u64 = 60_000_000;

/// How often the heart beats and OBS is listened to. The source goes blank
/// after half a second without a beat.
const BEAT: Duration = Duration::from_millis(100);

/// The ring, from its making to its orderly end.
pub(super) struct ObsFeed {
    state: Arc<State>,
    heart: Option<JoinHandle<()>>,
}

struct State {
    /// Held for one copy of a frame here, and for a few words in the heart.
    writer: Mutex<Writer>,
    /// Nanoseconds between frames as OBS wants them; 0 while it does not say.
    period: AtomicU64,
    /// Whether OBS has taken its seat.
    is_joined: AtomicBool,
    /// Whether the source is on air or in a preview.
    is_showing: AtomicBool,
    /// OBS has come, and has not seen the stage as it is.
    is_owed: AtomicBool,
    is_over: AtomicBool,
    frames: AtomicU64,
    /// [`Connection`] by its place in [`CONNECTIONS`].
    connection: AtomicU32,
    backend_event_ns: AtomicU64,
}

/// In the order of their numbers in [`State`].
const CONNECTIONS: [Connection; 5] = [
    Connection::Unknown,
    Connection::Connecting,
    Connection::Online,
    Connection::Offline,
    Connection::Stopped,
];

impl ObsFeed {
    /// Makes the ring called `name`.
    ///
    /// # Errors
    /// When an engine of that name runs already, or shared memory is not to be
    /// had.
    pub(super) fn open(name: &str, size: Size, alarm: Alarm) -> Result<Self> {
        let folder = Folder::of_user().context("OBS cannot be reached")?;
        let writer = Writer::create(
            &folder,
            &Settings {
                name,
                engine: env!("CARGO_PKG_VERSION"),
                width: size.width,
                height: size.height,
            },
        )
        .map_err(|error| match error {
            RingError::Running { .. } => anyhow!("{error}; give this one another --name"),
            error => anyhow!("OBS cannot be reached: {error}"),
        })?;
        let state = Arc::new(State {
            writer: Mutex::new(writer),
            period: AtomicU64::new(0),
            is_joined: AtomicBool::new(false),
            is_showing: AtomicBool::new(false),
            is_owed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            connection: AtomicU32::new(0),
            backend_event_ns: AtomicU64::new(0),
        });
        let heart = {
            let state = state.clone();
            thread::Builder::new()
                .name("obs".into())
                .spawn(move || state.beat(&alarm))
                .context("no thread is left for OBS")?
        };
        Ok(Self {
            state,
            heart: Some(heart),
        })
    }

    /// Makes the app feed the ring. `is_alone` says that nothing else shows the
    /// stage, so that gifts are to wait while OBS does not.
    pub(super) fn install(&self, app: &mut App, is_alone: bool) {
        add_outlet(app, Form::LinearPremultiplied, Frames(self.state.clone()));
        app.insert_resource(Feed {
            state: self.state.clone(),
            is_alone,
            was_showing: None,
        })
        .add_systems(Update, follow.in_set(StageSet::Report))
        .add_systems(Update, tell.after(StageSet::Receive));
    }

    /// Takes the mix to OBS, once.
    pub(super) fn hear(&self, mix: MixSource) -> Tap {
        let mut sound = self.state.writer().take_sound();
        let mut next = 0;
        Tap::start(mix, move |samples| {
            let Some(sound) = &mut sound else { return };
            let due = now_ns() + LEAD_NS;
            if due.abs_diff(next) > DRIFT_NS {
                next = due;
            }
            sound.write(samples, next);
            next += (samples.len() / 2) as u64 * 1_000_000_000 / u64::from(RATE);
        })
    }

    /// What paces the stage in place of its own rate.
    pub(super) fn pace(&self) -> Pace {
        Pace(Some(self.state.clone()))
    }

    /// Ends the ring: the source is blank at once. Says what it has had.
    pub(super) fn close(mut self) -> String {
        self.stop();
        let name = self.state.writer().name().to_owned();
        let frames = self.state.frames.load(Ordering::Relaxed);
        format!("OBS ({name}): {frames} frames")
    }

    fn stop(&mut self) {
        self.state.is_over.store(true, Ordering::Release);
        if let Some(heart) = self.heart.take() {
            heart.thread().unpark();
            // A panic was reported by its own hook.
            let _ = heart.join();
        }
    }
}

impl Drop for ObsFeed {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The time between two frames, which OBS may say.
#[derive(Clone, Default)]
pub(super) struct Pace(Option<Arc<State>>);

impl Pace {
    pub(super) fn period(&self, own: Duration) -> Duration {
        let said = self.0.as_ref().map(|state| &state.period);
        match said.map_or(0, |period| period.load(Ordering::Relaxed)) {
            0 => own,
            nanoseconds => Duration::from_nanos(nanoseconds),
        }
    }
}

impl State {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self, alarm: &Alarm) {
        while !self.is_over.load(Ordering::Acquire) {
            let connection = self.connection.load(Ordering::Relaxed) as usize;
            let vitals = Vitals {
                connection: CONNECTIONS[connection],
                backend_event_ns: self.backend_event_ns.load(Ordering::Relaxed),
            };
            let wish = {
                let mut writer = self.writer();
                let now = now_ns();
                writer.beat(now, &vitals);
                writer.wish(now)
            };
            if self.heed(&wish) {
                alarm.ring();
            }
            thread::park_timeout(BEAT);
        }
    }

    /// Notes what OBS wants; true when it is news to the stage.
    fn heed(&self, wish: &ReaderWish) -> bool {
        let period = wish.fps.map_or(0, |(numerator, denominator)| {
            1_000_000_000 * u64::from(denominator) / u64::from(numerator)
        });
        self.period.store(period, Ordering::Relaxed);
        let has_come = wish.is_alive && !self.is_joined.swap(wish.is_alive, Ordering::Relaxed);
        self.is_joined.store(wish.is_alive, Ordering::Relaxed);
        if has_come {
            tracing::info!("OBS takes the frames");
            self.is_owed.store(true, Ordering::Release);
        }
        let was_showing = self.is_showing.swap(wish.is_showing, Ordering::AcqRel);
        has_come || was_showing != wish.is_showing
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
        let is_taken = publish_frame(&mut self.0.writer(), frame);
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
    let stamp = FrameStamp {
        number: frame.index,
        stage_seconds: frame.request.at,
        drawn_ns: now_ns(),
    };
    if frame.request.is_bare {
        writer.clear(&stamp);
        return true;
    }
    let stride = writer.stride();
    let mut slot = writer.frame();
    let into = slot.as_mut_slice().chunks_exact_mut(stride);
    for (into, row) in into.zip(frame.rows()) {
        into[..row.len()].copy_from_slice(row);
    }
    slot.publish(&stamp);
    true
}

#[derive(Resource)]
struct Feed {
    state: Arc<State>,
    is_alone: bool,
    was_showing: Option<bool>,
}

/// A source that nobody sees is no live output: what is shown in it alone would
/// be acknowledged as seen.
fn follow(time: Res<Time<Real>>, mut feed: ResMut<Feed>, mut director: ResMut<Director>) {
    let is_showing = feed.state.is_showing.load(Ordering::Acquire);
    if feed.is_alone && feed.was_showing.replace(is_showing) != Some(is_showing) {
        director.show.set_live_output(time.elapsed(), is_showing);
    }
}

/// What the source says about the backend.
fn tell(connected: Res<Connected>, last: Res<LastEvent>, feed: Res<Feed>) {
    if connected.is_changed() {
        let number = match &connected.0 {
            None => 0,
            Some(ConnectionState::Connecting) => 1,
            Some(ConnectionState::Online) => 2,
            Some(ConnectionState::Offline { .. }) => 3,
            Some(ConnectionState::Stopped(_)) => 4,
        };
        feed.state.connection.store(number, Ordering::Relaxed);
    }
    if last.is_changed() && last.0.is_some() {
        let now = now_ns();
        feed.state.backend_event_ns.store(now, Ordering::Relaxed);
    }
}
