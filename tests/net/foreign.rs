use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hyperfocus::session::ToStage;

use crate::stage::Stage;

/// The server's process; ended with the test, however that ends.
struct Foreign(Child);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Python that has `websockets`: `HYPERFOCUS_TEST_PYTHON`, or `python3`.
fn python() -> Option<String> {
    let python = std::env::var("HYPERFOCUS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_it = Command::new(&python)
        .args(["-c", "import websockets.asyncio.server"])
        .stderr(Stdio::null())
        .status();
    has_it
        .is_ok_and(|status| status.success())
        .then_some(python)
}

#[test]
fn a_server_in_another_language_sees_a_whole_session() {
    let Some(python) = python() else {
        eprintln!(
            "SKIPPED: no Python with the package `websockets` (13 or newer); \
             name one in HYPERFOCUS_TEST_PYTHON"
        );
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/server.py");
    let spawned = Command::new(python)
        .args([script, "--token", "s3cret", "--patience", "20"])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Foreign(spawned.expect("it has just been run"));
    let stdout = server.0.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let mut line = || lines.next().expect("a line").expect("text");

    let stage = Stage::start(&format!("ws://127.0.0.1:{}/ws", line()));
    let status = loop {
        for message in stage.link.drain() {
            if let ToStage::Gift(gift) = message {
                stage.play(&gift);
            }
        }
        if let Some(status) = server.0.try_wait().expect("our own child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let summary = line();
    assert!(status.success(), "{summary}");
    assert!(summary.contains(r#""ok": true"#), "{summary}");
    assert!(summary.contains(r#""connections": 2"#), "{summary}");
}
