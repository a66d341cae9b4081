//! A virtual X display, whose number the server chooses itself.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::Process;

pub(super) struct Display {
    name: String,
    _server: Process,
}

impl Display {
    pub(super) fn start() -> Self {
        let mut server = Process::start(
            "Xvfb",
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "800x600x24"])
                .args(["-nolisten", "tcp", "-noreset"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut number = String::new();
        let said = server.child().stdout.take().unwrap();
        // Said once the display can be used.
        BufReader::new(said).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb found no display");
        Self {
            name: format!(":{}", number.trim()),
            _server: server,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
