//! Whole sessions of the network thread over a real socket: with our own
//! backend, and with one that somebody else wrote.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hyperfocus::catalog::Catalog;
use hyperfocus::demo::{DemoServer, Script, ServerOptions};
use hyperfocus::model::{Gift, Outcome, Private, SessionConfig, Verdict};
use hyperfocus::net::{FromStage, Link, NetConfig, Waker, spawn};
use hyperfocus::protocol::ClientType;
use hyperfocus::session::{SessionSettings, ToStage};

/// Longer than anything here takes, so that a fault fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// The network thread with a stage that plays every gift at once.
struct Client {
    link: Link,
    bell: crossbeam_channel::Receiver<()>,
}

impl Client {
    fn join(url: String, token: &str) -> Self {
        let (ring, bell) = crossbeam_channel::bounded(1);
        let waker = Waker::default();
        waker.set(move || {
            let _ = ring.try_send(());
        });
        let link = spawn(NetConfig {
            url,
            token: Some(Private(token.to_owned())),
            ca_file: None,
            session: SessionSettings::new("stream", "client", ClientType::Host),
            waker,
        })
        .unwrap();
        Self { link, bell }
    }

    /// Plays until `count` gifts were played; gives them back in order.
    fn play(&self, count: usize) -> Vec<Gift> {
        let mut played = Vec::new();
        while played.len() < count {
            for message in self.link.drain() {
                if let ToStage::Gift(gift) = message {
                    let outcome = Outcome {
                        gift: gift.id.clone(),
                        combo_count: gift.combo_count,
                        quantity: gift.quantity,
                        verdict: Verdict::Played,
                    };
                    self.link.send(FromStage::Outcome(outcome)).unwrap();
                    played.push(*gift);
                }
            }
            if played.len() < count {
                self.bell.recv_timeout(PATIENCE).expect("more gifts come");
            }
        }
        played
    }
}

#[test]
fn our_own_backend_gets_each_ack_exactly_once() {
    const GIFTS: usize = 2_000;
    let catalog = r##"
        lanes = { feature = 100.0, headline = 1000.0 }
        [fallback]
        name = "Gift"
        kind = "particle"
        seconds = 2.0
        accents = ["#FFFFFF", "#FFD700"]
    "##;
    let catalog = Catalog::parse(catalog, Path::new("catalog.toml")).unwrap();
    let options = ServerOptions {
        token: Some(Private("open-sesame".into())),
        session: SessionConfig {
            ping_interval: Duration::from_secs(1),
            ..SessionConfig::default()
        },
        ..ServerOptions::default()
    };
    let script = Script::flood(&catalog, GIFTS, Duration::ZERO);
    let server = DemoServer::start(script, options).unwrap();
    let client = Client::join(server.url(), "open-sesame");
    client.play(GIFTS);
    client.link.shutdown();
    let report = server.stop();
    assert!(report.is_exactly_once(), "{report:?}");
    assert_eq!((report.sent, report.rendered), (GIFTS as u64, GIFTS as u64));
    assert_eq!((report.connections, report.malformed), (1, 0));
    assert!(report.pongs > 0 && report.errors.is_empty(), "{report:?}");
}

/// `foreign_server.py`, written with Python's `websockets`; ended with the test.
struct Foreign {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Foreign {
    /// Starts it; `None` where its library is not installed, said aloud.
    fn start(token: &str) -> Option<Self> {
        let python = std::env::var("HYPERFOCUS_TEST_PYTHON").unwrap_or("python3".to_owned());
        let installed = Command::new(&python)
            .args(["-c", "import websockets"])
            .stderr(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            let wanted = std::env::var_os("HYPERFOCUS_TEST_PYTHON").is_some();
            assert!(!wanted, "{python} has no websockets; run make setup");
            eprintln!("skipped: {python} has no websockets; `make test` brings it");
            return None;
        }
        let mut process = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/net/foreign_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(process.stdin.take().unwrap(), "{token}").unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Some(Self { process, lines })
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line from the server").unwrap()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_foreign_backend_runs_a_whole_session() {
    let Some(mut server) = Foreign::start("open-sesame") else {
        return;
    };
    let url = server.line();
    let client = Client::join(url, "open-sesame");
    let gifts = client.play(7);
    let combos: Vec<_> = gifts.iter().map(|gift| gift.combo_count).collect();
    assert_eq!(combos, [0, 1, 2, 3, 3, 0, 0]);
    // The server closes once it has every ack, and tells what it saw.
    let account: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    client.link.shutdown();
    assert_eq!(account["problems"], serde_json::json!([]), "{account}");
    assert_eq!(account["acks"], 7);
    assert_eq!(account["pongs"], account["pings"]);
    assert_eq!(account["subprotocol"], "hyperfocus-protocol-v1");
}
