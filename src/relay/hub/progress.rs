//! How far a stream's gifts bring its goal on, for as long as no host's stage says it.

use std::collections::BTreeMap;

use super::{Serial, Stream};
use crate::model::{Gift, Moment};
use crate::show::Progress;

/// What has come and gone since that was last taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::relay) struct Since {
    /// By gifts that came.
    pub given: f64,
    /// By gifts that ended.
    pub settled: f64,
}

/// The gifts of a stream, weighed.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// Absent where there is no goal that gifts bring on: then nothing is weighed.
    progress: Option<Progress>,
    /// Gifts that are not settled.
    open: BTreeMap<Serial, f64>,
    since: Since,
}

impl Weighed {
    fn add(&mut self, now: Moment, serial: Serial, gift: &Gift) {
        let Some(progress) = &mut self.progress else {
            return;
        };
        let brought = progress.add(now, gift);
        self.since.given += brought;
        self.open.insert(serial, brought);
    }

    /// A gift has ended, however that was.
    pub fn close(&mut self, serial: Serial) {
        if let Some(brought) = self.open.remove(&serial) {
            self.since.settled += brought;
        }
    }
}

impl<F> Stream<F> {
    /// A goal of this `kind` was told, or none, with all gifts so far. Returns how far
    /// those bring it on that are not settled; `read` finds a gift in its frame.
    pub fn aim(&mut self, kind: Option<&str>, read: impl Fn(&F) -> Option<Gift>) -> f64 {
        let before = self.weighed.progress.as_ref().map(Progress::kind);
        if before.is_none() || before != kind {
            self.weighed = Weighed {
                progress: kind.and_then(Progress::towards),
                ..Weighed::default()
            };
            if self.weighed.progress.is_some() {
                for (serial, open) in &self.open {
                    if let Some(gift) = read(&open.frame) {
                        self.weighed.add(self.now, *serial, &gift);
                    }
                }
            }
        }
        self.take_progress();
        self.weighed.open.values().sum()
    }

    /// Counts a gift towards the goal that was published or restored just now.
    pub fn weigh(&mut self, serial: Serial, read: impl FnOnce() -> Option<Gift>) {
        let is_new = self.open.contains_key(&serial) && !self.weighed.open.contains_key(&serial);
        if is_new
            && self.weighed.progress.is_some()
            && let Some(gift) = read()
        {
            self.weighed.add(self.now, serial, &gift);
        }
    }

    /// Whether the goal has come on since that was last taken.
    pub fn has_progress(&self) -> bool {
        self.weighed.since != Since::default()
    }

    pub fn take_progress(&mut self) -> Since {
        std::mem::take(&mut self.weighed.since)
    }
}
