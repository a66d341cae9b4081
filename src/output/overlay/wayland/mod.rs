//! The overlay on Wayland: a surface of the layer shell on each chosen monitor,
//! there only while there is something to see.
//!
//! Compositors without a layer shell (GNOME's) get an ordinary window, and the
//! log says what that cannot do.

mod events;
mod surface;

use wayland_client::backend::WaylandError;
use wayland_client::protocol::{wl_compositor, wl_output, wl_shm, wl_shm_pool};
use wayland_client::{Connection, EventQueue, QueueHandle};
use wayland_protocols::wp::viewporter::client::wp_viewporter;
use wayland_protocols::xdg::shell::client::xdg_wm_base;
use wayland_protocols::xdg::xdg_output::zv1::client::{zxdg_output_manager_v1, zxdg_output_v1};
use wayland_protocols_wlr::foreign_toplevel::v1::client::{
    zwlr_foreign_toplevel_handle_v1, zwlr_foreign_toplevel_manager_v1,
};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1;

use super::place::Rect;
use super::pool::{News, Pool, SLOTS};
use super::server::Shared;
use crate::config::{Monitors, OverlaySettings};
use crate::output::OutputError;
use surface::Surface;

/// What the compositor must have in any case.
const NEEDED: &str = "wl_compositor, wl_shm and wp_viewporter";

/// A connection to the compositor, which has said what it has.
pub(super) struct Session {
    connection: Connection,
    queue: EventQueue<Shell>,
    shell: Shell,
}

/// What the compositor has, and what we have of it.
struct Shell {
    settings: OverlaySettings,
    compositor: Option<wl_compositor::WlCompositor>,
    shm: Option<wl_shm::WlShm>,
    viewporter: Option<wp_viewporter::WpViewporter>,
    layers: Option<zwlr_layer_shell_v1::ZwlrLayerShellV1>,
    windows: Option<xdg_wm_base::XdgWmBase>,
    output_manager: Option<zxdg_output_manager_v1::ZxdgOutputManagerV1>,
    toplevel_manager: Option<zwlr_foreign_toplevel_manager_v1::ZwlrForeignToplevelManagerV1>,
    /// In the order in which they were announced.
    outputs: Vec<Output>,
    toplevels: Vec<Toplevel>,
    surfaces: Vec<Surface>,
    /// Slots of surfaces that the compositor has let go of.
    released: Vec<(u32, usize)>,
    next_surface: u32,
    /// The newest picture, and which one that is.
    latest: Option<usize>,
    serial: u64,
    /// Whether the user closed the ordinary window.
    is_closed: bool,
}

/// A monitor.
struct Output {
    /// The registry's number of it.
    global: u32,
    proxy: wl_output::WlOutput,
    xdg: Option<zxdg_output_v1::ZxdgOutputV1>,
    name: String,
    /// Pixels, before it is turned.
    mode: (i32, i32),
    is_turned: bool,
    scale: i32,
    /// Units of the desktop.
    logical: Option<(i32, i32)>,
    /// Whether all of this has been said.
    is_ready: bool,
    /// The compositor took its surface away; until the monitor changes it gets
    /// no other.
    is_refused: bool,
}

/// A window of another program.
struct Toplevel {
    handle: zwlr_foreign_toplevel_handle_v1::ZwlrForeignToplevelHandleV1,
    is_in_use_and_full_screen: bool,
}

impl Output {
    fn pixels(&self) -> (i32, i32) {
        let (width, height) = self.mode;
        if self.is_turned {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Its size in the desktop's units; `None` before it has one.
    fn rect(&self) -> Option<Rect> {
        let (width, height) = self.logical.unwrap_or_else(|| {
            let (width, height) = self.pixels();
            (width / self.scale.max(1), height / self.scale.max(1))
        });
        let rect = Rect {
            x: 0,
            y: 0,
            width: u32::try_from(width).ok()?,
            height: u32::try_from(height).ok()?,
        };
        (self.is_ready && rect.width > 0 && rect.height > 0).then_some(rect)
    }
}

impl Session {
    /// # Errors
    /// When the compositor does not answer or lacks what everything needs.
    pub fn connect(settings: &OverlaySettings) -> Result<Self, OutputError> {
        let refused = |why: &dyn std::fmt::Display| {
            OutputError::Desktop(format!(
                "the Wayland display cannot be opened ({why}); is it running, and may this user \
                 draw on it?"
            ))
        };
        let connection = Connection::connect_to_env().map_err(|error| refused(&error))?;
        let mut queue = connection.new_event_queue();
        connection.display().get_registry(&queue.handle(), ());
        let mut shell = Shell::new(settings.clone());
        // The first brings what there is, the others what that is like.
        for _ in 0..3 {
            queue
                .roundtrip(&mut shell)
                .map_err(|error| refused(&error))?;
        }
        let has_all =
            shell.compositor.is_some() && shell.shm.is_some() && shell.viewporter.is_some();
        if !has_all || (shell.layers.is_none() && shell.windows.is_none()) {
            return Err(OutputError::Desktop(format!(
                "this compositor is too old for an overlay: it needs {NEEDED}"
            )));
        }
        shell.describe();
        Ok(Self {
            connection,
            queue,
            shell,
        })
    }

    pub fn stage_size(&self) -> Option<(u32, u32)> {
        let output = self.shell.chosen().next()?;
        let monitor = output.rect()?;
        let density = f64::from(output.pixels().0) / f64::from(monitor.width);
        Some(Rect::of(&self.shell.settings, monitor).stage_size(density))
    }

    /// Shows what the stage has until it is over.
    ///
    /// # Errors
    /// When the compositor goes away.
    pub fn run(self, shared: &Shared) -> Result<(), OutputError> {
        let Self {
            connection,
            mut queue,
            mut shell,
        } = self;
        let gone = |error: &dyn std::fmt::Display| {
            OutputError::Desktop(format!("the Wayland display has gone: {error}"))
        };
        let handle = queue.handle();
        let shm = shell.shm.as_ref().expect("checked when it was connected");
        let bytes = (shared.pool.slot_bytes() * SLOTS) as i32;
        let memory = shm.create_pool(shared.pool.fd(), bytes, &handle, ());
        loop {
            queue
                .dispatch_pending(&mut shell)
                .map_err(|error| gone(&error))?;
            if shared.state.is_over() {
                break;
            }
            shell.settle(shared, &memory, &handle);
            flush(&connection).map_err(|error| gone(&error))?;
            let Some(reading) = queue.prepare_read() else {
                continue;
            };
            let has_events = shared
                .bell
                .wait(reading.connection_fd())
                .map_err(|error| gone(&error))?;
            if has_events {
                match reading.read() {
                    Ok(_) => {}
                    Err(error) if is_transient(&error) => {}
                    Err(error) => return Err(gone(&error)),
                }
            }
        }
        shell.forget(&shared.pool);
        // Whatever the compositor no longer hears is gone with the connection.
        let _ = connection.flush();
        Ok(())
    }
}

fn flush(connection: &Connection) -> Result<(), WaylandError> {
    match connection.flush() {
        // It is sent with the next.
        Err(error) if is_transient(&error) => Ok(()),
        flushed => flushed,
    }
}

fn is_transient(error: &WaylandError) -> bool {
    matches!(error, WaylandError::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

impl Shell {
    fn new(settings: OverlaySettings) -> Self {
        Self {
            settings,
            compositor: None,
            shm: None,
            viewporter: None,
            layers: None,
            windows: None,
            output_manager: None,
            toplevel_manager: None,
            outputs: Vec::new(),
            toplevels: Vec::new(),
            surfaces: Vec::new(),
            released: Vec::new(),
            next_surface: 0,
            latest: None,
            serial: 0,
            is_closed: false,
        }
    }

    /// Says what this compositor does not allow.
    fn describe(&self) {
        if self.layers.is_none() {
            tracing::warn!(
                "this compositor has no layer shell, so the overlay is an ordinary window: it \
                 lets clicks through, but can neither keep above other windows nor choose its \
                 monitor or place, and the taskbar may list it. If the window's own menu has \
                 \"Always on top\", use that"
            );
        }
        if self.settings.yields_to_full_screen && self.toplevel_manager.is_none() {
            tracing::info!(
                "this compositor does not say which windows are full-screen: the overlay stays \
                 over them"
            );
        }
        let is_missing = self.layers.is_some() && self.chosen().next().is_none();
        if let Monitors::Named(name) = &self.settings.monitors
            && is_missing
        {
            let known: Vec<_> = self.outputs.iter().map(|output| &*output.name).collect();
            tracing::warn!(
                "there is no monitor {name} (there are: {}); gifts wait until there is",
                known.join(", ")
            );
        }
    }

    /// The monitors that are to show the overlay.
    fn chosen(&self) -> impl Iterator<Item = &Output> {
        let (most, name) = match &self.settings.monitors {
            Monitors::Main => (1, None),
            Monitors::All => (usize::MAX, None),
            Monitors::Named(name) => (usize::MAX, Some(name)),
        };
        let ready = self.outputs.iter().filter(|output| output.rect().is_some());
        ready
            .filter(move |output| name.is_none_or(|name| *name == output.name))
            .take(most)
    }

    /// Of those, the ones that the compositor lets us lie over.
    fn open(&self) -> impl Iterator<Item = &Output> {
        self.chosen().filter(|output| !output.is_refused)
    }

    /// Brings what is on the desktop in line with what the stage has.
    fn settle(
        &mut self,
        shared: &Shared,
        memory: &wl_shm_pool::WlShmPool,
        handle: &QueueHandle<Self>,
    ) {
        for (id, slot) in std::mem::take(&mut self.released) {
            if let Some(surface) = self.surfaces.iter_mut().find(|one| one.id == id) {
                surface.release(slot, &shared.pool);
            }
        }
        if std::mem::take(&mut self.is_closed) {
            shared.state.set_hidden(true);
        }
        let monitors = match self.layers {
            Some(_) => self.open().count(),
            None => 1,
        };
        shared.state.set_monitors(monitors);
        let is_covered = self.settings.yields_to_full_screen
            && self
                .toplevels
                .iter()
                .any(|one| one.is_in_use_and_full_screen);
        shared.state.set_covered(is_covered);
        match shared.pool.take() {
            Some(News::Frame(slot)) => {
                self.serial += 1;
                if let Some(old) = self.latest.replace(slot) {
                    shared.pool.release(old);
                }
            }
            Some(News::Bare) => self.forget(&shared.pool),
            None => {}
        }
        if !shared.state.is_showing() {
            self.forget(&shared.pool);
        }
        if let Some(slot) = self.latest {
            self.open_surfaces(shared, handle);
            for surface in &mut self.surfaces {
                surface.show(slot, self.serial, &shared.pool, memory, handle);
            }
        }
    }

    /// A surface where there is to be one, and nowhere else.
    fn open_surfaces(&mut self, shared: &Shared, handle: &QueueHandle<Self>) {
        let stage = (shared.pool.width, shared.pool.height);
        let place = |output: &Output| {
            let room = Rect::of(&self.settings, output.rect()?);
            Some(room.fitting(stage, self.settings.place))
        };
        let wanted: Vec<(u32, Rect)> = match self.layers {
            Some(_) => {
                let free = self.open();
                free.filter_map(|output| Some((output.global, place(output)?)))
                    .collect()
            }
            // A window keeps the size that the compositor gave it.
            None => {
                let own = self.surfaces.first().map(|surface| surface.rect);
                let rect = own.or_else(|| place(self.outputs.first()?));
                rect.into_iter().map(|rect| (0, rect)).collect()
            }
        };
        let is_over = |surface: &mut Surface| !wanted.contains(&(surface.output, surface.rect));
        for surface in self.surfaces.extract_if(.., is_over) {
            surface.close(&shared.pool);
        }
        for (output, rect) in wanted {
            if self.surfaces.iter().all(|one| one.output != output) {
                let surface = Surface::open(self, self.next_surface, output, rect, handle);
                self.next_surface = self.next_surface.wrapping_add(1);
                self.surfaces.push(surface);
            }
        }
    }

    /// Takes everything off the desktop.
    fn forget(&mut self, pool: &Pool) {
        if let Some(old) = self.latest.take() {
            pool.release(old);
        }
        for surface in self.surfaces.drain(..) {
            surface.close(pool);
        }
    }
}
