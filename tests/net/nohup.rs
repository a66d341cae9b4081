//! Programs that are to outlive the terminal they were started from.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that a test has started, until the test ends.
struct Running(Child);

impl Running {
    /// Starts it as from a terminal that it is to outlive.
    fn without_hangups(arguments: &[&str], folder: &Path) -> Self {
        let child = Command::new("nohup")
            .arg(env!("CARGO_BIN_EXE_hyperfocus"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// Whether a hangup would do nothing to it.
    fn ignores_hangups(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // The first of the signals.
        u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap() & 1 == 1
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_nohup_starts_outlives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws", backend.local_addr().unwrap());
    let run = ["run", "--headless", "--url", &url, "--stream", "s"];
    let run = Running::without_hangups(&run, folder.path());
    // It listens to signals before it joins.
    backend.accept().unwrap();
    assert!(run.ignores_hangups());
    drop(run);

    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"];
    let mut serve = Running::without_hangups(&serve, folder.path());
    let mut said = BufReader::new(serve.0.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    assert!(serve.ignores_hangups());
}
