//! `hyperfocus overlay` on desktops of the tests' own.

mod client;
mod desk;
mod panes;
mod sway;
mod together;
mod tray;
mod wayland;
mod weston;
mod x11;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use hyperfocus::model::{Gift, Sender};
use hyperfocus::protocol::ServerMessage;
use image::{Rgba, RgbaImage};
use tempfile::TempDir;

use crate::preview::{CATALOG, studio};
use crate::program::{Program, folder};
use crate::server::{Peer, Server};

/// Says aloud what is not tested, and fails where nothing may be left out.
fn skip(why: &str) {
    crate::skip::skip(&format!(
        "the overlay is not tested, since {why}; `make setup` brings it"
    ));
}

/// What is on a monitor.
struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a binary portable pixmap; of anything else, as of a monitor that
    /// has gone, nothing is left.
    fn from_ppm(bytes: &[u8]) -> Self {
        let read = || {
            let mut parts = bytes.splitn(4, u8::is_ascii_whitespace);
            let magic = parts.next()?;
            let number = |part: Option<&[u8]>| -> Option<usize> {
                std::str::from_utf8(part?).ok()?.parse().ok()
            };
            let (width, height) = (number(parts.next())?, number(parts.next())?);
            let rgb = parts.next()?.strip_prefix(b"255\n")?.to_vec();
            (magic == b"P6" && rgb.len() == width * height * 3).then_some(Self {
                width,
                height,
                rgb,
            })
        };
        read().unwrap_or(Self {
            width: 0,
            height: 0,
            rgb: Vec::new(),
        })
    }

    /// The pixel at a place from 0 to 1 across and down.
    fn at(&self, across: f32, down: f32) -> Option<[u8; 3]> {
        let x = (across * self.width as f32) as usize;
        let y = (down * self.height as f32) as usize;
        let pixel = self.rgb.as_chunks::<3>().0.get(y * self.width + x);
        pixel.copied()
    }

    fn is_all(&self, colour: [u8; 3]) -> bool {
        !self.rgb.is_empty() && self.rgb.as_chunks::<3>().0.iter().all(|one| *one == colour)
    }
}

/// A catalogue of one gift: a block of half-transparent red that fills the
/// middle of the stage for a minute.
fn red_studio() -> TempDir {
    let home = studio();
    let long = CATALOG.replace("seconds = 2", "seconds = 60");
    assert_ne!(long, CATALOG);
    fs::write(home.path().join("catalog.toml"), long).expect("a file");
    RgbaImage::from_pixel(16, 16, Rgba([255, 0, 0, 128]))
        .save(home.path().join("textures/block.png"))
        .expect("a file");
    home
}

/// An overlay that plays the studio's gift, and the backend that it joined.
struct Evening {
    overlay: Program,
    peer: Peer<TcpStream>,
    /// What the overlay said when it joined.
    client_type: String,
    _server: Server,
    home: TempDir,
}

impl Evening {
    fn begin(variables: &[(&str, &str)], more: &[&str]) -> Self {
        Self::begin_as("overlay", variables, more)
    }

    /// The same by another of the program's commands.
    fn begin_as(command: &str, variables: &[(&str, &str)], more: &[&str]) -> Self {
        let home = red_studio();
        let server = Server::new();
        let url = server.url();
        let mut arguments = vec![command, "--url", &url, "--stream", "s", "--catalog"];
        arguments.extend(["catalog.toml", "--json"]);
        arguments.extend(more);
        let overlay = Program::start(&arguments, home.path(), variables);
        let mut peer = server.accept();
        let init = peer.init();
        peer.ack(&[]);
        overlay.says("the stage is warm");
        Self {
            overlay,
            peer,
            client_type: format!("{:?}", init.client_type),
            _server: server,
            home,
        }
    }

    fn give(&mut self, id: &str) {
        let gift = Gift::one(id, "block", Sender::named("user-1", "Zoë"));
        self.peer.send(&ServerMessage::Gift(gift));
    }

    /// Runs `hyperfocus overlay --send` and returns what it was answered.
    fn send(&self, word: &str, variables: &[(&str, &str)]) -> String {
        let ran = send(self.home.path(), word, variables);
        assert!(
            ran.status.success(),
            "{word}: {ran:?}\n{}",
            self.overlay.log()
        );
        String::from_utf8(ran.stdout).expect("text")
    }
}

/// A script has to know that nothing was done.
#[test]
fn a_wish_that_is_not_fulfilled_ends_with_an_error() {
    let home = folder();
    let socket = home.path().join("hyperfocus-overlay-main.sock");
    let listener = UnixListener::bind(socket).expect("a socket");
    let runtime = home.path().to_str().expect("text");
    for (answer, said) in [
        ("!the overlay is busy; try again\n", "try again"),
        ("", "ended meanwhile"),
    ] {
        let listener = listener.try_clone().expect("the same socket");
        let overlay = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("somebody who asks");
            let mut word = String::new();
            BufReader::new(&stream)
                .read_line(&mut word)
                .expect("a word");
            (&stream).write_all(answer.as_bytes()).expect("they listen");
            word
        });
        let ran = send(home.path(), "hide", &[("XDG_RUNTIME_DIR", runtime)]);
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        assert!(ran.stdout.is_empty(), "{ran:?}");
        let error = String::from_utf8_lossy(&ran.stderr);
        assert!(error.contains(said), "{error}");
        assert_eq!(overlay.join().expect("an answer"), "hide\n");
    }
}

fn send(home: &Path, word: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hyperfocus"))
        .args(["overlay", "--send", word])
        .env("HOME", home)
        .envs(variables.iter().copied())
        .output()
        .expect("the program was built")
}
