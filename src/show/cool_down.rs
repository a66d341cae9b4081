//! Who has just had an act and waits before the next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::person::is_known;
use crate::model::{Moment, Private, Word};

/// Senders remembered: more than acts can start within the longest cool-down
/// at any sane rate. Beyond it the one who has waited longest is let off.
const MOST_RESTING: usize = 10_000;

type UserId = Private<Word>;

/// One span for everybody, so whoever began first is done first.
#[derive(Debug, Default)]
pub(super) struct CoolDown {
    span: Duration,
    until: HashMap<UserId, Moment>,
    order: VecDeque<(Moment, UserId)>,
}

impl CoolDown {
    pub fn new(span: Duration) -> Self {
        Self {
            span,
            ..Self::default()
        }
    }

    /// An act of this sender has started.
    pub fn begin(&mut self, now: Moment, user: &UserId) {
        if self.span.is_zero() || !is_known(user) {
            return;
        }
        let is_done = |(at, _): &(Moment, UserId)| *at <= now;
        while self.order.len() >= MOST_RESTING || self.order.front().is_some_and(is_done) {
            let Some((at, user)) = self.order.pop_front() else {
                break;
            };
            // A later act may have begun another one meanwhile.
            if self.until.get(&user) == Some(&at) {
                self.until.remove(&user);
            }
        }
        let until = now + self.span;
        self.until.insert(user.clone(), until);
        self.order.push_back((until, user.clone()));
    }

    /// Until when this sender's next act has to wait, if it has to.
    pub fn rests_until(&self, now: Moment, user: &UserId) -> Option<Moment> {
        self.until.get(user).copied().filter(|until| *until > now)
    }

    pub fn len(&self) -> usize {
        self.order.len().max(self.until.len())
    }

    pub const fn bound() -> usize {
        MOST_RESTING
    }
}
