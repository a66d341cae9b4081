//! The backend's account: what was sent, what came back, and after how long.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::model::{GiftId, Moment};
use crate::protocol::GiftAck;

/// Most error codes that are told apart; the contract names a handful. Further
/// ones count as "other".
const MAX_CODES: usize = 32;

/// Most unanswered pings that are remembered, two minutes at one a second. The
/// oldest is then given up as unanswered.
const MAX_PINGS: usize = 120;

/// Most delays that are kept for the percentiles, hours of pings. Later ones
/// are counted and not measured.
const MAX_DELAYS: usize = 10_000;

/// What a backend saw of a renderer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Handshakes that led to a `connection:init`.
    pub connections: u32,
    /// Upgrades refused for a wrong or missing token.
    pub unauthorised: u32,
    /// Gifts that went out at least once.
    pub sent: u64,
    /// Sendings beyond the first, after a reconnect.
    pub resent: u64,
    /// Gifts with at least one ack.
    pub acked: u64,
    /// Of these, with `rendered:true`.
    pub rendered: u64,
    /// Of these, with `rendered:false`, by their `error`.
    pub refused: BTreeMap<String, u64>,
    /// Acks beyond one for each sending.
    pub acked_twice: u64,
    /// Acks for gifts that were never sent.
    pub acked_unknown: u64,
    /// From a gift's last sending to its first ack.
    pub ack_delay: Spread,
    pub pings: u64,
    pub pongs: u64,
    pub pong_delay: Spread,
    /// `error` messages from the renderer, by code.
    pub errors: BTreeMap<String, u64>,
    /// Messages that were not the contract's.
    pub malformed: u64,
}

impl Report {
    /// Gifts that went out and were not acked.
    pub fn unacked(&self) -> u64 {
        self.sent - self.acked
    }

    /// Every gift that went out was acked, none more than once a sending, and
    /// nothing else was.
    pub fn is_exactly_once(&self) -> bool {
        self.unacked() == 0 && self.acked_twice == 0 && self.acked_unknown == 0
    }
}

/// How measured durations spread; zero when there were none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    pub p50: Duration,
    pub p95: Duration,
    pub max: Duration,
}

impl Spread {
    /// Percentiles by nearest rank.
    pub fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let at = |share: f64| {
            let rank = (share * samples.len() as f64).ceil() as usize;
            samples
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Self {
            p50: at(0.50),
            p95: at(0.95),
            max: at(1.0),
        }
    }
}

/// Keeps the account; one entry for each gift of the script, which is bounded.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    gifts: HashMap<GiftId, Entry>,
    pings: BTreeMap<u64, Moment>,
    pong_delays: Vec<Duration>,
    report: Report,
}

#[derive(Debug)]
struct Entry {
    sent_at: Moment,
    sendings: u32,
    acks: u32,
    first_ack_after: Option<Duration>,
}

impl Ledger {
    pub fn joined(&mut self) {
        self.report.connections += 1;
        // Nobody answers a ping of an earlier connection.
        self.pings.clear();
    }

    pub fn refused_connection(&mut self) {
        self.report.unauthorised += 1;
    }

    pub fn malformed(&mut self) {
        self.report.malformed += 1;
    }

    pub fn sent(&mut self, gift: &GiftId, now: Moment) {
        if let Some(entry) = self.gifts.get_mut(gift) {
            entry.sent_at = now;
            entry.sendings += 1;
            self.report.resent += 1;
            return;
        }
        let entry = Entry {
            sent_at: now,
            sendings: 1,
            acks: 0,
            first_ack_after: None,
        };
        self.gifts.insert(gift.clone(), entry);
        self.report.sent += 1;
    }

    pub fn is_acked(&self, gift: &GiftId) -> bool {
        self.gifts.get(gift).is_some_and(|entry| entry.acks > 0)
    }

    pub fn acked(&mut self, ack: &GiftAck, now: Moment) {
        let Some(entry) = self.gifts.get_mut(&ack.gift_id) else {
            self.report.acked_unknown += 1;
            return;
        };
        entry.acks += 1;
        if entry.acks > entry.sendings {
            self.report.acked_twice += 1;
        }
        if entry.acks > 1 {
            return;
        }
        entry.first_ack_after = Some(now.saturating_sub(entry.sent_at));
        self.report.acked += 1;
        if ack.rendered {
            self.report.rendered += 1;
        } else {
            count(
                &mut self.report.refused,
                ack.error.as_deref().unwrap_or("no reason"),
            );
        }
    }

    pub fn pinged(&mut self, sequence: u64, now: Moment) {
        self.report.pings += 1;
        self.pings.insert(sequence, now);
        if self.pings.len() > MAX_PINGS {
            self.pings.pop_first();
        }
    }

    pub fn ponged(&mut self, sequence: u64, now: Moment) {
        if let Some(sent_at) = self.pings.remove(&sequence) {
            self.report.pongs += 1;
            if self.pong_delays.len() < MAX_DELAYS {
                self.pong_delays.push(now.saturating_sub(sent_at));
            }
        }
    }

    pub fn errored(&mut self, code: &str) {
        count(&mut self.report.errors, code);
    }

    pub fn report(&self) -> Report {
        let acks = self
            .gifts
            .values()
            .filter_map(|entry| entry.first_ack_after);
        Report {
            ack_delay: Spread::of(acks.collect()),
            pong_delay: Spread::of(self.pong_delays.clone()),
            ..self.report.clone()
        }
    }
}

fn count(codes: &mut BTreeMap<String, u64>, code: &str) {
    let known = codes.contains_key(code) || codes.len() < MAX_CODES;
    *codes
        .entry(if known { code } else { "other" }.to_owned())
        .or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(id: &str, error: Option<&str>) -> GiftAck {
        GiftAck {
            gift_id: id.into(),
            received_at: crate::model::WallTime::UNIX_EPOCH,
            rendered: error.is_none(),
            error: error.map(Into::into),
        }
    }

    fn ms(ms: u64) -> Moment {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_ack_for_each_gift_is_exactly_once() {
        let mut ledger = Ledger::default();
        ledger.sent(&"a".into(), ms(0));
        ledger.sent(&"b".into(), ms(10));
        ledger.acked(&ack("a", None), ms(5));
        assert_eq!(ledger.report().unacked(), 1);
        assert!(!ledger.report().is_exactly_once());
        ledger.acked(&ack("b", Some("OVERLOADED")), ms(40));
        let report = ledger.report();
        assert!(report.is_exactly_once());
        assert_eq!((report.rendered, report.refused["OVERLOADED"]), (1, 1));
        assert_eq!(
            (report.ack_delay.p50, report.ack_delay.max),
            (ms(5), ms(30))
        );
    }

    #[test]
    fn a_second_ack_is_seen_unless_the_gift_was_sent_again() {
        let mut ledger = Ledger::default();
        ledger.sent(&"a".into(), ms(0));
        ledger.acked(&ack("a", None), ms(1));
        ledger.sent(&"a".into(), ms(2));
        ledger.acked(&ack("a", None), ms(3));
        assert!(ledger.report().is_exactly_once());
        ledger.acked(&ack("a", None), ms(4));
        assert_eq!(ledger.report().acked_twice, 1);
        assert!(!ledger.report().is_exactly_once());
    }

    #[test]
    fn an_ack_for_nothing_is_seen() {
        let mut ledger = Ledger::default();
        ledger.acked(&ack("ghost", None), ms(0));
        assert_eq!(ledger.report().acked_unknown, 1);
        assert!(!ledger.report().is_exactly_once());
    }

    #[test]
    fn a_pong_is_counted_once_and_only_for_a_ping() {
        let mut ledger = Ledger::default();
        ledger.pinged(1, ms(0));
        ledger.ponged(1, ms(7));
        ledger.ponged(1, ms(8));
        ledger.ponged(2, ms(9));
        let report = ledger.report();
        assert_eq!(
            (report.pings, report.pongs, report.pong_delay.max),
            (1, 1, ms(7))
        );
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let spread = Spread::of((1..=100).map(ms).collect());
        assert_eq!(
            (spread.p50, spread.p95, spread.max),
            (ms(50), ms(95), ms(100))
        );
        assert_eq!(Spread::of(vec![ms(3)]).p50, ms(3));
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }

    #[test]
    fn endless_error_codes_take_bounded_room() {
        let mut ledger = Ledger::default();
        for number in 0..1000 {
            ledger.errored(&format!("E{number}"));
        }
        let errors = ledger.report().errors;
        assert_eq!(errors.len(), MAX_CODES + 1);
        assert_eq!(errors.values().sum::<u64>(), 1000);
    }
}
