//! Another program on the Wayland desktop: a window of one colour that counts
//! the clicks it gets, and a mouse.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};
use wayland_client::protocol::{
    wl_buffer, wl_compositor, wl_pointer, wl_registry, wl_seat, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1, zwlr_virtual_pointer_v1,
};

/// The left button (linux/input-event-codes.h).
const BUTTON: u32 = 0x110;

pub struct Client {
    connection: Connection,
    queue: EventQueue<Seen>,
    seen: Seen,
    /// Where the desktop takes mice that its programs bring.
    mouse: Option<zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1>,
    window: xdg_toplevel::XdgToplevel,
}

#[derive(Default)]
struct Seen {
    compositor: Option<wl_compositor::WlCompositor>,
    shm: Option<wl_shm::WlShm>,
    windows: Option<xdg_wm_base::XdgWmBase>,
    seat: Option<wl_seat::WlSeat>,
    mice: Option<zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1>,
    surface: Option<wl_surface::WlSurface>,
    colour: [u8; 3],
    size: (i32, i32),
    clicks: usize,
}

impl Client {
    /// Opens a window of this colour that fills the monitor.
    pub fn open(socket: &Path, colour: [u8; 3]) -> Self {
        let stream = UnixStream::connect(socket).expect("it listens");
        let connection = Connection::from_socket(stream).expect("a connection");
        let mut queue = connection.new_event_queue();
        let handle = queue.handle();
        connection.display().get_registry(&handle, ());
        let mut seen = Seen {
            colour,
            ..Seen::default()
        };
        queue.roundtrip(&mut seen).expect("it answers");
        let mice = seen.mice.as_ref();
        let mouse = mice.map(|mice| mice.create_virtual_pointer(None, &handle, ()));
        // The seat may have a pointer only from now on.
        queue.roundtrip(&mut seen).expect("it answers");
        let seat = seen.seat.as_ref().expect("there is a seat");
        seat.get_pointer(&handle, ());
        let surface = seen
            .compositor
            .as_ref()
            .expect("it composes")
            .create_surface(&handle, ());
        let windows = seen.windows.as_ref().expect("it has windows");
        let role = windows.get_xdg_surface(&surface, &handle, ());
        let window = role.get_toplevel(&handle, ());
        window.set_maximized();
        surface.commit();
        seen.surface = Some(surface);
        let mut client = Self {
            connection,
            queue,
            seen,
            mouse,
            window,
        };
        client.catch_up();
        client
    }

    /// Hears what the desktop had to say, and answers.
    pub fn catch_up(&mut self) {
        for _ in 0..3 {
            self.queue.roundtrip(&mut self.seen).expect("it answers");
        }
    }

    /// Clicks at a place of the desktop, from 0 to 1 across and down.
    pub fn click(&mut self, across: f32, down: f32) {
        const EXTENT: f32 = 10_000.0;
        let mouse = self.mouse.as_ref().expect("the desktop takes mice");
        let (x, y) = ((across * EXTENT) as u32, (down * EXTENT) as u32);
        mouse.motion_absolute(0, x, y, EXTENT as u32, EXTENT as u32);
        mouse.frame();
        for state in [
            wl_pointer::ButtonState::Pressed,
            wl_pointer::ButtonState::Released,
        ] {
            mouse.button(1, BUTTON, state);
            mouse.frame();
        }
        self.connection.flush().expect("it listens");
        self.catch_up();
    }

    pub fn clicks(&self) -> usize {
        self.seen.clicks
    }

    pub fn fill_monitor(&mut self, fills: bool) {
        if fills {
            self.window.set_fullscreen(None);
        } else {
            self.window.unset_fullscreen();
        }
        self.catch_up();
    }
}

impl Seen {
    fn paint(&self, handle: &QueueHandle<Self>) {
        let (width, height) = match self.size {
            (1.., 1..) => self.size,
            _ => (64, 64),
        };
        let [r, g, b] = self.colour;
        let pixels = [b, g, r, 255].repeat((width * height) as usize);
        let memory = memfd_create("window", MemfdFlags::CLOEXEC).expect("memory");
        let file = File::from(memory);
        file.write_all_at(&pixels, 0).expect("memory");
        let shm = self.shm.as_ref().expect("it shares memory");
        let pool = shm.create_pool(file.as_fd(), pixels.len() as i32, handle, ());
        let format = wl_shm::Format::Argb8888;
        let buffer = pool.create_buffer(0, width, height, width * 4, format, handle, ());
        let surface = self.surface.as_ref().expect("it is configured");
        surface.attach(Some(&buffer), 0, 0);
        surface.damage(0, 0, i32::MAX, i32::MAX);
        surface.commit();
    }
}

delegate_noop!(Seen: wl_compositor::WlCompositor);
delegate_noop!(Seen: wl_shm_pool::WlShmPool);
delegate_noop!(Seen: zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1);
delegate_noop!(Seen: zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1);
delegate_noop!(Seen: ignore wl_shm::WlShm);
delegate_noop!(Seen: ignore wl_seat::WlSeat);
delegate_noop!(Seen: ignore wl_surface::WlSurface);
delegate_noop!(Seen: ignore wl_buffer::WlBuffer);

impl Dispatch<wl_registry::WlRegistry, ()> for Seen {
    fn event(
        seen: &mut Self,
        registry: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let wl_registry::Event::Global {
            name, interface, ..
        } = event
        else {
            return;
        };
        match &*interface {
            "wl_compositor" => seen.compositor = Some(registry.bind(name, 4, handle, ())),
            "wl_shm" => seen.shm = Some(registry.bind(name, 1, handle, ())),
            "xdg_wm_base" => seen.windows = Some(registry.bind(name, 1, handle, ())),
            "wl_seat" => seen.seat = Some(registry.bind(name, 1, handle, ())),
            "zwlr_virtual_pointer_manager_v1" => {
                seen.mice = Some(registry.bind(name, 1, handle, ()));
            }
            _ => {}
        }
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Seen {
    fn event(
        _: &mut Self,
        windows: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            windows.pong(serial);
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for Seen {
    fn event(
        seen: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_toplevel::Event::Configure { width, height, .. } = event {
            seen.size = (width, height);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Seen {
    fn event(
        seen: &mut Self,
        role: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            role.ack_configure(serial);
            seen.paint(handle);
        }
    }
}

impl Dispatch<wl_pointer::WlPointer, ()> for Seen {
    fn event(
        seen: &mut Self,
        _: &wl_pointer::WlPointer,
        event: wl_pointer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let pressed = WEnum::Value(wl_pointer::ButtonState::Pressed);
        if let wl_pointer::Event::Button { state, .. } = event {
            seen.clicks += usize::from(state == pressed);
        }
    }
}
