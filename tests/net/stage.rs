//! The stage's side of a link, for tests: it waits to be woken, not for time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use hyperfocus::model::{Gift, GiftId, Outcome, Private, Verdict};
use hyperfocus::net::{FromStage, Link, NetConfig, NetError, Waker, spawn};
use hyperfocus::protocol::ClientType;
use hyperfocus::session::{ConnectionState, Problem, SessionSettings, Timing, ToStage};

/// Nothing here takes this long unless it hangs; the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[expect(
    clippy::disallowed_methods,
    reason = "tests with real sockets own a clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// A renderer without pictures.
pub struct Stage {
    pub link: Link,
    woken: Receiver<()>,
    /// Everything received so far, and not yet waited for.
    inbox: Vec<ToStage>,
}

/// Settings whose reconnects take milliseconds.
pub fn settings() -> SessionSettings {
    let mut settings = SessionSettings::new("stream-1", "client-1", ClientType::Host);
    settings.timing = Timing {
        backoff_first: Duration::from_millis(5),
        backoff_cap: Duration::from_millis(20),
        ..Timing::default()
    };
    settings
}

pub fn config(url: &str) -> NetConfig {
    NetConfig {
        url: url.to_owned(),
        token: Some(Private("s3cret".to_owned())),
        ca_file: None,
        session: settings(),
        waker: Waker::default(),
        keep: None,
    }
}

impl Stage {
    pub fn start(url: &str) -> Self {
        Self::with(config(url))
    }

    pub fn with(config: NetConfig) -> Self {
        Self::try_with(config).expect("the configuration is sound")
    }

    pub fn try_with(config: NetConfig) -> Result<Self, NetError> {
        let (wake, woken) = sync_channel(1);
        config.waker.set(move || {
            let _ = wake.try_send(());
        });
        Ok(Self {
            link: spawn(config)?,
            woken,
            inbox: Vec::new(),
        })
    }

    /// Waits for the first message that `pick` takes; what came before it
    /// stays for later.
    pub fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(&ToStage) -> Option<T>) -> T {
        let deadline = now() + PATIENCE;
        let mut looked_at = 0;
        loop {
            self.inbox.extend(self.link.drain());
            while looked_at < self.inbox.len() {
                if let Some(found) = pick(&self.inbox[looked_at]) {
                    self.inbox.remove(looked_at);
                    return found;
                }
                looked_at += 1;
            }
            match self.woken.recv_timeout(deadline - now()) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {what}; got {:?}", self.inbox),
                // The thread has ended; what it sent last is in the channel.
                Err(RecvTimeoutError::Disconnected) if self.link.is_finished() => {
                    self.inbox.extend(self.link.drain());
                    assert!(looked_at < self.inbox.len(), "no {what} before the end");
                }
                Err(RecvTimeoutError::Disconnected) => std::thread::yield_now(),
            }
        }
    }

    pub fn gift(&mut self) -> Gift {
        self.wait("gift", |message| match message {
            ToStage::Gift(gift) => Some((**gift).clone()),
            _ => None,
        })
    }

    pub fn online(&mut self) {
        self.wait("connection", |message| {
            (*message == ToStage::Connection(ConnectionState::Online)).then_some(())
        });
    }

    /// The next problem that the user is told of.
    pub fn problem(&mut self) -> Problem {
        self.wait("problem", |message| match message {
            ToStage::Connection(
                ConnectionState::Offline { problem, .. } | ConnectionState::Stopped(Some(problem)),
            ) => Some(problem.clone()),
            _ => None,
        })
    }

    /// The problem that ended the session.
    pub fn stopped(&mut self) -> Problem {
        self.wait("end", |message| match message {
            ToStage::Connection(ConnectionState::Stopped(Some(problem))) => Some(problem.clone()),
            _ => None,
        })
    }

    pub fn decide(&self, gift: &Gift, verdict: Verdict) {
        let outcome = Outcome::of(gift, verdict);
        let sent = self.link.send(FromStage::Outcome(outcome));
        sent.expect("the network thread listens");
    }

    pub fn play(&self, gift: &Gift) {
        self.decide(gift, Verdict::Played);
    }

    /// Gifts that arrived and were not waited for.
    pub fn unexpected_gifts(&mut self) -> Vec<GiftId> {
        self.inbox.extend(self.link.drain());
        let gifts = self.inbox.iter().filter_map(|message| match message {
            ToStage::Gift(gift) => Some(Arc::clone(&gift.id)),
            _ => None,
        });
        gifts.collect()
    }
}
