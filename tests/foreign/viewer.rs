//! A viewer that somebody else's library speaks for: `viewer.py`, written with
//! Python's `websockets`.

mod python;

use std::io::Read;
use std::process::{Child, Command, Stdio};

/// The viewer's process; ended with the test, however that ends.
pub struct Viewer(Child);

impl Viewer {
    /// Starts it, to leave after so many gifts; `None`, said aloud, where no
    /// Python has the library.
    pub fn start(url: &str, token: &str, gifts: usize) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/viewer.py");
        let viewer = Command::new(python::python()?)
            .args([script, url, "--gifts", &gifts.to_string()])
            .env("TOKEN", token)
            .stdout(Stdio::piped())
            .spawn();
        Some(Self(viewer.expect("it has just been run")))
    }

    /// Waits for its end; its account of the session.
    pub fn account(&mut self) -> serde_json::Value {
        let mut account = String::new();
        let stdout = self.0.stdout.as_mut().expect("piped");
        stdout.read_to_string(&mut account).expect("text");
        serde_json::from_str(&account).expect("its account")
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
