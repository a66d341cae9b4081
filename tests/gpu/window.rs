//! The program in a window, on a display of its own that only exists in memory
//! (Xvfb). Its frame buffer is a file, so no other program is needed to look.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::offscreen::alone;
use super::preview::{CATALOG, RED, studio};
use super::skip::skip;

/// Looks at the screen before something is broken rather than slow: two
/// minutes.
const LOOKS: u32 = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub const SCREEN: (usize, usize) = (480, 320);
const STAGE: (usize, usize) = (320, 180);
/// What the window lies over when nobody has chosen, sRGB.
const GROUND: [u8; 3] = [0x1B, 0x1A, 0x21];

/// A process that does not outlive its test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Display {
    pub name: String,
    folder: tempfile::TempDir,
    _server: Running,
}

impl Display {
    /// A display under a number that was free; `None` without Xvfb.
    pub fn open() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-nolisten",
                "tcp",
                "-noreset",
                "-screen",
                "0",
            ])
            .arg(format!("{}x{}x24", SCREEN.0, SCREEN.1))
            .arg("-fbdir")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = match server {
            Ok(server) => Running(server),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                skip("windows are not tested, since Xvfb is not installed");
                return None;
            }
            Err(error) => panic!("Xvfb does not start: {error}"),
        };
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let number: u32 = number.trim().parse().expect("Xvfb tells its number");
        Some(Self {
            name: format!(":{number}"),
            folder,
            _server: server,
        })
    }

    /// The screen's pixels, row by row.
    pub fn look(&self) -> Vec<[u8; 3]> {
        read_xwd(&fs::read(self.folder.path().join("Xvfb_screen0")).unwrap())
    }
}

/// Reads an X window dump of 32 bits a pixel; its header is big-endian words
/// (X11/XWDFile.h).
fn read_xwd(bytes: &[u8]) -> Vec<[u8; 3]> {
    let word = |at: usize| u32::from_be_bytes(bytes[at * 4..at * 4 + 4].try_into().unwrap());
    let (header, width, height) = (word(0) as usize, word(4) as usize, word(5) as usize);
    assert_eq!(word(11), 32, "bits a pixel");
    let (lsb_first, stride, colors) = (word(7) == 0, word(12) as usize, word(19) as usize);
    // A colour of the map takes 12 bytes.
    let pixels = &bytes[header + colors * 12..];
    let mut rgb = Vec::with_capacity(width * height);
    for row in pixels.chunks_exact(stride).take(height) {
        for pixel in row.as_chunks::<4>().0.iter().take(width) {
            let [_, r, g, b] = if lsb_first {
                u32::from_le_bytes(*pixel).to_be_bytes()
            } else {
                *pixel
            };
            rgb.push([r, g, b]);
        }
    }
    rgb
}

pub fn distance(pixel: [u8; 3], other: [u8; 3]) -> u8 {
    (0..3).map(|c| pixel[c].abs_diff(other[c])).max().unwrap()
}

/// Pixels of the ground, and pixels of something else in the window's corner
/// of the screen.
pub fn census(screen: &[[u8; 3]]) -> (usize, usize) {
    let window = screen
        .chunks_exact(SCREEN.0)
        .take(STAGE.1)
        .flat_map(|row| &row[..STAGE.0]);
    window.fold((0, 0), |(ground, drawn), &pixel| {
        match distance(pixel, GROUND) {
            0..=2 => (ground + 1, drawn),
            // The empty screen is black, which is not drawn by us either.
            40.. => (ground, drawn + 1),
            _ => (ground, drawn),
        }
    })
}

fn demo(display: &str, out: &Path, seconds: u32) -> Running {
    let child = Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .args(["demo", "--json", "--seconds", &seconds.to_string()])
        .args(["--size", &format!("{}x{}", STAGE.0, STAGE.1)])
        .arg("--out")
        .arg(out)
        .env("DISPLAY", display)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running(child)
}

/// Waits for the end: whether it went well, and both of the outputs.
fn end_of(mut run: Running) -> (bool, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    run.0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    run.0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    (run.0.wait().unwrap().success(), out, err)
}

#[test]
fn a_window_shows_the_gifts_and_a_signal_closes_it_in_good_order() {
    let _alone = alone();
    let Some(display) = Display::open() else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let mut run = demo(&display.name, out.path(), 300);
    let (mut most_ground, mut most_drawn) = (0, 0);
    for _ in 0..LOOKS {
        std::thread::sleep(BETWEEN_LOOKS);
        let (ground, drawn) = census(&display.look());
        most_ground = most_ground.max(ground);
        // Only what is drawn on a ground that is there.
        if ground > STAGE.0 * STAGE.1 / 4 {
            most_drawn = most_drawn.max(drawn);
        }
        if most_drawn > 60 || run.0.try_wait().unwrap().is_some() {
            break;
        }
    }
    let signalled = Command::new("kill")
        .args(["-TERM", &run.0.id().to_string()])
        .status()
        .unwrap();
    let (went_well, out, err) = end_of(run);
    assert!(
        most_ground > STAGE.0 * STAGE.1 / 2,
        "there was no window: {most_ground} pixels of its ground\n{err}"
    );
    assert!(
        most_drawn > 60,
        "no gift was seen: {most_drawn} pixels\n{err}"
    );
    assert!(signalled.success(), "it ended by itself\n{err}");
    assert!(went_well, "{err}");
    assert!(
        out.trim_start().starts_with('{'),
        "there is a summary: {out}"
    );
}

#[test]
fn a_window_closes_when_the_time_is_up() {
    let _alone = alone();
    let Some(display) = Display::open() else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let (went_well, out, err) = end_of(demo(&display.name, out.path(), 2));
    assert!(went_well, "{err}");
    assert!(
        out.trim_start().starts_with('{'),
        "there is a summary: {out}"
    );
    // The display notices that the program is gone, and only then paints over it.
    for _ in 0..LOOKS {
        if census(&display.look()).0 == 0 {
            return;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    panic!("the window is still there");
}

#[test]
fn a_display_that_refuses_is_explained() {
    let out = tempfile::tempdir().unwrap();
    // No server counts that far.
    let (went_well, _, err) = end_of(demo(":64999", out.path(), 2));
    assert!(!went_well);
    assert!(err.contains("DISPLAY=:64999 cannot be opened"), "{err}");
    assert!(err.contains("--headless"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

/// Colours of the preview's strip, and of what it says is wrong.
const STRIP: [u8; 3] = [0x15, 0x17, 0x1E];
const FAULT: [u8; 3] = [0x5A, 0x1E, 0x28];

#[test]
fn a_preview_shows_the_gift_its_controls_and_what_is_wrong_with_an_edit() {
    let _alone = alone();
    let Some(display) = Display::open() else {
        return;
    };
    let home = studio();
    let catalog = home.path().join("catalog.toml");
    let mut run = Command::new(env!("CARGO_BIN_EXE_hyperfocus"));
    run.args(["preview", "block", "--size", "320x180", "--over", "white"])
        .args(["--captions", "off", "--catalog", "catalog.toml"])
        .current_dir(home.path())
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET");
    let mut run = Running(run.spawn().unwrap());
    let mut until = |colour: [u8; 3], is_there: bool| {
        let mut seen = 0;
        for _ in 0..LOOKS {
            std::thread::sleep(BETWEEN_LOOKS);
            let screen = display.look();
            seen = screen.iter().filter(|p| distance(**p, colour) < 8).count();
            if (seen > 60) == is_there {
                return;
            }
            assert!(run.0.try_wait().unwrap().is_none(), "it ended by itself");
        }
        panic!("{seen} pixels are {colour:?}");
    };
    until(STRIP, true);
    until(RED, true);
    until([255; 3], true);
    fs::write(&catalog, CATALOG.replace("texture =", "textur =")).unwrap();
    until(FAULT, true);
    until(RED, true);
    fs::write(&catalog, CATALOG).unwrap();
    until(FAULT, false);
    until(RED, true);
}
