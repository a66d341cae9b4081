//! The engine's own client, with a stage that plays every gift at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use hyperfocus::model::{Outcome, Private, Verdict};
use hyperfocus::net::{FromStage, Link, NetConfig, Waker, spawn};
use hyperfocus::protocol::ClientType;
use hyperfocus::session::{SessionSettings, Timing, ToStage};

use crate::house::{PATIENCE, now};

pub struct Renderer {
    pub link: Link,
    bell: Receiver<()>,
    /// How often each gift was drawn.
    pub drawn: BTreeMap<String, u32>,
    /// In the order in which they came.
    pub order: Vec<String>,
    /// Everything that is no gift.
    pub told: Vec<ToStage>,
}

impl Renderer {
    pub fn join(url: &str, token: &str, client: &str, role: ClientType) -> Self {
        Self::trusting(url, token, client, role, None)
    }

    /// `authority` is the certificate of who vouches for the relay.
    pub fn trusting(
        url: &str,
        token: &str,
        client: &str,
        role: ClientType,
        authority: Option<PathBuf>,
    ) -> Self {
        let (ring, bell) = sync_channel(1);
        let waker = Waker::default();
        waker.set(move || {
            let _ = ring.try_send(());
        });
        let mut session = SessionSettings::new("main", client, role);
        session.timing = Timing {
            backoff_first: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(50),
            ..Timing::default()
        };
        let link = spawn(NetConfig {
            url: url.to_owned(),
            token: Some(Private(token.to_owned())),
            ca_file: authority,
            session,
            waker,
            keep: None,
        });
        Self {
            link: link.expect("the configuration is sound"),
            bell,
            drawn: BTreeMap::new(),
            order: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Plays what has come.
    pub fn play(&mut self) {
        for message in self.link.drain() {
            let ToStage::Gift(gift) = message else {
                self.told.push(message);
                continue;
            };
            *self.drawn.entry(gift.id.to_string()).or_default() += 1;
            self.order.push(gift.id.to_string());
            let mut outcome = FromStage::Outcome(Outcome::of(&gift, Verdict::Played));
            while let Err(full) = self.link.send(outcome) {
                outcome = full;
                std::thread::yield_now();
            }
        }
    }

    /// Plays until it holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = now() + PATIENCE;
        loop {
            self.play();
            if holds(self) {
                return;
            }
            let last = self.told.last();
            assert!(now() < deadline, "no {what}; told last {last:?}");
            let _ = self.bell.recv_timeout(Duration::from_millis(50));
        }
    }
}
