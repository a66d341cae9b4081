//! The overlay on X11: a window with an alpha channel and an empty input shape
//! on each chosen monitor, there only while there is something to see.
//!
//! Frames go from shared memory into a pixmap, from which the X server scales
//! them into each window.

mod desktop;
mod window;

use std::os::fd::AsFd;

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::render::{self, ConnectionExt as _, PictType, Pictformat};
use x11rb::protocol::shape::{ConnectionExt as _, SK};
use x11rb::protocol::xproto::{Colormap, ColormapAlloc, ConnectionExt as _, Screen, VisualClass};
use x11rb::protocol::{randr, shape, shm};
use x11rb::rust_connection::RustConnection;

use super::place::{self, Monitor, Rect};
use super::pool::News;
use super::server::Shared;
use crate::config::{Monitors, OverlaySettings};
use crate::output::OutputError;
use desktop::Desktop;
use window::{Stage, Window};

/// Bits of a pixel with an alpha channel.
const DEPTH: u8 = 32;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        UTF8_STRING,
        _MOTIF_WM_HINTS,
        _NET_ACTIVE_WINDOW,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_DESKTOP,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_ABOVE,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_SKIP_PAGER,
        _NET_WM_STATE_SKIP_TASKBAR,
        _NET_WM_STATE_STICKY,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_NOTIFICATION,
        _NET_WM_WINDOW_TYPE_UTILITY,
    }
}

/// A connection to the X server, which has said what it has.
pub(super) struct Session {
    connection: RustConnection,
    screen: Screen,
    atoms: Atoms,
    /// How windows with an alpha channel are made.
    format: Pictformat,
    visual: u32,
    colormap: Colormap,
    settings: OverlaySettings,
    monitors: Vec<Monitor>,
}

/// What can go wrong between us and the X server.
#[derive(Debug, thiserror::Error)]
enum X11Error {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error(transparent)]
    ReplyOrId(#[from] ReplyOrIdError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn gone(error: &X11Error) -> OutputError {
    OutputError::Desktop(format!("the X11 display has gone: {error}"))
}

impl Session {
    /// # Errors
    /// When the X server does not answer or lacks what an overlay needs.
    pub fn connect(settings: &OverlaySettings) -> Result<Self, OutputError> {
        let (connection, screen) = RustConnection::connect(None).map_err(|error| {
            OutputError::Desktop(format!(
                "the X11 display cannot be opened ({error}); is it running, and may this user \
                 draw on it? Correct DISPLAY"
            ))
        })?;
        for (name, what) in [
            (render::X11_EXTENSION_NAME, "RENDER"),
            (shape::X11_EXTENSION_NAME, "SHAPE"),
            (randr::X11_EXTENSION_NAME, "RANDR"),
            (shm::X11_EXTENSION_NAME, "MIT-SHM"),
        ] {
            let has = connection.extension_information(name);
            if !matches!(has, Ok(Some(_))) {
                return Err(OutputError::Desktop(format!(
                    "this X server cannot show an overlay: it has no {what}"
                )));
            }
        }
        Self::open(connection, screen, settings.clone())
            .map_err(|error| gone(&error))?
            .ok_or_else(|| {
                OutputError::Desktop(
                    "this X server has no windows with an alpha channel (no visual of depth 32)"
                        .into(),
                )
            })
    }

    fn open(
        connection: RustConnection,
        screen: usize,
        settings: OverlaySettings,
    ) -> Result<Option<Self>, X11Error> {
        let screen = connection.setup().roots[screen].clone();
        let deep = screen.allowed_depths.iter().find(|one| one.depth == DEPTH);
        let coloured = deep.and_then(|deep| {
            let mut visuals = deep.visuals.iter();
            visuals.find(|visual| visual.class == VisualClass::TRUE_COLOR)
        });
        let formats = connection.render_query_pict_formats()?.reply()?.formats;
        let format = formats.iter().find(|format| {
            let direct = format.direct;
            format.type_ == PictType::DIRECT
                && format.depth == DEPTH
                && (direct.alpha_shift, direct.alpha_mask) == (24, 0xFF)
                && (direct.red_shift, direct.green_shift, direct.blue_shift) == (16, 8, 0)
        });
        let (Some(visual), Some(format)) = (coloured, format) else {
            return Ok(None);
        };
        let (visual, format) = (visual.visual_id, format.id);
        let colormap = connection.generate_id()?;
        connection.create_colormap(ColormapAlloc::NONE, colormap, screen.root, visual)?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let monitors = desktop::monitors(&connection, screen.root)?;
        let session = Self {
            connection,
            screen,
            atoms,
            format,
            visual,
            colormap,
            settings,
            monitors,
        };
        session.describe();
        Ok(Some(session))
    }

    fn describe(&self) {
        if let Monitors::Named(name) = &self.settings.monitors
            && self.chosen().next().is_none()
        {
            let known: Vec<_> = self.monitors.iter().map(|one| &*one.name).collect();
            tracing::warn!(
                "there is no monitor {name} (there are: {}); gifts wait until there is",
                known.join(", ")
            );
        }
    }

    /// The monitors that are to show the overlay.
    fn chosen(&self) -> impl Iterator<Item = &Monitor> {
        place::chosen(&self.monitors, &self.settings.monitors)
    }

    pub fn stage_size(&self) -> Option<(u32, u32)> {
        let monitor = self.chosen().next()?;
        // X11's units are pixels, whatever the desktop's scale.
        Some(Rect::of(&self.settings, monitor.rect).stage_size(1.0))
    }

    /// Shows what the stage has until it is over.
    ///
    /// # Errors
    /// When the X server goes away.
    pub fn run(mut self, shared: &Shared) -> Result<(), OutputError> {
        self.serve(shared).map_err(|error| gone(&error))
    }

    fn serve(&mut self, shared: &Shared) -> Result<(), X11Error> {
        let mut desktop = Desktop::watch(self)?;
        let stage = Stage::new(self, &shared.pool)?;
        let mut windows: Vec<Window> = Vec::new();
        let mut has_picture = false;
        while !shared.state.is_over() {
            while let Some(event) = self.connection.poll_for_event()? {
                self.hear(&event, &mut desktop, &stage, &windows, shared)?;
            }
            if std::mem::take(&mut desktop.has_new_monitors) {
                self.monitors = desktop::monitors(&self.connection, self.screen.root)?;
            }
            shared.state.set_monitors(self.chosen().count());
            let is_covered = self.settings.yields_to_full_screen && desktop.is_full_screen_in_use;
            shared.state.set_covered(is_covered);
            let news = shared.pool.take();
            match news {
                Some(News::Frame(slot)) => stage.put(self, slot, &shared.pool)?,
                Some(News::Bare) => has_picture = false,
                None => {}
            }
            let is_new = matches!(news, Some(News::Frame(_)));
            has_picture = (has_picture || is_new) && shared.state.is_showing();
            self.arrange(&mut windows, &stage, has_picture, is_new)?;
            self.connection.flush()?;
            // What came while that was sent is in the connection's own memory.
            if let Some(event) = self.connection.poll_for_event()? {
                self.hear(&event, &mut desktop, &stage, &windows, shared)?;
                continue;
            }
            shared.bell.wait(self.connection.stream().as_fd())?;
        }
        self.arrange(&mut windows, &stage, false, false)?;
        // The server has let go of everything once it has answered.
        self.connection.get_input_focus()?.reply()?;
        Ok(())
    }

    fn hear(
        &self,
        event: &Event,
        desktop: &mut Desktop,
        stage: &Stage,
        windows: &[Window],
        shared: &Shared,
    ) -> Result<(), X11Error> {
        match event {
            Event::ShmCompletion(done) => {
                shared
                    .pool
                    .release(done.offset as usize / shared.pool.slot_bytes());
            }
            Event::Expose(exposed) if exposed.count == 0 => {
                if let Some(window) = windows.iter().find(|one| one.id == exposed.window) {
                    window.draw(self, stage)?;
                }
            }
            Event::ReparentNotify(framed) if framed.parent != self.screen.root => {
                if windows.iter().any(|one| one.id == framed.window) {
                    window::let_clicks_through(self, framed.parent)?;
                    let told = self.connection.shape_select_input(framed.parent, true)?;
                    told.ignore_error();
                }
            }
            // A window manager may give its frame a shape of its own after that.
            Event::ShapeNotify(frame) if frame.shape_kind == SK::INPUT => {
                if frame.extents_width > 0 {
                    window::let_clicks_through(self, frame.affected_window)?;
                }
            }
            Event::MapNotify(mapped) if windows.iter().all(|one| one.id != mapped.window) => {
                for window in windows {
                    window.keep_above(self)?;
                }
            }
            Event::Error(error) => tracing::debug!("X11: {error:?}"),
            event => desktop.hear(self, event, &shared.state)?,
        }
        Ok(())
    }

    /// A window where there is to be one, and nowhere else.
    fn arrange(
        &self,
        windows: &mut Vec<Window>,
        stage: &Stage,
        has_picture: bool,
        is_new: bool,
    ) -> Result<(), X11Error> {
        let wanted: Vec<Rect> = if has_picture {
            let place = |monitor: &Monitor| {
                let room = Rect::of(&self.settings, monitor.rect);
                room.fitting(stage.size, self.settings.place)
            };
            self.chosen().map(place).collect()
        } else {
            Vec::new()
        };
        for window in windows.extract_if(.., |window| !wanted.contains(&window.rect)) {
            self.connection.destroy_window(window.id)?;
        }
        if is_new {
            for window in windows.iter() {
                window.draw(self, stage)?;
            }
        }
        for rect in wanted {
            if windows.iter().all(|window| window.rect != rect) {
                // It is drawn when the server says that it is there.
                windows.push(Window::open(self, rect)?);
            }
        }
        Ok(())
    }
}
