//! One surface of the overlay: on a monitor's upper layer, or an ordinary
//! window.

use wayland_client::QueueHandle;
use wayland_client::protocol::{wl_buffer, wl_shm, wl_shm_pool, wl_surface};
use wayland_protocols::wp::viewporter::client::wp_viewport;
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1::Layer;
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_surface_v1::{
    Anchor, KeyboardInteractivity, ZwlrLayerSurfaceV1,
};

use super::Shell;
use crate::config::Place;
use crate::output::overlay::place::Rect;
use crate::output::overlay::pool::{Pool, SLOTS};

pub(super) struct Surface {
    pub id: u32,
    /// The registry's number of its monitor; 0 for an ordinary window.
    pub output: u32,
    pub rect: Rect,
    proxy: wl_surface::WlSurface,
    viewport: wp_viewport::WpViewport,
    role: Role,
    /// Made when a slot is first shown.
    buffers: [Option<wl_buffer::WlBuffer>; SLOTS],
    /// How often the compositor holds each slot.
    held: [u32; SLOTS],
    /// Whether it may be drawn to.
    pub is_configured: bool,
    /// Which picture it has.
    shown: Option<u64>,
}

enum Role {
    Layer(ZwlrLayerSurfaceV1),
    Window(xdg_surface::XdgSurface, xdg_toplevel::XdgToplevel),
}

impl Surface {
    /// Asks for a surface; it shows something once it is configured.
    pub fn open(
        shell: &Shell,
        id: u32,
        output: u32,
        rect: Rect,
        handle: &QueueHandle<Shell>,
    ) -> Self {
        let known = "checked when it was connected";
        let compositor = shell.compositor.as_ref().expect(known);
        let proxy = compositor.create_surface(handle, ());
        // Without an input region every click goes to what is below.
        let nothing = compositor.create_region(handle, ());
        proxy.set_input_region(Some(&nothing));
        nothing.destroy();
        let viewporter = shell.viewporter.as_ref().expect(known);
        let viewport = viewporter.get_viewport(&proxy, handle, ());
        let monitor = shell.outputs.iter().find(|one| one.global == output);
        let role = match (&shell.layers, &shell.windows) {
            (Some(layers), _) => {
                let monitor = monitor.map(|monitor| &monitor.proxy);
                let name = "hyperfocus".to_owned();
                let layer =
                    layers.get_layer_surface(&proxy, monitor, Layer::Overlay, name, handle, id);
                layer.set_size(rect.width, rect.height);
                layer.set_anchor(Anchor::Top | Anchor::Left);
                layer.set_margin(rect.y, 0, 0, rect.x);
                // Panels do not push it aside.
                layer.set_exclusive_zone(-1);
                layer.set_keyboard_interactivity(KeyboardInteractivity::None);
                Role::Layer(layer)
            }
            (None, windows) => {
                let windows = windows.as_ref().expect(known);
                let surface = windows.get_xdg_surface(&proxy, handle, id);
                let window = surface.get_toplevel(handle, id);
                window.set_title("Hyperfocus overlay".into());
                window.set_app_id("hyperfocus".into());
                Role::Window(surface, window)
            }
        };
        proxy.commit();
        Self {
            id,
            output,
            rect,
            proxy,
            viewport,
            role,
            buffers: Default::default(),
            held: [0; SLOTS],
            is_configured: false,
            shown: None,
        }
    }

    /// Shows the picture in `slot`, if it does not do so already and may.
    pub fn show(
        &mut self,
        slot: usize,
        serial: u64,
        pool: &Pool,
        memory: &wl_shm_pool::WlShmPool,
        handle: &QueueHandle<Shell>,
    ) {
        if !self.is_configured || self.shown == Some(serial) {
            return;
        }
        let id = self.id;
        let buffer = self.buffers[slot].get_or_insert_with(|| {
            memory.create_buffer(
                (slot * pool.slot_bytes()) as i32,
                pool.width as i32,
                pool.height as i32,
                pool.stride as i32,
                wl_shm::Format::Argb8888,
                handle,
                (id, slot),
            )
        });
        // The compositor scales, whatever the monitor's own scale is.
        let shown = match self.role {
            Role::Layer(_) => self.rect,
            // A window is of the size that it was given.
            Role::Window(..) => self.rect.fitting((pool.width, pool.height), Place::Full),
        };
        self.viewport
            .set_destination(shown.width as i32, shown.height as i32);
        self.proxy.attach(Some(buffer), 0, 0);
        self.proxy.damage_buffer(0, 0, i32::MAX, i32::MAX);
        self.proxy.commit();
        self.shown = Some(serial);
        self.held[slot] += 1;
        pool.hold(slot);
    }

    /// The compositor has let go of the slot.
    pub fn release(&mut self, slot: usize, pool: &Pool) {
        if self.held[slot] > 0 {
            self.held[slot] -= 1;
            pool.release(slot);
        }
    }

    /// Takes it off the desktop.
    pub fn close(self, pool: &Pool) {
        for (slot, held) in self.held.into_iter().enumerate() {
            (0..held).for_each(|_| pool.release(slot));
        }
        self.viewport.destroy();
        match self.role {
            Role::Layer(layer) => layer.destroy(),
            Role::Window(surface, window) => {
                window.destroy();
                surface.destroy();
            }
        }
        self.proxy.destroy();
        for buffer in self.buffers.into_iter().flatten() {
            buffer.destroy();
        }
    }
}
