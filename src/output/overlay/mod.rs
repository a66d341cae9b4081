//! The overlay: the stage over the whole desktop, transparent to the eye and to
//! the pointer.
//!
//! The display server gets the frames through shared memory and not through a
//! swapchain, for three reasons: one stage then feeds the overlay beside any
//! other output; nothing of it depends on what a driver can do with transparent
//! surfaces; and a monitor that goes takes no GPU resources with it. What it
//! costs is one readback and one copy of a frame, and nothing while the stage is
//! empty: there is no surface then at all.
//!
//! A thread of its own talks to the display server ([`wayland`], [`x11`]). The
//! stage tells it by a [`Bell`] that there is a frame, and hears from it whether
//! anybody can see the stage.

mod bell;
mod controls;
mod place;
mod pool;
mod wayland;
mod why;
mod x11;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::OutputError;
use crate::config::OverlaySettings;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_faded_outlet};
use crate::stage::StageSet;
use bell::Bell;
use controls::{Controls, Request};
pub use controls::{Wish, send};
use pool::Pool;

/// Wishes that wait for the stage. Whoever sends more faster than it draws is
/// told to try again.
const MOST_REQUESTS: usize = 16;

/// A display server that was asked what it has, and shows nothing yet.
pub struct Desktop {
    session: Session,
    settings: OverlaySettings,
}

enum Session {
    Wayland(Box<wayland::Session>),
    X11(Box<x11::Session>),
}

impl Desktop {
    /// Connects to the display server that the environment names, Wayland
    /// first.
    ///
    /// # Errors
    /// When there is none, or it cannot show an overlay.
    pub fn connect(settings: &OverlaySettings) -> Result<Self, OutputError> {
        let is_named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let session = if is_named("WAYLAND_DISPLAY") || is_named("WAYLAND_SOCKET") {
            Session::Wayland(Box::new(wayland::Session::connect(settings)?))
        } else if is_named("DISPLAY") {
            Session::X11(Box::new(x11::Session::connect(settings)?))
        } else {
            return Err(OutputError::Desktop(
                "there is no desktop to lay the stage over: neither WAYLAND_DISPLAY nor DISPLAY \
                 is set"
                    .into(),
            ));
        };
        Ok(Self {
            session,
            settings: settings.clone(),
        })
    }

    /// Pixels of a stage that is made for its place on the first of the chosen
    /// monitors; `None` while that is not there.
    pub fn stage_size(&self) -> Option<(u32, u32)> {
        match &self.session {
            Session::Wayland(session) => session.stage_size(),
            Session::X11(session) => session.stage_size(),
        }
    }

    /// Shows a stage of `size` pixels from now on. `name` is what
    /// `hyperfocus overlay --send` calls it. `wake` is called when the stage has
    /// something to look at, `lost` when the display server has gone.
    ///
    /// # Errors
    /// When there is no shared memory to be had.
    pub fn show(
        self,
        size: (u32, u32),
        name: &str,
        wake: impl Fn() + Send + Sync + 'static,
        lost: impl FnOnce() + Send + 'static,
    ) -> Result<OverlayFeed, OutputError> {
        let out_of_memory = OutputError::write("the overlay's shared memory");
        let pool = Pool::new(size).map_err(out_of_memory)?;
        let bell = Bell::new().map_err(OutputError::write("the overlay's bell"))?;
        let (requests, wishes) = bounded(MOST_REQUESTS);
        let state = Arc::new(State {
            pool,
            bell,
            wake: Box::new(wake),
            requests,
            is_hidden: AtomicBool::new(false),
            is_covered: AtomicBool::new(false),
            monitors: AtomicUsize::new(0),
            is_owed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            frames: AtomicU64::new(0),
        });
        let controls = Controls::open(name, state.clone());
        let thread = {
            let state = state.clone();
            thread::Builder::new()
                .name("overlay".into())
                .spawn(move || {
                    let ended = match self.session {
                        Session::Wayland(session) => session.run(&state),
                        Session::X11(session) => session.run(&state),
                    };
                    if let Err(error) = ended {
                        tracing::error!("{error}");
                        state.set_monitors(0);
                        lost();
                    }
                })
                .expect("a system that draws has a thread left for what it draws")
        };
        Ok(OverlayFeed {
            state,
            settings: self.settings,
            wishes,
            thread: Some(thread),
            _controls: controls,
        })
    }
}

/// The overlay, from its beginning to its orderly end.
pub struct OverlayFeed {
    state: Arc<State>,
    settings: OverlaySettings,
    wishes: Receiver<Request>,
    thread: Option<JoinHandle<()>>,
    _controls: Option<Controls>,
}

/// What the stage and the overlay's thread know of each other.
struct State {
    pool: Pool,
    /// Rung when there is something for the thread to look at.
    bell: Bell,
    wake: Box<dyn Fn() + Send + Sync>,
    requests: Sender<Request>,
    /// As the user wishes.
    is_hidden: AtomicBool,
    /// Whether the window in use fills its monitor and goes first.
    is_covered: AtomicBool,
    /// Chosen monitors that are there.
    monitors: AtomicUsize,
    /// The overlay can be seen again, and has not had the stage as it is.
    is_owed: AtomicBool,
    is_over: AtomicBool,
    frames: AtomicU64,
}

impl State {
    fn is_hidden(&self) -> bool {
        self.is_hidden.load(Ordering::Acquire)
    }

    fn is_covered(&self) -> bool {
        self.is_covered.load(Ordering::Acquire)
    }

    fn monitors(&self) -> usize {
        self.monitors.load(Ordering::Acquire)
    }

    /// Whether anybody can see the stage.
    fn is_showing(&self) -> bool {
        !self.is_hidden() && !self.is_covered() && self.monitors() > 0
    }

    /// Changes what [`Self::is_showing`] comes of, and tells both sides.
    fn change(&self, change: impl FnOnce(&Self)) {
        let was_showing = self.is_showing();
        change(self);
        let is_showing = self.is_showing();
        if is_showing && !was_showing {
            self.is_owed.store(true, Ordering::Release);
        }
        if is_showing != was_showing {
            self.bell.ring();
            (self.wake)();
        }
    }

    fn set_hidden(&self, is_hidden: bool) {
        self.change(|state| state.is_hidden.store(is_hidden, Ordering::Release));
    }

    fn set_covered(&self, is_covered: bool) {
        self.change(|state| state.is_covered.store(is_covered, Ordering::Release));
    }

    fn set_monitors(&self, monitors: usize) {
        if monitors == 0 && self.monitors() > 0 {
            tracing::info!("no monitor shows the overlay any more: gifts wait");
        }
        self.change(|state| state.monitors.store(monitors, Ordering::Release));
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// Hands a wish to the stage; false when too many wait.
    fn ask(&self, request: Request) -> bool {
        let is_taken = self.requests.try_send(request).is_ok();
        (self.wake)();
        is_taken
    }
}

impl OverlayFeed {
    /// Makes the app feed the overlay.
    pub fn install(&self, app: &mut App) {
        let frames = Frames(self.state.clone());
        add_faded_outlet(app, Form::Desktop, self.settings.opacity, frames);
        app.insert_resource(Overlay {
            state: self.state.clone(),
            wishes: self.wishes.clone(),
        })
        .add_systems(Update, controls::obey.in_set(StageSet::Receive));
    }

    /// Asks whether anybody can see the stage.
    pub fn is_showing(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let state = self.state.clone();
        move || state.is_showing()
    }

    /// Takes the overlay off the desktop. Says what it has shown.
    pub fn close(mut self) -> String {
        self.stop();
        let frames = self.state.frames.load(Ordering::Relaxed);
        format!("overlay: {frames} frames")
    }

    fn stop(&mut self) {
        self.state.end();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

impl Drop for OverlayFeed {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Takes the frames of the outlet.
struct Frames(Arc<State>);

impl Taker for Frames {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        let state = &self.0;
        state.is_showing() && (request.is_new || state.is_owed.swap(false, Ordering::AcqRel))
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let state = &self.0;
        let is_taken = state.pool.put(frame);
        state
            .frames
            .fetch_add(u64::from(is_taken), Ordering::Relaxed);
        state.bell.ring();
        is_taken
    }
}

#[derive(Resource)]
struct Overlay {
    state: Arc<State>,
    wishes: Receiver<Request>,
}
