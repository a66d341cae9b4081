//! What is counted besides the hubs' own tallies, and how Prometheus reads it
//! all. Totals only: names of streams and clients are nobody's business there.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::channel::Sum;

/// Counters of the whole relay.
#[derive(Debug, Default)]
pub(super) struct Figures {
    accepted: AtomicU64,
    repeated: AtomicU64,
    conflicts: AtomicU64,
    malformed: AtomicU64,
    unauthorised: AtomicU64,
    rate_limited: AtomicU64,
    turned_away: AtomicU64,
    not_taken_in: AtomicU64,
}

impl Figures {
    pub fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub fn repeated(&self) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
    }

    pub fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    pub fn malformed(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn unauthorised(&self) {
        self.unauthorised.fetch_add(1, Ordering::Relaxed);
    }

    pub fn rate_limited(&self) {
        self.rate_limited.fetch_add(1, Ordering::Relaxed);
    }

    pub fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    pub fn not_taken_in(&self) {
        self.not_taken_in.fetch_add(1, Ordering::Relaxed);
    }

    /// Prometheus' text format.
    pub fn text(&self, sum: &Sum, is_ready: bool) -> String {
        let tally = &sum.tally;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::with_capacity(4096);
        let gauges = [
            ("ready", "Whether the store works", u64::from(is_ready)),
            ("streams", "Streams that are known", sum.streams as u64),
            ("hosts", "Connected hosts", sum.hosts as u64),
            ("viewers", "Connected viewers", sum.viewers as u64),
            (
                "unsettled_gifts",
                "Gifts that no host has settled",
                sum.unsettled as u64,
            ),
        ];
        let counters = [
            ("gifts_accepted", "Gifts accepted", read(&self.accepted)),
            (
                "gifts_repeated",
                "Gifts offered again",
                read(&self.repeated),
            ),
            (
                "gifts_conflicting",
                "Gifts whose id was another's",
                read(&self.conflicts),
            ),
            (
                "gifts_delivered",
                "Gifts sent to connections",
                tally.delivered,
            ),
            (
                "gifts_resent",
                "Of these, sent again to hosts",
                tally.resent,
            ),
            (
                "gifts_skipped",
                "Gifts that viewers were too slow for",
                tally.skipped,
            ),
            (
                "gifts_rendered",
                "Gifts that a host rendered",
                tally.rendered,
            ),
            (
                "gifts_failed",
                "Gifts that no host could render",
                tally.failed,
            ),
            (
                "gifts_parked",
                "Gifts that were sent often enough",
                tally.parked,
            ),
            (
                "acks_stray",
                "Acks for gifts that were settled or unknown",
                tally.stray_acks,
            ),
            (
                "messages_malformed",
                "Messages that could not be read",
                read(&self.malformed),
            ),
            (
                "requests_unauthorised",
                "Wrong or missing tokens",
                read(&self.unauthorised),
            ),
            (
                "requests_limited",
                "Requests over the rate",
                read(&self.rate_limited),
            ),
            (
                "connections_refused",
                "Connections beyond the bound",
                read(&self.turned_away),
            ),
            (
                "accept_failures",
                "Times that the system let no connection be taken in",
                read(&self.not_taken_in),
            ),
        ];
        for (name, help, value) in gauges {
            metric(&mut text, name, "gauge", help, value);
        }
        for (name, help, value) in counters {
            metric(&mut text, &format!("{name}_total"), "counter", help, value);
        }
        text
    }
}

fn metric(text: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    let name = format!("hyperfocus_relay_{name}");
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# HELP {name} {help}.\n# TYPE {name} {kind}\n{name} {value}\n"
    );
}
