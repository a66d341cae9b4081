//! A backend that somebody else's library speaks for: `server.py`, written with
//! Python's `websockets`.

mod python;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// What the server wants to be shown.
pub const TOKEN: &str = "s3cret";

/// The server's process; ended with the test, however that ends.
pub struct Foreign {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub url: String,
}

impl Foreign {
    /// Starts it, to wait at most `patience` seconds for each message; `None`,
    /// said aloud, where no Python has the library.
    pub fn start(patience: u32) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/server.py");
        let mut process = Command::new(python::python()?)
            .args([script, "--token", TOKEN])
            .args(["--patience", &patience.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it has just been run");
        let stdout = process.stdout.take().expect("piped");
        let mut server = Self {
            process,
            lines: BufReader::new(stdout).lines(),
            url: String::new(),
        };
        server.url = format!("ws://127.0.0.1:{}/ws", server.line());
        Some(server)
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }

    /// Its account of the session, once that is over.
    pub fn account(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.line()).expect("its account")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("our own child")
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
