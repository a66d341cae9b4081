//! A relay for a test: in this process, or as the program itself.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyperfocus::relay::{Relay, RelayError, RelayOptions, Renewal, Role};
use hyperfocus::tune::Judge;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use crate::foreign_nats::skip;
use crate::http::{Answer, Request};

const PROGRAM: &str = env!("CARGO_BIN_EXE_hyperfocus");

/// Nothing here takes this long unless it hangs; the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[expect(
    clippy::disallowed_methods,
    reason = "tests with real sockets own a clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Asks until it holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = now() + PATIENCE;
    while !holds() {
        assert!(now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn options(folder: &Path) -> RelayOptions {
    RelayOptions {
        address: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        data_dir: folder.to_owned(),
        nats: None,
        max_store_mib: None,
        start_clean: false,
        history: Duration::from_secs(3600),
        hosts: Vec::new(),
        origins: Vec::new(),
        sources: Vec::new(),
        ca_file: None,
        max_per_address: None,
        judge: Judge::shipped(),
    }
}

/// A relay in this process, with a folder of its own.
pub struct House {
    relay: Option<Relay>,
    options: RelayOptions,
    _folder: TempDir,
}

impl House {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut RelayOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        change(&mut options);
        Self {
            relay: Some(Relay::start(options.clone()).unwrap()),
            options,
            _folder: folder,
        }
    }

    pub fn stop(&mut self) {
        self.relay = None;
    }

    /// Stops and starts again, on the same files and the same port.
    pub fn restart(&mut self) {
        self.options.address = self.address();
        self.stop();
        // Meanwhile the system may give the port to whoever asks for any.
        until("its port is free again", || {
            match Relay::start(self.options.clone()) {
                Ok(relay) => self.relay = Some(relay),
                Err(RelayError::Listen { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            self.relay.is_some()
        });
    }

    fn relay(&self) -> &Relay {
        self.relay.as_ref().unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.relay().address()
    }

    pub fn url(&self) -> String {
        self.relay().url()
    }

    pub fn renew_certificate(&self) -> Renewal {
        self.relay().renew_certificate()
    }

    pub fn token(&self, role: Role) -> String {
        self.relay().tokens().secret(role).0.clone()
    }

    /// Its database, to put there what would take hours to come about.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.options.data_dir.join("relay.sqlite")).unwrap()
    }

    /// A request with a role's token.
    pub fn request(&self, role: Role, method: &str, path: &str) -> Request {
        Request::new(self.address(), method, path).bearer(&self.token(role))
    }

    /// Gives gifts to the stream "main".
    pub fn post(&self, gifts: &Value) -> Answer {
        let request = self.request(Role::Ingest, "POST", "/v1/streams/main/gifts");
        request.json(gifts).send()
    }

    pub fn give(&self, id: &str) {
        let answer = self.post(&gift(id));
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Ids of gifts in a state.
    pub fn listed(&self, state: &str) -> Vec<String> {
        let path = format!("/v1/streams/main/gifts?state={state}&limit=1000");
        let answer = self.request(Role::Host, "GET", &path).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        let gifts = answer.json()["gifts"].clone();
        let id = |gift: &Value| gift["giftId"].as_str().unwrap().to_owned();
        gifts.as_array().unwrap().iter().map(id).collect()
    }

    /// A figure of `/metrics`.
    pub fn figure(&self, name: &str) -> u64 {
        figure(self.address(), name)
    }
}

/// A figure of a relay's `/metrics`.
pub fn figure(address: SocketAddr, name: &str) -> u64 {
    let answer = Request::new(address, "GET", "/metrics").send();
    let start = format!("hyperfocus_relay_{name} ");
    let line = answer
        .body
        .lines()
        .find_map(|line| line.strip_prefix(&start));
    line.expect("it is there").parse().unwrap()
}

pub fn gift(id: &str) -> Value {
    json!({
        "giftId": id,
        "giftType": "rose",
        "quantity": 1,
        "totalValue": 10,
        "sender": { "userId": "ada", "username": "Ada" },
        "metadata": { "isStreak": false, "comboCount": 0, "rank": 1 },
    })
}

/// A command that gets none of this machine's settings: what is configured here or
/// stands in the environment would lead a test to sources and stores that are real.
pub fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    let settings = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("HYPERFOCUS_") || name.starts_with("XDG_")
    });
    for name in settings {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

/// The program, with nothing of this machine's settings.
pub fn program(home: &Path) -> Command {
    command(PROGRAM, home)
}

/// `hyperfocus serve`, until it is killed.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// `port` 0 takes a free one; `before` is what runs the program, if not the
    /// system itself.
    pub fn start(folder: &Path, port: u16, before: &[&str]) -> Self {
        Self::run(folder, port, before, &[])
    }

    /// With more arguments.
    pub fn start_with(folder: &Path, port: u16, arguments: &[&str]) -> Self {
        Self::run(folder, port, &[], arguments)
    }

    fn run(folder: &Path, port: u16, before: &[&str], arguments: &[&str]) -> Self {
        let words: Vec<&str> = before.iter().copied().chain([PROGRAM]).collect();
        let mut child = command(words[0], folder)
            .args(&words[1..])
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--data-dir")
            .arg(folder)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line
            .split("://")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            child,
            address: address.parse().unwrap(),
        }
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token that a process has made.
pub fn token(folder: &Path, role: Role) -> String {
    let path = folder.join(format!("{}.token", role.name()));
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}
