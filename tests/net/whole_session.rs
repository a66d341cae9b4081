//! Whole sessions of the network thread over a real socket, with our own
//! backend; `foreign.rs` has one that somebody else wrote.

use std::path::Path;
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
            keep: None,
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
                    let outcome = Outcome::of(&gift, Verdict::Played);
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
