//! Our own RFC 6455 pings: they measure the round trip, and their pongs prove
//! that the peer has read what was written before them.

use std::time::Duration;

use super::Timing;
use crate::model::Moment;

/// At most one ping is in flight, because a peer may answer only the latest.
#[derive(Debug, Default)]
pub(super) struct Pinger {
    last_id: u64,
    in_flight: Option<InFlight>,
    last_sent: Option<Moment>,
    latency: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    id: u64,
    sent: Moment,
    /// Every ack numbered below this was written before the ping.
    covers: u64,
}

impl Pinger {
    /// When the next ping should go out: soon while written acks wait for
    /// their proof, rarely otherwise. A peer that never answers is asked again
    /// after a while; our pings alone do not decide that it is dead.
    pub fn due(&self, timing: &Timing, acks_unconfirmed: bool) -> Moment {
        let Some(last) = self.last_sent else {
            return Moment::ZERO;
        };
        let pause = if self.in_flight.is_some() {
            timing.ping_patience
        } else if acks_unconfirmed {
            timing.ping_for_acks
        } else {
            timing.ping_every
        };
        last + pause
    }

    /// Registers a ping that is written now; its payload.
    pub fn send(&mut self, now: Moment, covers: u64) -> [u8; 8] {
        self.last_id += 1;
        self.last_sent = Some(now);
        self.in_flight = Some(InFlight {
            id: self.last_id,
            sent: now,
            covers,
        });
        self.last_id.to_be_bytes()
    }

    /// Takes a pong; how far acks are now proven read. Unsolicited pongs and
    /// pongs of earlier pings prove nothing.
    pub fn pong(&mut self, payload: &[u8], now: Moment) -> Option<u64> {
        let ping = self
            .in_flight
            .filter(|ping| payload == ping.id.to_be_bytes())?;
        self.in_flight = None;
        self.latency = Some(now.saturating_sub(ping.sent));
        Some(ping.covers)
    }

    /// Last measured round trip in ms, 0 until measured.
    pub fn latency_ms(&self) -> f64 {
        self.latency.map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    }

    /// A new connection: what was in flight will not be answered.
    pub fn reset(&mut self) {
        self.in_flight = None;
        self.last_sent = None;
    }

    pub fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }
}
