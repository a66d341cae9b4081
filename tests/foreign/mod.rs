//! A backend that somebody else's library speaks for: `server.py`, written with
//! Python's `websockets`.

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
        let Some(python) = python() else {
            eprintln!(
                "SKIPPED: no Python with the package `websockets` (13 or newer); `make test` \
                 brings one, or name it in HYPERFOCUS_TEST_PYTHON"
            );
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/server.py");
        let mut process = Command::new(python)
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

/// A Python that has `websockets`: `HYPERFOCUS_TEST_PYTHON`, or `python3`.
fn python() -> Option<String> {
    let named = std::env::var("HYPERFOCUS_TEST_PYTHON");
    let python = named.clone().unwrap_or_else(|_| "python3".to_owned());
    let asked = Command::new(&python)
        .args(["-c", "import websockets.asyncio.server"])
        .stderr(Stdio::null())
        .status();
    let has_it = asked.is_ok_and(|status| status.success());
    assert!(
        has_it || named.is_err(),
        "{python} has no websockets; run make setup"
    );
    has_it.then_some(python)
}
