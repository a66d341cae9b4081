//! What the compositor says, noted down.

use wayland_client::protocol::{
    wl_buffer, wl_compositor, wl_output, wl_region, wl_registry, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{
    Connection, Dispatch, Proxy, QueueHandle, WEnum, delegate_noop, event_created_child,
};
use wayland_protocols::wp::viewporter::client::{wp_viewport, wp_viewporter};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};
use wayland_protocols::xdg::xdg_output::zv1::client::{zxdg_output_manager_v1, zxdg_output_v1};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_handle_v1::{
    self as toplevel, ZwlrForeignToplevelHandleV1,
};
use wayland_protocols_wlr::foreign_toplevel::v1::client::zwlr_foreign_toplevel_manager_v1::{
    self as toplevels, ZwlrForeignToplevelManagerV1,
};
use wayland_protocols_wlr::layer_shell::v1::client::{zwlr_layer_shell_v1, zwlr_layer_surface_v1};

use super::{Output, Shell, Toplevel};

delegate_noop!(Shell: wl_compositor::WlCompositor);
delegate_noop!(Shell: wl_region::WlRegion);
delegate_noop!(Shell: wl_shm_pool::WlShmPool);
delegate_noop!(Shell: wp_viewporter::WpViewporter);
delegate_noop!(Shell: wp_viewport::WpViewport);
delegate_noop!(Shell: zxdg_output_manager_v1::ZxdgOutputManagerV1);
delegate_noop!(Shell: zwlr_layer_shell_v1::ZwlrLayerShellV1);
// Every compositor has the one format we use, and where a surface is we know.
delegate_noop!(Shell: ignore wl_shm::WlShm);
delegate_noop!(Shell: ignore wl_surface::WlSurface);

impl Dispatch<wl_registry::WlRegistry, ()> for Shell {
    fn event(
        shell: &mut Self,
        registry: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        _: &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global {
                name,
                interface,
                version,
            } => shell.bind(registry, name, &interface, version, handle),
            wl_registry::Event::GlobalRemove { name } => {
                let is_gone = |output: &mut Output| output.global == name;
                shell
                    .outputs
                    .extract_if(.., is_gone)
                    .for_each(Output::close);
            }
            _ => {}
        }
    }
}

impl Shell {
    fn bind(
        &mut self,
        registry: &wl_registry::WlRegistry,
        name: u32,
        interface: &str,
        version: u32,
        handle: &QueueHandle<Self>,
    ) {
        // For each the newest version whose events are all answered here.
        match interface {
            "wl_compositor" => {
                self.compositor = Some(registry.bind(name, version.min(4), handle, ()));
            }
            "wl_shm" => self.shm = Some(registry.bind(name, 1, handle, ())),
            "wp_viewporter" => self.viewporter = Some(registry.bind(name, 1, handle, ())),
            "zwlr_layer_shell_v1" => {
                self.layers = Some(registry.bind(name, version.min(3), handle, ()));
            }
            "xdg_wm_base" => self.windows = Some(registry.bind(name, 1, handle, ())),
            "zwlr_foreign_toplevel_manager_v1" if version >= 2 => {
                self.toplevel_manager = Some(registry.bind(name, version.min(3), handle, ()));
            }
            "zxdg_output_manager_v1" => {
                let manager = registry.bind(name, version.min(3), handle, ());
                for output in &mut self.outputs {
                    output.describe_by(&manager, handle);
                }
                self.output_manager = Some(manager);
            }
            "wl_output" => {
                let mut output = Output {
                    global: name,
                    proxy: registry.bind(name, version.min(4), handle, name),
                    xdg: None,
                    name: String::new(),
                    mode: (0, 0),
                    is_turned: false,
                    scale: 1,
                    logical: None,
                    is_ready: false,
                    is_refused: false,
                };
                if let Some(manager) = &self.output_manager {
                    output.describe_by(manager, handle);
                }
                self.outputs.push(output);
            }
            _ => {}
        }
    }

    fn output(&mut self, global: u32) -> Option<&mut Output> {
        self.outputs.iter_mut().find(|one| one.global == global)
    }

    fn configure(&mut self, surface: u32) {
        if let Some(surface) = self.surfaces.iter_mut().find(|one| one.id == surface) {
            surface.is_configured = true;
        }
    }
}

impl Output {
    fn describe_by(
        &mut self,
        manager: &zxdg_output_manager_v1::ZxdgOutputManagerV1,
        handle: &QueueHandle<Shell>,
    ) {
        self.xdg = Some(manager.get_xdg_output(&self.proxy, handle, self.global));
    }

    fn close(self) {
        if let Some(xdg) = self.xdg {
            xdg.destroy();
        }
        if self.proxy.version() >= 3 {
            self.proxy.release();
        }
    }
}

impl Dispatch<wl_output::WlOutput, u32> for Shell {
    fn event(
        shell: &mut Self,
        _: &wl_output::WlOutput,
        event: wl_output::Event,
        global: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(output) = shell.output(*global) else {
            return;
        };
        match event {
            wl_output::Event::Geometry { transform, .. } => {
                use wl_output::Transform::{_90, _270, Flipped90, Flipped270};
                let turned = [_90, _270, Flipped90, Flipped270];
                output.is_turned = turned.into_iter().any(|one| transform == WEnum::Value(one));
            }
            wl_output::Event::Mode {
                flags,
                width,
                height,
                ..
            } => {
                let is_current = |flags: wl_output::Mode| flags.contains(wl_output::Mode::Current);
                if flags.into_result().is_ok_and(is_current) {
                    output.mode = (width, height);
                }
            }
            wl_output::Event::Scale { factor } => output.scale = factor,
            wl_output::Event::Name { name } => output.name = name,
            wl_output::Event::Done => {
                output.is_ready = true;
                output.is_refused = false;
            }
            _ => {}
        }
    }
}

impl Dispatch<zxdg_output_v1::ZxdgOutputV1, u32> for Shell {
    fn event(
        shell: &mut Self,
        _: &zxdg_output_v1::ZxdgOutputV1,
        event: zxdg_output_v1::Event,
        global: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(output) = shell.output(*global) else {
            return;
        };
        match event {
            zxdg_output_v1::Event::LogicalSize { width, height } => {
                output.logical = Some((width, height));
            }
            zxdg_output_v1::Event::Name { name } => output.name = name,
            _ => {}
        }
    }
}

impl Dispatch<wl_buffer::WlBuffer, (u32, usize)> for Shell {
    fn event(
        shell: &mut Self,
        _: &wl_buffer::WlBuffer,
        event: wl_buffer::Event,
        slot: &(u32, usize),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if matches!(event, wl_buffer::Event::Release) {
            shell.released.push(*slot);
        }
    }
}

impl Dispatch<zwlr_layer_surface_v1::ZwlrLayerSurfaceV1, u32> for Shell {
    fn event(
        shell: &mut Self,
        layer: &zwlr_layer_surface_v1::ZwlrLayerSurfaceV1,
        event: zwlr_layer_surface_v1::Event,
        surface: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            zwlr_layer_surface_v1::Event::Configure { serial, .. } => {
                layer.ack_configure(serial);
                shell.configure(*surface);
            }
            zwlr_layer_surface_v1::Event::Closed => {
                let of = shell.surfaces.iter().find(|one| one.id == *surface);
                if let Some(global) = of.map(|surface| surface.output)
                    && let Some(output) = shell.output(global)
                {
                    output.is_refused = true;
                }
            }
            _ => {}
        }
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Shell {
    fn event(
        _: &mut Self,
        windows: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        _: &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        // Whoever does not answer is taken for hung.
        if let xdg_wm_base::Event::Ping { serial } = event {
            windows.pong(serial);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, u32> for Shell {
    fn event(
        shell: &mut Self,
        window: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        surface: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            window.ack_configure(serial);
            shell.configure(*surface);
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, u32> for Shell {
    fn event(
        shell: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        surface: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure { width, height, .. } => {
                let resized = shell.surfaces.iter_mut().find(|one| one.id == *surface);
                let size = (u32::try_from(width), u32::try_from(height));
                if let (Some(surface), (Ok(width @ 1..), Ok(height @ 1..))) = (resized, size) {
                    surface.rect.width = width;
                    surface.rect.height = height;
                }
            }
            xdg_toplevel::Event::Close => shell.is_closed = true,
            _ => {}
        }
    }
}

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for Shell {
    fn event(
        shell: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        event: toplevels::Event,
        _: &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            toplevels::Event::Toplevel { toplevel } => shell.toplevels.push(Toplevel {
                handle: toplevel,
                is_in_use_and_full_screen: false,
            }),
            toplevels::Event::Finished => shell.toplevels.clear(),
            _ => {}
        }
    }

    event_created_child!(Self, ZwlrForeignToplevelManagerV1, [
        toplevels::EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for Shell {
    fn event(
        shell: &mut Self,
        handle: &ZwlrForeignToplevelHandleV1,
        event: toplevel::Event,
        _: &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(place) = shell.toplevels.iter().position(|one| one.handle == *handle) else {
            return;
        };
        match event {
            toplevel::Event::State { state } => {
                let has = |wanted: toplevel::State| {
                    let mut words = state.as_chunks::<4>().0.iter();
                    words.any(|word| u32::from_ne_bytes(*word) == wanted as u32)
                };
                shell.toplevels[place].is_in_use_and_full_screen =
                    has(toplevel::State::Activated) && has(toplevel::State::Fullscreen);
            }
            toplevel::Event::Closed => {
                shell.toplevels.swap_remove(place);
                handle.destroy();
            }
            _ => {}
        }
    }
}
