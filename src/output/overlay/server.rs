//! The overlay on a display server that is spoken to directly: Wayland's or X11's.
//!
//! The server gets the frames through shared memory and not through a swapchain,
//! for three reasons: one stage then feeds the overlay beside any other output;
//! nothing of it depends on what a driver can do with transparent surfaces; and a
//! monitor that goes takes no GPU resources with it. What it costs is one readback
//! and one copy of a frame, and nothing while the stage is empty: there is no
//! surface then at all.
//!
//! A thread of its own talks to the display server ([`wayland`], [`x11`]). The
//! stage tells it by a [`Bell`] that there is a frame, and hears from it whether
//! anybody can see the stage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bevy::prelude::*;

use super::bell::Bell;
use super::pool::Pool;
use super::{State, wayland, x11};
use crate::config::OverlaySettings;
use crate::output::OutputError;
use crate::render::present::{Form, FrameRequest, MappedFrame, Taker, add_faded_outlet};

/// A display server that was asked what it has, and shows nothing yet.
pub(super) enum Session {
    Wayland(Box<wayland::Session>),
    X11(Box<x11::Session>),
}

impl Session {
    /// Connects to the display server that the environment names, Wayland
    /// first.
    ///
    /// # Errors
    /// When there is none, or it cannot show an overlay.
    pub fn connect(settings: &OverlaySettings) -> Result<Self, OutputError> {
        let is_named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if is_named("WAYLAND_DISPLAY") || is_named("WAYLAND_SOCKET") {
            let session = wayland::Session::connect(settings)?;
            Ok(Self::Wayland(Box::new(session)))
        } else if is_named("DISPLAY") {
            Ok(Self::X11(Box::new(x11::Session::connect(settings)?)))
        } else {
            Err(OutputError::Desktop(
                "there is no desktop to lay the stage over: neither WAYLAND_DISPLAY nor DISPLAY \
                 is set"
                    .into(),
            ))
        }
    }

    /// Pixels of a stage that is made for its place on the first of the chosen
    /// monitors; `None` while that is not there.
    pub fn stage_size(&self) -> Option<(u32, u32)> {
        match self {
            Self::Wayland(session) => session.stage_size(),
            Self::X11(session) => session.stage_size(),
        }
    }

    /// # Errors
    /// When the display server goes away.
    fn run(self, shared: &Shared) -> Result<(), OutputError> {
        match self {
            Self::Wayland(session) => session.run(shared),
            Self::X11(session) => session.run(shared),
        }
    }
}

/// What the stage and the thread have in common.
pub(super) struct Shared {
    pub state: Arc<State>,
    pub pool: Pool,
    /// Rung when there is something for the thread to look at.
    pub bell: Arc<Bell>,
}

/// The thread, as long as it shows the stage.
pub(super) struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Shows a stage of `size` pixels; `bell` is what `state` rings.
    ///
    /// # Errors
    /// When there is no shared memory to be had.
    pub fn start(
        session: Session,
        size: (u32, u32),
        state: Arc<State>,
        bell: Arc<Bell>,
    ) -> Result<Self, OutputError> {
        let out_of_memory = OutputError::write("the overlay's shared memory");
        let pool = Pool::new(size).map_err(out_of_memory)?;
        let shared = Arc::new(Shared { state, pool, bell });
        let thread = {
            let shared = shared.clone();
            thread::Builder::new()
                .name("overlay".into())
                .spawn(move || {
                    match catch_unwind(AssertUnwindSafe(|| session.run(&shared))) {
                        Ok(Ok(())) => return,
                        Ok(Err(error)) => tracing::error!("{error}"),
                        // Its hook has said what it was.
                        Err(_) => {}
                    }
                    shared.state.lose();
                })
                .expect("a system that draws has a thread left for what it draws")
        };
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Makes the app feed it, everything only as opaque as `opacity` says.
    pub fn install(&self, app: &mut App, opacity: f32) {
        add_faded_outlet(app, Form::Desktop, opacity, Frames(self.shared.clone()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.state.end();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own hook.
            let _ = thread.join();
        }
    }
}

/// Takes the frames of the outlet.
struct Frames(Arc<Shared>);

impl Taker for Frames {
    fn wants(&mut self, request: &FrameRequest) -> bool {
        self.0.state.wants(request.is_new)
    }

    fn take(&mut self, frame: &MappedFrame<'_>) -> bool {
        let Shared { state, pool, bell } = &*self.0;
        let is_taken = pool.put(frame);
        if is_taken {
            state.count_frame();
        }
        bell.ring();
        is_taken
    }
}
