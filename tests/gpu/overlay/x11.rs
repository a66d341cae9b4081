//! The overlay on X11, in a display that only exists in memory (Xvfb), with a
//! window manager (openbox) and without one.

use std::process::{Command, Stdio};

use x11rb::connection::Connection;
use x11rb::protocol::randr::{ConnectionExt as _, MonitorInfo};
use x11rb::protocol::shape::{ConnectionExt as _, SK};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask,
    ImageFormat, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::{Evening, skip};
use crate::stage::until;
use crate::window::{Display, Running};

/// Half of red, premultiplied in encoded values: blue, green, red, alpha.
pub const HALF_RED: [u8; 4] = [0, 0, 128, 128];
/// What `Display` has.
const SCREEN: (u32, u32) = (480, 320);
/// EWMH: add a state.
const ADD: u32 = 1;
const REMOVE: u32 = 0;

/// A display, whoever arranges its windows, and a program that looks.
pub struct Desktop {
    display: Display,
    connection: RustConnection,
    root: u32,
    _manager: Option<Running>,
}

/// Runs a program of the desktop's own.
fn start(display: &Display, program: &str, arguments: &[&str]) -> Running {
    let started = Command::new(program)
        .args(arguments)
        .env("DISPLAY", &display.name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Running(started.expect("it is installed"))
}

impl Desktop {
    /// `None`, said aloud, where a program is missing.
    pub fn open(with_manager: bool) -> Option<Self> {
        for program in ["openbox", "xdotool", "xcompmgr"] {
            // With a word that none of them takes, so that each ends.
            if Command::new(program).arg("--none").output().is_err() {
                skip(&format!("{program} is not installed"));
                return None;
            }
        }
        let Some(display) = Display::open() else {
            skip("Xvfb is not installed");
            return None;
        };
        let (connection, screen) =
            RustConnection::connect(Some(&display.name)).expect("it has told its number");
        let root = connection.setup().roots[screen].root;
        let manager = with_manager.then(|| start(&display, "openbox", &[]));
        let desktop = Self {
            display,
            connection,
            root,
            _manager: manager,
        };
        if with_manager {
            desktop.until("no window manager came", |desktop| {
                !desktop
                    .words(desktop.root, "_NET_SUPPORTING_WM_CHECK")
                    .is_empty()
            });
        }
        Some(desktop)
    }

    /// Lets windows be transparent, and each keep its own picture; no shadows.
    pub fn compose(&self) -> Running {
        start(&self.display, "xcompmgr", &["-n"])
    }

    pub fn variables<'a>(&'a self, home: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("DISPLAY", &self.display.name),
            ("WAYLAND_DISPLAY", ""),
            ("XDG_RUNTIME_DIR", home),
        ]
    }

    pub fn atom(&self, name: &str) -> Atom {
        let asked = self.connection.intern_atom(false, name.as_bytes());
        asked.unwrap().reply().unwrap().atom
    }

    pub fn words(&self, window: u32, property: &str) -> Vec<u32> {
        let property = self.atom(property);
        let asked = self
            .connection
            .get_property(false, window, property, AtomEnum::ANY, 0, 256);
        let reply = asked.unwrap().reply();
        let words = reply
            .ok()
            .and_then(|reply| Some(reply.value32()?.collect()));
        words.unwrap_or_default()
    }

    pub fn until(&self, else_say: &str, is_so: impl Fn(&Self) -> bool) {
        until(|| is_so(self), || else_say.to_owned());
    }

    fn children(&self, of: u32) -> Vec<u32> {
        let tree = self.connection.query_tree(of).unwrap().reply();
        tree.map_or_else(|_| Vec::new(), |tree| tree.children)
    }

    /// The overlay's window, if it is on the display and visible.
    pub fn overlay(&self) -> Option<u32> {
        self.named("Hyperfocus overlay")
    }

    /// The window of that name, if it is on the display.
    pub fn named(&self, expected: &str) -> Option<u32> {
        let all = self.children(self.root).into_iter();
        // A window manager may have put it into a frame.
        let mut all = all.flat_map(|top| [vec![top], self.children(top)].concat());
        all.find(|window| {
            let asked = self.connection.get_property(
                false,
                *window,
                AtomEnum::WM_NAME,
                AtomEnum::ANY,
                0,
                64,
            );
            let name = asked.unwrap().reply().map(|reply| reply.value);
            name.is_ok_and(|name| name == expected.as_bytes())
        })
    }

    /// The window right below the root that a window is in.
    fn top(&self, window: u32) -> u32 {
        let parent = self.connection.query_tree(window).unwrap().reply();
        match parent.expect("the window is there").parent {
            parent if parent == self.root => window,
            parent => self.top(parent),
        }
    }

    /// Where the window is on the display: left, top, width, height.
    pub fn place(&self, window: u32) -> (i32, i32, u32, u32) {
        let size = self.connection.get_geometry(window).unwrap().reply();
        let size = size.unwrap();
        let corner = self
            .connection
            .translate_coordinates(window, self.root, 0, 0);
        let corner = corner.unwrap().reply().unwrap();
        (
            corner.dst_x.into(),
            corner.dst_y.into(),
            size.width.into(),
            size.height.into(),
        )
    }

    pub fn pixel(&self, window: u32, across: f32, down: f32) -> Option<[u8; 4]> {
        let (_, _, width, height) = self.place(window);
        let (x, y) = (across * width as f32, down * height as f32);
        let image = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            window,
            x as i16,
            y as i16,
            1,
            1,
            u32::MAX,
        );
        let image = image.unwrap().reply().ok()?;
        image.data.as_slice().try_into().ok()
    }

    /// What the screen shows at a place from 0 to 1 across and down.
    fn on_screen(&self, across: f32, down: f32) -> [u8; 3] {
        let (x, y) = (across * SCREEN.0 as f32, down * SCREEN.1 as f32);
        self.display.look()[y as usize * SCREEN.0 as usize + x as usize]
    }

    /// Waits for the overlay to show the gift.
    pub fn shown(&self) -> u32 {
        self.until("the gift never came", |desktop| {
            desktop
                .overlay()
                .is_some_and(|window| desktop.pixel(window, 0.5, 0.25) == Some(HALF_RED))
        });
        self.overlay().expect("it was there")
    }

    /// Opens a window of another program over the whole display, above all that
    /// does not keep above it.
    fn open_window(&self, colour: u32) -> u32 {
        let id = self.connection.generate_id().unwrap();
        let plain = CreateWindowAux::new().background_pixel(colour);
        self.connection
            .create_window(
                0,
                id,
                self.root,
                0,
                0,
                SCREEN.0 as u16,
                SCREEN.1 as u16,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &plain,
            )
            .unwrap();
        self.connection.map_window(id).unwrap();
        self.connection.sync().unwrap();
        id
    }

    /// Whether clicks go through a window to what is below.
    pub fn lets_clicks_through(&self, window: u32) -> bool {
        let input = self.connection.shape_get_rectangles(window, SK::INPUT);
        let input = input.unwrap().reply();
        input.is_ok_and(|input| input.rectangles.is_empty())
    }

    /// Whether one window is above another.
    fn is_above(&self, upper: u32, lower: u32) -> bool {
        let (upper, lower) = (self.top(upper), self.top(lower));
        // From the lowest.
        let all = self.children(self.root);
        let place = |window| all.iter().position(|one| *one == window);
        place(upper) > place(lower) && place(lower).is_some()
    }

    fn set_full_screen(&self, window: u32, action: u32) {
        let state = [action, self.atom("_NET_WM_STATE_FULLSCREEN"), 0, 1, 0];
        let kind = self.atom("_NET_WM_STATE");
        let message = ClientMessageEvent::new(32, window, kind, state);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        self.connection
            .send_event(false, self.root, mask, message)
            .unwrap();
        self.connection.flush().unwrap();
    }

    /// Does what a hand at mouse and keyboard would.
    pub fn act(&self, words: &[&str]) {
        let acted = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.display.name)
            .status();
        assert!(acted.expect("it is installed").success(), "{words:?}");
    }

    /// The innermost window that a click would go to.
    fn under_pointer(&self) -> u32 {
        let mut window = self.root;
        loop {
            let asked = self.connection.query_pointer(window).unwrap().reply();
            match asked.map(|reply| reply.child) {
                Ok(child) if child != x11rb::NONE => window = child,
                _ => return window,
            }
        }
    }
}

fn evening(desktop: &Desktop, home: &str, more: &[&str]) -> Evening {
    let mut evening = Evening::begin(&desktop.variables(home), more);
    evening.give("g1");
    evening
}

#[test]
fn it_is_transparent_above_the_others_and_not_in_the_way() {
    let Some(desktop) = Desktop::open(true) else {
        return;
    };
    let home = crate::program::folder();
    let evening = evening(&desktop, home.path().to_str().unwrap(), &[]);
    let overlay = desktop.shown();
    assert_eq!(desktop.pixel(overlay, 0.02, 0.02), Some([0; 4]));
    assert_eq!(desktop.place(overlay), (0, 0, SCREEN.0, SCREEN.1));

    let states = desktop.words(overlay, "_NET_WM_STATE");
    for state in ["ABOVE", "SKIP_TASKBAR", "SKIP_PAGER"] {
        let atom = desktop.atom(&format!("_NET_WM_STATE_{state}"));
        assert!(states.contains(&atom), "{state}");
    }
    assert!(desktop.lets_clicks_through(overlay));

    let window = desktop.open_window(0x0000_00FF);
    desktop.until("the window never came", |desktop| {
        desktop.words(desktop.root, "_NET_ACTIVE_WINDOW") == [window]
    });
    assert!(desktop.is_above(overlay, window));
    desktop.act(&["mousemove", "240", "80"]);
    desktop.until("a click would not reach the window below", |desktop| {
        desktop.under_pointer() == window
    });
    assert!(desktop.is_above(overlay, window));
    assert_eq!(
        desktop.words(desktop.root, "_NET_ACTIVE_WINDOW"),
        [window],
        "the overlay never has the keyboard"
    );
    evening.overlay.end_by("TERM").ended_with(0);
    assert_eq!(desktop.overlay(), None);
}

#[test]
fn a_composed_desktop_shows_through_in_exact_colours() {
    const GREY: [u8; 3] = [128; 3];
    let Some(desktop) = Desktop::open(false) else {
        return;
    };
    let _composer = desktop.compose();
    desktop.open_window(0x0080_8080);
    desktop.until("nothing composes the desktop", |desktop| {
        desktop.on_screen(0.5, 0.25) == GREY
    });
    let home = crate::program::folder();
    let evening = evening(&desktop, home.path().to_str().unwrap(), &[]);
    desktop.shown();
    desktop.until("half of red over grey is not on the screen", |desktop| {
        desktop.on_screen(0.5, 0.25) == [192, 64, 64]
    });
    assert_eq!(desktop.on_screen(0.02, 0.02), GREY);
    evening.overlay.end_by("TERM").ended_with(0);
    desktop.until("it is still on the screen", |desktop| {
        desktop.on_screen(0.5, 0.25) == GREY
    });
}

#[test]
fn it_keeps_itself_above_where_nobody_arranges_windows() {
    let Some(desktop) = Desktop::open(false) else {
        return;
    };
    let home = crate::program::folder();
    let evening = evening(&desktop, home.path().to_str().unwrap(), &[]);
    let overlay = desktop.shown();
    let window = desktop.open_window(0x0000_00FF);
    desktop.until("it stayed below", |desktop| {
        desktop.is_above(overlay, window)
    });
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn keys_and_full_screen_windows_take_it_away_and_bring_it_back() {
    let Some(desktop) = Desktop::open(true) else {
        return;
    };
    let home = crate::program::folder();
    let evening = evening(&desktop, home.path().to_str().unwrap(), &[]);
    desktop.shown();
    desktop.act(&["key", "ctrl+alt+h"]);
    desktop.until("the key did nothing", |desktop| desktop.overlay().is_none());
    desktop.act(&["key", "ctrl+alt+w"]);
    evening.overlay.says("overlay: the overlay is hidden");
    desktop.act(&["key", "ctrl+alt+h"]);
    desktop.shown();

    let window = desktop.open_window(0x0000_00FF);
    desktop.until("the window never came", |desktop| {
        desktop.words(desktop.root, "_NET_ACTIVE_WINDOW") == [window]
    });
    desktop.set_full_screen(window, ADD);
    desktop.until("it stayed over a full-screen window", |desktop| {
        desktop.overlay().is_none()
    });
    desktop.set_full_screen(window, REMOVE);
    desktop.shown();
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn an_overlay_whose_display_goes_ends_with_an_error() {
    let Some(desktop) = Desktop::open(false) else {
        return;
    };
    let home = crate::program::folder();
    let evening = evening(&desktop, home.path().to_str().unwrap(), &[]);
    desktop.shown();
    drop(desktop);
    let ran = evening.overlay.wait();
    ran.ended_with(1);
    let told = crate::program::summary(&String::from_utf8(ran.out.clone()).unwrap());
    assert_eq!(told["failed"], serde_json::json!(["overlay"]));
}

#[test]
fn gifts_wait_while_the_window_is_minimised() {
    let Some(desktop) = Desktop::open(true) else {
        return;
    };
    let home = crate::program::folder();
    let home = home.path().to_str().unwrap();
    let variables = desktop.variables(home);
    let mut evening = Evening::begin_as("run", &variables, &["--output", "window"]);
    let state = |window| desktop.words(window, "WM_STATE").first().copied();
    let window = desktop.named("Hyperfocus").expect("it is warm");
    let id = window.to_string();
    desktop.act(&["windowminimize", &id]);
    // ICCCM: 3 is iconic, 1 is normal.
    desktop.until("it was not minimised", |_| state(window) == Some(3));
    evening.give("g1");
    evening.overlay.says("nobody sees the stage");
    desktop.act(&["windowmap", &id]);
    desktop.until("it did not come back", |_| state(window) == Some(1));
    evening.overlay.says("the stage is seen again");
    desktop.until("the gift never came", |desktop| {
        let pixel = desktop.pixel(window, 0.5, 0.25);
        pixel.is_some_and(|[_, _, red, _]| red > 150)
    });
    evening.overlay.end_by("TERM").ended_with(0);
}

#[test]
fn it_is_where_it_was_asked_to_be_and_follows_the_monitors() {
    let Some(desktop) = Desktop::open(true) else {
        return;
    };
    let monitor = |name: &str, x: i16, width: u16| {
        let info = MonitorInfo {
            name: desktop.atom(name),
            primary: false,
            automatic: false,
            x,
            y: 0,
            width,
            height: SCREEN.1 as u16,
            width_in_millimeters: 100,
            height_in_millimeters: 100,
            outputs: Vec::new(),
        };
        let set = desktop.connection.randr_set_monitor(desktop.root, info);
        set.unwrap().check().unwrap();
    };
    monitor("left", 0, 240);
    monitor("right", 240, 240);
    let home = crate::program::folder();
    let arguments = ["--monitor", "right", "--place", "lower-band"];
    let evening = evening(&desktop, home.path().to_str().unwrap(), &arguments);
    let overlay = desktop.shown();
    // The lower third of 320 lines, over the right half.
    assert_eq!(desktop.place(overlay), (240, 213, 240, 107));
    let right = desktop.atom("right");
    let unset = || {
        let connection = &desktop.connection;
        let deleted = connection.randr_delete_monitor(desktop.root, right);
        deleted.unwrap().check().unwrap();
    };
    unset();
    monitor("right", 120, 240);
    desktop.until("it did not follow its monitor", |desktop| {
        let overlay = desktop.overlay();
        overlay.is_some_and(|overlay| desktop.place(overlay) == (120, 213, 240, 107))
    });
    desktop.shown();
    unset();
    desktop.until("its monitor is gone", |desktop| desktop.overlay().is_none());
    monitor("right", 240, 240);
    desktop.shown();
    evening.overlay.end_by("TERM").ended_with(0);
}
