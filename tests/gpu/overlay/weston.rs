//! The overlay on a Wayland desktop without a layer shell, as GNOME's is: weston, as a
//! window of a display that only exists in memory.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::client::Client;
use super::wayland::{BESIDE, BLUE, GREY, ON_GIFT, RED_OVER_BLUE, RED_OVER_GREY};
use super::{Evening, skip};
use crate::program::folder;
use crate::stage::until;
use crate::window::{Display, Running, SCREEN, distance};

const SOCKET: &str = "wayland-test";

struct Weston {
    display: Display,
    folder: TempDir,
    _process: Running,
}

impl Weston {
    /// A desktop of one grey, as large as the display; `None`, said aloud, where a
    /// program is missing.
    fn start() -> Option<Self> {
        if Command::new("weston").arg("--version").output().is_err() {
            skip("weston is not installed");
            return None;
        }
        let Some(display) = Display::open() else {
            skip("Xvfb is not installed");
            return None;
        };
        // A temporary folder is its owner's alone, as weston wants it.
        let folder = folder();
        let config = folder.path().join("weston.ini");
        let lines = "[core]\nidle-time=0\n[shell]\nbackground-color=0xff808080\n\
                     panel-position=none\nanimation=none\nclose-animation=none\n\
                     startup-animation=none\nfocus-animation=none\nlocking=false\n";
        fs::write(&config, lines).expect("a file");
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let process = Command::new("weston")
            .args(["--backend=x11-backend.so", "--use-pixman"])
            .arg(format!("--config={}", config.display()))
            .arg(format!("--socket={SOCKET}"))
            .args([
                format!("--width={}", SCREEN.0),
                format!("--height={}", SCREEN.1),
            ])
            .env("DISPLAY", &display.name)
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn();
        let weston = Self {
            display,
            folder,
            _process: Running(process.expect("it is installed")),
        };
        weston.comes(BESIDE, GREY);
        Some(weston)
    }

    /// Waits until the desktop shows that colour at a place from 0 to 1 across and
    /// down.
    fn comes(&self, at: (f32, f32), colour: [u8; 3]) {
        let [x, y] = pixel(at);
        let seen = || self.display.look()[y * SCREEN.0 + x];
        until(
            || distance(seen(), colour) <= 1,
            || {
                let log = fs::read_to_string(self.folder.path().join("log"));
                let seen = seen();
                format!("{colour:?} never came at {at:?}, but {seen:?}\n{log:?}")
            },
        );
    }

    fn variables(&self) -> [(&str, &str); 3] {
        let folder = self.folder.path().to_str().expect("text");
        [
            ("XDG_RUNTIME_DIR", folder),
            ("WAYLAND_DISPLAY", SOCKET),
            ("DISPLAY", ""),
        ]
    }

    /// Clicks there, and takes the pointer, which is a picture too, into a corner.
    fn click(&self, at: (f32, f32)) {
        let [x, y] = pixel(at).map(|place| place.to_string());
        let clicked = Command::new("xdotool")
            .args(["mousemove", &x, &y, "click", "1"])
            .args(["mousemove", "479", "319"])
            .env("DISPLAY", &self.display.name)
            .status();
        assert!(clicked.expect("it is installed").success());
    }
}

fn pixel((across, down): (f32, f32)) -> [usize; 2] {
    [across * SCREEN.0 as f32, down * SCREEN.1 as f32].map(|place| place as usize)
}

#[test]
fn where_nothing_keeps_above_it_is_a_window_that_lets_colours_and_clicks_through() {
    let Some(weston) = Weston::start() else {
        return;
    };
    let mut evening = Evening::begin(&weston.variables(), &[]);
    evening.overlay.says("this compositor has no layer shell");
    let mut window = Client::open(&weston.folder.path().join(SOCKET), BLUE);
    weston.comes(ON_GIFT, BLUE);
    evening.give("g1");
    weston.comes(ON_GIFT, RED_OVER_BLUE);
    weston.comes(BESIDE, BLUE);
    until(
        || {
            weston.click(ON_GIFT);
            window.catch_up();
            window.clicks() > 0
        },
        || "the click did not reach the window below".to_owned(),
    );
    drop(window);
    weston.comes(ON_GIFT, RED_OVER_GREY);
    evening.overlay.end_by("TERM").ended_with(0);
    weston.comes(ON_GIFT, GREY);
}
