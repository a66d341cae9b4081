//! Streaks: one sender's run of one gift type, and what each message adds.
//!
//! Platforms announce five roses as five messages of one, as one of five, or as
//! running totals 1, 2, 3, 4, 5, and repeat the last at the end. [`Count`]
//! turns all of them into deltas that sum to five.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use super::cue::{ActId, Delta};
use super::turn::TurnId;
use crate::model::{Gift, Moment, StreakKey};

/// How far apart in time two messages may swap places on their way to us.
const REORDERING: Duration = Duration::from_millis(500);

/// Open streaks remembered. Ten thousand people streaking within three seconds
/// is beyond any stream; one more ends the streak that was silent longest.
pub(super) const MOST_OPEN: usize = 10_000;

/// How long after a streak has fallen silent its final message is known as that: an
/// outage may lie between.
const LATE: Duration = Duration::from_secs(30);

/// Silent streaks remembered for that. Beyond: the final messages of those that fall
/// silent next, if they come, count as gifts.
const MOST_LATE: usize = 1000;

/// Two values per piece are the same price if they differ by less than this
/// share: backends round.
const SAME_PRICE: f64 = 0.01;

/// How a backend announces a streak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counting {
    /// Deltas, until two rising messages whose `quantity` equals `comboCount`
    /// show running totals.
    #[default]
    Auto,
    /// `quantity` is always what the message adds.
    Delta,
    /// `quantity` and `comboCount` are always running totals.
    Cumulative,
}

/// Where a streak's next gift goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// Its act is over, dismissed or refused, or its gifts were bundled.
    None,
    Waiting(TurnId),
    OnStage(ActId),
}

/// What became of a streak's latest gifts, where they did not go to its home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// An act or a bundle tells them, or nothing is known yet.
    Told,
    /// A recap is going to tell them.
    Collected,
    /// The host dismissed them before anyone saw them.
    Dismissed,
}

/// One open streak.
#[derive(Debug)]
pub(super) struct Streak {
    count: Count,
    serial: u64,
    /// Of the last message in order: the window for stragglers must not be
    /// prolonged by stragglers.
    last_in_order: Moment,
    last_seen: Moment,
    pub home: Home,
    /// What its messages are worth together.
    pub value: f64,
    /// Some act of it has been on a presented frame.
    pub seen: bool,
    /// Some gift of it was refused or failed, so that nobody may have seen it.
    pub is_owed: bool,
    pub fate: Fate,
}

impl Streak {
    /// The running total to be shown.
    pub fn combo(&self) -> u32 {
        self.count.shown
    }

    /// The host has dismissed what told of it. What a recap is going to tell came
    /// later, and is not touched by that.
    pub fn be_dismissed(&mut self) {
        if self.fate == Fate::Told {
            self.fate = Fate::Dismissed;
        }
    }
}

/// What a message is to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// No streak: neither by its own word nor by an open key.
    Independent,
    /// The first message of a streak.
    Opens,
    /// Its counter fell: the open streak is over and another begins.
    Restarts,
    Continues,
    /// Overtaken on its way: counts, but moves no counter.
    Straggles,
    /// The final message.
    Ends,
    /// The final message of a streak that has fallen silent: it repeats the count.
    EndsLate,
}

/// What is kept of a streak that has fallen silent.
#[derive(Debug)]
struct Silent {
    since: Moment,
    last: u32,
    home: Home,
    fate: Fate,
}

/// When a streak may fall silent. The serial number tells it from an earlier
/// streak under the same key.
type Deadline = (Moment, u64, StreakKey);

/// All open streaks.
#[derive(Debug)]
pub(super) struct Streaks {
    open: HashMap<StreakKey, Streak>,
    /// One entry per streak, at or before its deadline; entries of streaks that
    /// have ended are dropped when met, or all at once when they outnumber.
    deadlines: BinaryHeap<Reverse<Deadline>>,
    silent: HashMap<StreakKey, Silent>,
    next_serial: u64,
    silence: Duration,
    counting: Counting,
}

impl Streaks {
    pub fn new(silence: Duration, counting: Counting) -> Self {
        Self {
            open: HashMap::new(),
            deadlines: BinaryHeap::new(),
            silent: HashMap::new(),
            next_serial: 0,
            silence,
            counting,
        }
    }

    pub fn get_mut(&mut self, key: &StreakKey) -> Option<&mut Streak> {
        self.open.get_mut(key)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Streak> {
        self.open.values_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&StreakKey, &Streak)> {
        self.open.iter()
    }

    /// Filed deadlines, stale ones among them.
    pub fn deadlines(&self) -> usize {
        self.deadlines.len()
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn read(&self, now: Moment, key: &StreakKey, gift: &Gift) -> Reading {
        if self.open.is_empty() && self.silent.is_empty() && !gift.is_streak {
            return Reading::Independent;
        }
        let Some(streak) = self.open.get(key) else {
            return if gift.is_streak {
                Reading::Opens
            } else if self.ends_late(now, key, gift) {
                Reading::EndsLate
            } else {
                Reading::Independent
            };
        };
        let position = self.position(gift);
        let last = streak.count.last;
        if !gift.is_streak {
            return if position >= last {
                Reading::Ends
            } else {
                Reading::Independent
            };
        }
        // A message without a count says nothing about the order.
        if position == 0 || position >= last {
            Reading::Continues
        } else if now.saturating_sub(streak.last_in_order) <= REORDERING {
            Reading::Straggles
        } else {
            Reading::Restarts
        }
    }

    /// A count of one is any gift's, and a higher one than was heard holds gifts that
    /// nobody has counted.
    fn ends_late(&self, now: Moment, key: &StreakKey, gift: &Gift) -> bool {
        gift.combo_count > 1
            && self.silent.get(key).is_some_and(|silent| {
                silent.last == self.position(gift) && now.saturating_sub(silent.since) <= LATE
            })
    }

    /// Opens a streak with its first message.
    pub fn open(&mut self, now: Moment, key: StreakKey, gift: &Gift) -> Delta {
        let (count, delta) = Count::first(self.counting, gift);
        let serial = self.next_serial;
        self.next_serial += 1;
        let streak = Streak {
            count,
            serial,
            last_in_order: now,
            last_seen: now,
            home: Home::None,
            value: delta.value,
            seen: false,
            is_owed: false,
            fate: Fate::Told,
        };
        self.deadlines
            .push(Reverse((now + self.silence, serial, key.clone())));
        self.silent.remove(&key);
        self.open.insert(key, streak);
        if self.deadlines.len() > 2 * self.open.len() + 64 {
            let open = &self.open;
            self.deadlines.retain(|Reverse((_, serial, key))| {
                open.get(key).is_some_and(|streak| streak.serial == *serial)
            });
        }
        delta
    }

    /// Counts a later message of an open streak.
    pub fn count(&mut self, now: Moment, key: &StreakKey, gift: &Gift, reading: Reading) -> Delta {
        let counting = self.counting;
        let streak = self.open.get_mut(key).expect("read() found it open");
        streak.last_seen = now;
        let delta = if reading == Reading::Straggles {
            streak.count.straggler(counting, gift)
        } else {
            streak.last_in_order = now;
            streak.count.next(counting, gift, reading == Reading::Ends)
        };
        streak.value += delta.value;
        if delta.quantity > 0 {
            streak.fate = Fate::Told;
        }
        delta
    }

    pub fn close(&mut self, key: &StreakKey) -> Option<Streak> {
        self.open.remove(key)
    }

    /// Remembers one that has fallen silent. Where nobody may have seen some of it, the
    /// message that comes late may be what is seen.
    fn remember(&mut self, now: Moment, key: StreakKey, streak: &Streak) {
        if !streak.seen && streak.is_owed {
            return;
        }
        if self.silent.len() >= MOST_LATE {
            self.silent
                .retain(|_, silent| now.saturating_sub(silent.since) <= LATE);
        }
        if self.silent.len() < MOST_LATE {
            let silent = Silent {
                since: now,
                last: streak.count.last,
                home: streak.home,
                fate: streak.fate,
            };
            self.silent.insert(key, silent);
        }
    }

    /// Where the streak of a final message that came late was when it fell silent, and
    /// what had become of it. That is its end: another message like it is a gift.
    pub fn end_late(&mut self, key: &StreakKey) -> Option<(Home, Fate)> {
        let silent = self.silent.remove(key)?;
        Some((silent.home, silent.fate))
    }

    /// Closes a streak whose silence has lasted long enough at `now`.
    pub fn fall_silent(&mut self, now: Moment) -> Option<Streak> {
        let key = self.pop_due(Some(now))?;
        let streak = self.close(&key)?;
        self.remember(now, key, &streak);
        Some(streak)
    }

    /// Closes the streak that has been silent longest, where there are too many.
    pub fn make_room(&mut self) -> Option<Streak> {
        if self.open.len() < MOST_OPEN {
            return None;
        }
        let key = self.pop_due(None)?;
        self.close(&key)
    }

    /// No streak falls silent before this.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.peek().map(|Reverse((at, ..))| *at)
    }

    fn pop_due(&mut self, now: Option<Moment>) -> Option<StreakKey> {
        while let Some(Reverse((at, ..))) = self.deadlines.peek() {
            if now.is_some_and(|now| *at > now) {
                return None;
            }
            let Reverse((at, serial, key)) = self.deadlines.pop()?;
            let Some(streak) = self.open.get(&key).filter(|streak| streak.serial == serial) else {
                continue;
            };
            let due = streak.last_seen + self.silence;
            if due <= at {
                return Some(key);
            }
            // It has spoken since: file it where it belongs by now.
            self.deadlines.push(Reverse((due, serial, key)));
        }
        None
    }

    fn position(&self, gift: &Gift) -> u32 {
        position(self.counting, gift)
    }
}

/// Where in its streak a message stands; 0 when it does not say.
fn position(counting: Counting, gift: &Gift) -> u32 {
    match counting {
        Counting::Cumulative => gift.combo_count.max(gift.quantity),
        Counting::Auto | Counting::Delta => gift.combo_count,
    }
}

/// The counter of one streak.
#[derive(Debug)]
struct Count {
    /// The highest position so far; 0 while no message has said one.
    last: u32,
    /// What the viewers see: the backend's count where it has one.
    shown: u32,
    total: u64,
    /// The last message had `quantity` equal to `comboCount`.
    equal: bool,
    /// Messages are being read as running totals.
    running: bool,
    /// Value per piece of the first message.
    price: f64,
}

impl Count {
    fn first(counting: Counting, gift: &Gift) -> (Self, Delta) {
        let last = position(counting, gift);
        let quantity = match counting {
            Counting::Cumulative => last,
            Counting::Auto | Counting::Delta => gift.quantity,
        };
        let count = Self {
            last,
            shown: last.max(if last == 0 { quantity } else { 0 }),
            total: quantity.into(),
            equal: is_equal(gift),
            running: counting == Counting::Cumulative,
            price: gift.total_value / f64::from(gift.quantity.max(1)),
        };
        let delta = Delta {
            quantity: quantity.into(),
            value: gift.total_value,
        };
        (count, delta)
    }

    fn next(&mut self, counting: Counting, gift: &Gift, is_final: bool) -> Delta {
        let position = position(counting, gift);
        let repeats = is_final && position > 0 && position == self.last;
        let delta = if repeats {
            Delta::default()
        } else {
            self.running = match counting {
                Counting::Delta => false,
                Counting::Cumulative => true,
                Counting::Auto => {
                    is_equal(gift) && (self.running || (self.equal && position > self.last))
                }
            };
            if self.running {
                self.since_last(position, gift)
            } else {
                whole(gift)
            }
        };
        self.equal = is_equal(gift);
        self.last = self.last.max(position);
        self.total = self.total.saturating_add(delta.quantity);
        self.shown = if self.last == 0 {
            u32::try_from(self.total).unwrap_or(u32::MAX)
        } else {
            self.last
        };
        delta
    }

    /// A straggler among running totals is already in the total that overtook
    /// it; among deltas it is still owed.
    fn straggler(&mut self, counting: Counting, gift: &Gift) -> Delta {
        let running = self.running || (counting == Counting::Auto && self.equal && is_equal(gift));
        let delta = if running {
            Delta::default()
        } else {
            whole(gift)
        };
        self.total = self.total.saturating_add(delta.quantity);
        delta
    }

    /// What a running total adds. Its value is a running total as well where
    /// the price per piece is the streak's; otherwise it is the message's own.
    fn since_last(&self, position: u32, gift: &Gift) -> Delta {
        let quantity = position.saturating_sub(self.last);
        let running_value = (self.price * f64::from(position)).min(f64::MAX);
        let value = if quantity == 0 {
            0.0
        } else if (gift.total_value - running_value).abs() <= SAME_PRICE * running_value {
            (self.price * f64::from(quantity)).min(f64::MAX)
        } else {
            gift.total_value
        };
        Delta {
            quantity: quantity.into(),
            value,
        }
    }
}

fn is_equal(gift: &Gift) -> bool {
    gift.combo_count > 0 && gift.combo_count == gift.quantity
}

/// What a message adds that belongs to no streak.
pub(super) fn whole(gift: &Gift) -> Delta {
    Delta {
        quantity: gift.quantity.into(),
        value: gift.total_value,
    }
}
