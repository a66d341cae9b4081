//! The overlay: the stage over the whole desktop, transparent to the eye and to
//! the pointer.
//!
//! On Linux the display server is spoken to directly ([`server`]), since no
//! toolkit has click-through surfaces on every monitor there. Elsewhere it is
//! windows of the window system's own ([`panes`]). Both know of the stage and
//! of the user's wishes by one [`State`].

#![cfg_attr(
    windows,
    expect(dead_code, reason = "nobody can ask for anything there yet")
)]

#[cfg(target_os = "linux")]
mod bell;
mod controls;
mod macos;
mod panes;
mod place;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod server;
#[cfg(unix)]
mod socket;
#[cfg(not(unix))]
#[path = "no_socket.rs"]
mod socket;
#[cfg(target_os = "linux")]
mod tray;
#[cfg(target_os = "linux")]
mod wayland;
mod why;
mod windows;
#[cfg(target_os = "linux")]
mod x11;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::OutputError;
use crate::config::OverlaySettings;
use crate::locale::Words;
use crate::stage::StageSet;
use controls::Request;
pub use controls::Wish;
pub use socket::send;
use socket::{Controls, Name};

/// Wishes that wait for the stage. Whoever sends more faster than it draws is
/// told to try again.
const MOST_REQUESTS: usize = 16;

/// What the overlay asks of the run that it is part of. None of it may block.
pub struct Hooks {
    /// The stage has something to look at.
    pub wake: Box<dyn Fn() + Send + Sync>,
    /// The user wants no more of the program.
    pub quit: Box<dyn Fn() + Send + Sync>,
    /// The display server has gone.
    pub lost: Box<dyn Fn() + Send + Sync>,
}

/// What the stage, whoever shows it and whoever asks for something know of each
/// other.
struct State {
    hooks: Hooks,
    /// Wakes whoever shows the stage.
    changed: Box<dyn Fn() + Send + Sync>,
    /// Tells the user something on the desktop, where it shows such things.
    notify: Box<dyn Fn(String) + Send + Sync>,
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
    /// The display server has gone, and nothing was shown since.
    is_lost: AtomicBool,
    frames: AtomicU64,
}

impl State {
    fn new(
        hooks: Hooks,
        changed: impl Fn() + Send + Sync + 'static,
        notify: impl Fn(String) + Send + Sync + 'static,
    ) -> (Arc<Self>, Receiver<Request>) {
        let (requests, wishes) = bounded(MOST_REQUESTS);
        let state = Self {
            hooks,
            changed: Box::new(changed),
            notify: Box::new(notify),
            requests,
            is_hidden: AtomicBool::new(false),
            is_covered: AtomicBool::new(false),
            monitors: AtomicUsize::new(0),
            is_owed: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            frames: AtomicU64::new(0),
        };
        (Arc::new(state), wishes)
    }

    /// Whoever shows the stage has nowhere to any more.
    fn lose(&self) {
        self.set_monitors(0);
        self.is_lost.store(true, Ordering::Release);
        (self.hooks.lost)();
    }

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

    /// Whether the frame that is about to be drawn is to be shown: one that may
    /// differ, or the first since the overlay can be seen again.
    #[cfg(target_os = "linux")]
    fn wants(&self, is_new: bool) -> bool {
        self.is_showing() && (is_new || self.is_owed.swap(false, Ordering::AcqRel))
    }

    fn count_frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
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
            (self.changed)();
            (self.hooks.wake)();
        }
    }

    fn set_hidden(&self, is_hidden: bool) {
        self.change(|state| state.is_hidden.store(is_hidden, Ordering::Release));
    }

    #[cfg(target_os = "linux")]
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
        (self.changed)();
    }

    /// Hands a wish to the stage; false when too many wait.
    fn ask(&self, request: Request) -> bool {
        let is_taken = self.requests.try_send(request).is_ok();
        (self.hooks.wake)();
        is_taken
    }
}

/// A desktop that shows nothing yet.
pub struct Desktop {
    settings: OverlaySettings,
    /// `None` where nobody can tell the overlay anything.
    name: Option<Name>,
    /// `None` where it will be windows of the window system's own.
    #[cfg(target_os = "linux")]
    session: Option<server::Session>,
}

#[cfg(target_os = "linux")]
impl Desktop {
    /// Connects to the display server that the environment names, or leaves
    /// everything to the window system, as it has to elsewhere. `name` is what
    /// `hyperfocus overlay --send` calls the overlay.
    ///
    /// # Errors
    /// When an overlay of that name runs, there is no display server, or it cannot
    /// show an overlay.
    pub fn connect(settings: &OverlaySettings, name: &str) -> Result<Self, OutputError> {
        let name = Name::take(name)?;
        let has_panes = std::env::var_os(PANES_VARIABLE).is_some();
        let session = (!has_panes).then(|| server::Session::connect(settings));
        Ok(Self {
            settings: settings.clone(),
            name,
            session: session.transpose()?,
        })
    }

    /// Pixels of a stage that is made for its place on the first of the chosen
    /// monitors; `None` while that is not known.
    pub fn stage_size(&self) -> Option<(u32, u32)> {
        self.session.as_ref()?.stage_size()
    }

    /// Whether the run must be the window system's.
    pub fn has_panes(&self) -> bool {
        self.session.is_none()
    }

    /// Shows a stage of `size` pixels from now on. `words` are those of its menu.
    ///
    /// # Errors
    /// When there is no shared memory to be had.
    pub fn show(
        self,
        size: (u32, u32),
        words: Words,
        hooks: Hooks,
    ) -> Result<OverlayFeed, OutputError> {
        let bell = bell::Bell::new().map_err(OutputError::write("the overlay's bell"))?;
        let bell = Arc::new(bell);
        let (line, far_end) = tray::Line::new();
        let line = Arc::new(line);
        let (state, wishes) = {
            let (bell, line) = (bell.clone(), line.clone());
            State::new(hooks, move || bell.ring(), move |text| line.notify(text))
        };
        let server = match self.session {
            Some(session) => Some(server::Server::start(session, size, state.clone(), bell)?),
            None => None,
        };
        let words = self.settings.has_tray.then_some(words);
        Ok(OverlayFeed {
            tray: tray::Tray::open(state.clone(), line, far_end, words),
            server,
            _controls: self.name.map(|name| Controls::open(name, state.clone())),
            state,
            settings: self.settings,
            size,
            wishes,
        })
    }
}

#[cfg(not(target_os = "linux"))]
impl Desktop {
    /// Leaves everything to the window system. `name` is what `hyperfocus overlay
    /// --send` calls the overlay.
    ///
    /// # Errors
    /// When an overlay of that name runs.
    pub fn connect(settings: &OverlaySettings, name: &str) -> Result<Self, OutputError> {
        Ok(Self {
            settings: settings.clone(),
            name: Name::take(name)?,
        })
    }

    /// Not known before the window system runs.
    pub fn stage_size(&self) -> Option<(u32, u32)> {
        None
    }

    /// Whether the run must be the window system's.
    pub fn has_panes(&self) -> bool {
        true
    }

    /// Shows a stage of `size` pixels from now on.
    ///
    /// # Errors
    /// None here.
    pub fn show(
        self,
        size: (u32, u32),
        _: Words,
        hooks: Hooks,
    ) -> Result<OverlayFeed, OutputError> {
        // The app wakes for whatever changes, and the log has every answer.
        let (state, wishes) = State::new(hooks, || (), |_| ());
        Ok(OverlayFeed {
            _controls: self.name.map(|name| Controls::open(name, state.clone())),
            state,
            settings: self.settings,
            size,
            wishes,
        })
    }
}

/// Set, whatever to, it makes the overlay on Linux what it is elsewhere: for
/// tests.
#[cfg(target_os = "linux")]
const PANES_VARIABLE: &str = "HYPERFOCUS_TEST_OVERLAY_PANES";

/// The overlay, from its beginning to its orderly end.
pub struct OverlayFeed {
    state: Arc<State>,
    settings: OverlaySettings,
    size: (u32, u32),
    #[cfg(target_os = "linux")]
    server: Option<server::Server>,
    #[cfg(target_os = "linux")]
    tray: tray::Tray,
    _controls: Option<Controls>,
    wishes: Receiver<Request>,
}

impl OverlayFeed {
    /// Makes the app feed the overlay.
    pub fn install(&self, app: &mut App) {
        app.insert_resource(Overlay {
            state: self.state.clone(),
            wishes: self.wishes.clone(),
        })
        .add_systems(Update, controls::obey.in_set(StageSet::Receive));
        #[cfg(target_os = "linux")]
        {
            self.tray.install(app);
            if let Some(server) = &self.server {
                server.install(app, self.settings.opacity);
                return;
            }
        }
        panes::install(app, self.state.clone(), self.settings.clone(), self.size);
    }

    /// Asks whether anybody can see the stage.
    pub fn is_showing(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let state = self.state.clone();
        move || state.is_showing()
    }

    /// Takes the overlay off the desktop. Says what it has shown, as an error when it
    /// could not show all.
    pub fn close(self) -> Result<String, String> {
        let state = self.state.clone();
        // Its threads end with it.
        drop(self);
        let frames = state.frames.load(Ordering::Relaxed);
        let said = format!("overlay: {frames} frames");
        match state.is_lost.load(Ordering::Acquire) {
            false => Ok(said),
            true => Err(said),
        }
    }
}

#[derive(Resource)]
struct Overlay {
    state: Arc<State>,
    wishes: Receiver<Request>,
}
