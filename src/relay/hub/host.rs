//! What one host connection was sent and has not acknowledged.

use std::collections::{BTreeSet, HashMap};

use super::{FIRST_PATIENCE, MAX_RESENDS, Serial};
use crate::model::Moment;

pub(super) struct Host {
    joined_after: Serial,
    /// The last gift it was sent for the first time.
    after: Serial,
    owed: HashMap<Serial, Delivery>,
    /// When each is sent again.
    due: BTreeSet<(Moment, Serial)>,
    told_slow: bool,
}

/// A gift that the host owes an ack for.
enum Delivery {
    /// Sent, and sent again at `due`.
    Sent { due: Moment, resends: u32 },
    /// The host has it and lets it wait.
    Held,
    /// Sent as often as makes sense.
    GivenUp,
}

impl Host {
    pub fn joining_after(serial: Serial) -> Self {
        Self {
            joined_after: serial,
            after: 0,
            owed: HashMap::new(),
            due: BTreeSet::new(),
            told_slow: false,
        }
    }

    pub fn joined_after(&self) -> Serial {
        self.joined_after
    }

    pub fn after(&self) -> Serial {
        self.after
    }

    pub fn owed(&self) -> usize {
        self.owed.len()
    }

    pub fn gave_up(&self, serial: Serial) -> bool {
        matches!(self.owed.get(&serial), Some(Delivery::GivenUp))
    }

    /// A gift goes out for the first time. One that is settled already is
    /// shown and not owed.
    pub fn send(&mut self, serial: Serial, now: Moment, is_open: bool) {
        self.after = serial;
        self.told_slow = false;
        if is_open {
            let due = now + FIRST_PATIENCE;
            self.due.insert((due, serial));
            self.owed.insert(serial, Delivery::Sent { due, resends: 0 });
        }
    }

    /// A gift whose patience is over; it is due no more until it is sent again.
    pub fn pop_due(&mut self, now: Moment) -> Option<Serial> {
        let first = *self.due.first()?;
        (first.0 <= now).then(|| {
            self.due.remove(&first);
            first.1
        })
    }

    pub fn next_due(&self) -> Option<Moment> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Counts one more sending of a gift that was due; false when it was sent
    /// often enough.
    pub fn send_again(&mut self, serial: Serial, now: Moment) -> bool {
        let Some(Delivery::Sent { resends, .. }) = self.owed.get(&serial) else {
            return false;
        };
        let resends = resends + 1;
        if resends > MAX_RESENDS {
            self.owed.insert(serial, Delivery::GivenUp);
            return false;
        }
        let due = now + FIRST_PATIENCE * 2_u32.pow(resends);
        self.due.insert((due, serial));
        self.owed.insert(serial, Delivery::Sent { due, resends });
        true
    }

    pub fn holds(&mut self, serial: Serial) {
        self.forget(serial);
        self.owed.insert(serial, Delivery::Held);
    }

    pub fn forget(&mut self, serial: Serial) {
        if let Some(Delivery::Sent { due, .. }) = self.owed.remove(&serial) {
            self.due.remove(&(due, serial));
        }
    }

    /// Whether it was told that it is, and was sent nothing since.
    pub fn is_slow(&self) -> bool {
        self.told_slow
    }

    /// True once, until it is sent a gift again.
    pub fn is_told_first_time(&mut self) -> bool {
        !std::mem::replace(&mut self.told_slow, true)
    }

    #[cfg(test)]
    pub fn verify_invariants(&self, is_open: impl Fn(Serial) -> bool) {
        assert!(self.owed.keys().all(|serial| is_open(*serial)));
        assert!(self.owed.len() <= super::HOST_WINDOW);
        let sent = |delivery: &&Delivery| matches!(delivery, Delivery::Sent { .. });
        assert_eq!(self.owed.values().filter(sent).count(), self.due.len());
        for (due, serial) in &self.due {
            let owed = self.owed.get(serial);
            assert!(matches!(owed, Some(Delivery::Sent { due: own, .. }) if own == due));
        }
    }
}
