//! The relay killed a hundred times while gifts come in and go out, with the
//! engine's own client as the host.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::super::measure::{Limit, Row};
use super::fan_out::payload;
use super::row;
use super::served::{Http, PATIENCE, RelayProcess};
use crate::cli::Figure;
use crate::model::{GiftId, Outcome, Private, Verdict};
use crate::net::{FromStage, Link, NetConfig, Waker, spawn};
use crate::protocol::ClientType;
use crate::session::{SessionSettings, Timing, ToStage};

pub const LOST: Row = row(
    "relay.kills.lost",
    "gifts lost of those accepted, killed 100 times under load",
    "gifts",
    Limit::AtMost(0.0),
);

pub const TWICE: Row = row(
    "relay.kills.twice",
    "gifts drawn twice, or not settled, in the same",
    "gifts",
    Limit::AtMost(0.0),
);

const KILLS: u64 = 100;

/// Givers at once.
const GIVERS: usize = 4;

/// Gifts of one giver are numbered from here on.
const MOST_GIFTS: usize = 1_000_000;

pub fn measure() -> Result<Vec<Figure>> {
    let mut relay = RelayProcess::start()?;
    let (address, ingest) = (relay.address(), relay.token("ingest")?);
    let mut host = Host::join(address, relay.token("host")?)?;
    let stop = AtomicBool::new(false);
    let given: usize = std::thread::scope(|scope| {
        let givers: Vec<_> = (0..GIVERS)
            .map(|giver| {
                let (ingest, stop) = (&ingest, &stop);
                scope.spawn(move || give(address, ingest, giver, stop))
            })
            .collect();
        let killed = (0..KILLS).try_for_each(|round| {
            // Not in step with anything the relay does.
            host.play_for(Duration::from_millis(100 + round * 37 % 200));
            relay.restart()
        });
        stop.store(true, Ordering::Relaxed);
        let given = givers
            .into_iter()
            .map(|giver| giver.join().unwrap_or(0))
            .sum();
        killed.map(|()| given)
    })?;
    let end = Instant::now() + PATIENCE;
    let mut http = Http::connect(address, &relay.token("host")?)?;
    while host.drawn.len() < given || unsettled(&mut http)? > 0 {
        host.play_for(Duration::from_millis(100));
        if Instant::now() > end {
            break;
        }
    }
    ensure!(given > KILLS as usize, "{given} gifts are no load");
    eprintln!("  {KILLS} kills, {given} gifts");
    let lost = given.saturating_sub(host.drawn.len());
    let twice = host.drawn.values().filter(|times| **times > 1).count() + unsettled(&mut http)?;
    Ok(vec![
        LOST.worst(vec![lost as f64]),
        TWICE.worst(vec![twice as f64]),
    ])
}

fn unsettled(http: &mut Http) -> Result<usize> {
    match http.ask("GET", "gifts?state=unacked&limit=1000", "")? {
        (200, body) => {
            let page: Value = serde_json::from_str(&body)?;
            Ok(page["gifts"].as_array().map_or(0, Vec::len))
        }
        (status, body) => bail!("{status}: {body}"),
    }
}

/// Gives gifts until told to stop, each until it is accepted. Returns how many.
fn give(address: SocketAddr, token: &str, giver: usize, stop: &AtomicBool) -> usize {
    let mut given = 0;
    while !stop.load(Ordering::Relaxed) {
        let gift = payload(giver * MOST_GIFTS + given);
        let mut http = None;
        while !is_accepted(&mut http, address, token, &gift) {
            http = None;
            std::thread::sleep(Duration::from_millis(2));
        }
        given += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    given
}

/// Also when the answer to an earlier try was lost with the process.
fn is_accepted(http: &mut Option<Http>, address: SocketAddr, token: &str, gift: &str) -> bool {
    if http.is_none() {
        *http = Http::connect(address, token).ok();
    }
    let answer = http.as_mut().map(|http| http.ask("POST", "gifts", gift));
    matches!(answer, Some(Ok((200 | 201, _))))
}

/// The engine's own client, with a stage that plays every gift at once.
struct Host {
    link: Link,
    bell: Receiver<()>,
    /// How often each gift was drawn.
    drawn: HashMap<GiftId, u32>,
}

impl Host {
    fn join(address: SocketAddr, token: String) -> Result<Self> {
        let (ring, bell) = sync_channel(1);
        let waker = Waker::default();
        waker.set(move || {
            let _ = ring.try_send(());
        });
        let mut session = SessionSettings::new("main", "h", ClientType::Host);
        session.timing = Timing {
            backoff_first: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(50),
            ..Timing::default()
        };
        let link = spawn(NetConfig {
            url: format!("ws://{address}/ws"),
            token: Some(Private(token)),
            ca_file: None,
            session,
            waker,
            keep: None,
        })?;
        Ok(Self {
            link,
            bell,
            drawn: HashMap::new(),
        })
    }

    fn play_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            for message in self.link.drain() {
                if let ToStage::Gift(gift) = message {
                    *self.drawn.entry(gift.id.clone()).or_default() += 1;
                    let mut outcome = FromStage::Outcome(Outcome::of(&gift, Verdict::Played));
                    while let Err(full) = self.link.send(outcome) {
                        outcome = full;
                        std::thread::yield_now();
                    }
                }
            }
            let _ = self.bell.recv_timeout(Duration::from_millis(5));
        }
    }
}
