//! What gifts bring a goal on, for as long as no host's stage says it.
//!
//! Streaks are counted as a stage does that is left to its own settings, so that a
//! goal stands where it would if one had counted.

use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

use serde::Deserialize;

use super::{Serial, Stream};

/// Streaks that are remembered, as many as a stage has open. Beyond: all are forgotten,
/// and the final messages of those that go on count as gifts.
const MAX_STREAKS: usize = 10_000;

/// Two values per piece are the same price if they differ by less than this share.
const SAME_PRICE: f64 = 0.01;

/// Of whom, and of what type.
type StreakKey = (String, String);

/// What gifts are to goals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::relay) struct Worth {
    quantity: f64,
    value: f64,
}

impl Worth {
    /// How far that brings a goal on.
    pub fn progress(self, kind: &str) -> f64 {
        match kind {
            "gifts" => self.quantity,
            "revenue" => self.value,
            _ => 0.0,
        }
    }

    fn whole(gift: &Gift) -> Self {
        Self {
            quantity: gift.quantity.into(),
            value: gift.total_value,
        }
    }
}

impl AddAssign for Worth {
    fn add_assign(&mut self, more: Self) {
        self.quantity += more.quantity;
        self.value += more.value;
    }
}

/// What counts of a gift, in a message as the relay writes it: reading all of it would
/// take several times as long, of the time in which gifts are taken in.
#[derive(Deserialize)]
struct Message {
    payload: Gift,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Gift {
    gift_type: String,
    quantity: u32,
    total_value: f64,
    sender: Sender,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Sender {
    user_id: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    is_streak: bool,
    combo_count: u32,
}

/// What has changed since that was last taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::relay) struct Since {
    /// Of gifts that came.
    pub given: Worth,
    /// Of gifts that ended.
    pub settled: Worth,
}

/// What a stream's gifts are worth.
#[derive(Debug, Default)]
pub(in crate::relay) struct Worths {
    streaks: HashMap<StreakKey, Streak>,
    /// Gifts that are not settled, in the order in which they came.
    open: BTreeMap<Serial, Worth>,
    since: Since,
}

impl Worths {
    /// A gift is to be settled, by its message; one that is known is not another.
    pub fn add(&mut self, serial: Serial, message: &str) {
        if self.open.contains_key(&serial) {
            return;
        }
        let Ok(Message { payload }) = serde_json::from_str(message) else {
            return;
        };
        let worth = self.weigh(&payload);
        self.since.given += worth;
        self.open.insert(serial, worth);
    }

    /// A gift has ended, however that was.
    pub fn close(&mut self, serial: Serial) {
        if let Some(worth) = self.open.remove(&serial) {
            self.since.settled += worth;
        }
    }

    /// Of all gifts that are not settled.
    pub fn waiting(&self) -> Worth {
        let mut waiting = Worth::default();
        self.open.values().for_each(|worth| waiting += *worth);
        waiting
    }

    pub fn has_changed(&self) -> bool {
        self.since != Since::default()
    }

    pub fn take(&mut self) -> Since {
        std::mem::take(&mut self.since)
    }

    /// What a message adds.
    fn weigh(&mut self, gift: &Gift) -> Worth {
        if gift.sender.user_id.is_empty() || self.streaks.is_empty() && !gift.metadata.is_streak {
            return Worth::whole(gift);
        }
        let key = (gift.sender.user_id.clone(), gift.gift_type.clone());
        if !gift.metadata.is_streak {
            return self.weigh_last(&key, gift);
        }
        if let Some(streak) = self.streaks.get_mut(&key) {
            return streak.count(gift);
        }
        if self.streaks.len() >= MAX_STREAKS {
            self.streaks.clear();
        }
        self.streaks.insert(key, Streak::begun(gift));
        Worth::whole(gift)
    }

    /// The final message of a streak, or a gift of its own.
    fn weigh_last(&mut self, key: &StreakKey, gift: &Gift) -> Worth {
        let last = self.streaks.get(key).map_or(0, |streak| streak.last);
        if gift.metadata.combo_count < last.max(1) {
            return Worth::whole(gift);
        }
        match self.streaks.remove(key) {
            Some(_) if gift.metadata.combo_count == last => Worth::default(),
            Some(mut streak) => streak.count(gift),
            None => Worth::whole(gift),
        }
    }
}

impl<F> Stream<F> {
    /// Counts a gift towards goals that was published or restored just now.
    pub fn weigh(&mut self, serial: Serial, message: &str) {
        if self.open.contains_key(&serial) {
            self.worths.add(serial, message);
        }
    }

    /// What its gifts are to goals, as far as they were weighed.
    pub fn worths(&mut self) -> &mut Worths {
        &mut self.worths
    }
}

/// How far a streak has come.
#[derive(Debug)]
struct Streak {
    last: u32,
    /// The last message had `quantity` equal to `comboCount`.
    is_equal: bool,
    /// Its messages are running totals.
    is_running: bool,
    /// Value per piece of the first message.
    price: f64,
}

impl Streak {
    fn begun(gift: &Gift) -> Self {
        Self {
            last: gift.metadata.combo_count,
            is_equal: is_equal(gift),
            is_running: false,
            price: gift.total_value / f64::from(gift.quantity.max(1)),
        }
    }

    fn count(&mut self, gift: &Gift) -> Worth {
        // Another streak of the same; one that counts 2 or more may have been overtaken.
        if gift.metadata.combo_count == 1 {
            *self = Self::begun(gift);
            return Worth::whole(gift);
        }
        let rises = gift.metadata.combo_count > self.last;
        self.is_running = is_equal(gift) && (self.is_running || (self.is_equal && rises));
        let worth = match self.is_running {
            true => self.since_last(gift),
            false => Worth::whole(gift),
        };
        self.is_equal = is_equal(gift);
        self.last = self.last.max(gift.metadata.combo_count);
        worth
    }

    /// What a running total adds. So does its value, where the price is the streak's.
    fn since_last(&self, gift: &Gift) -> Worth {
        let more = f64::from(gift.metadata.combo_count.saturating_sub(self.last));
        let total = self.price * f64::from(gift.metadata.combo_count);
        let is_total = (gift.total_value - total).abs() <= SAME_PRICE * total;
        Worth {
            quantity: more,
            value: match is_total || more == 0.0 {
                true => self.price * more,
                false => gift.total_value,
            },
        }
    }
}

fn is_equal(gift: &Gift) -> bool {
    gift.metadata.combo_count > 0 && gift.metadata.combo_count == gift.quantity
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(serial: Serial, quantity: u32, is_streak: bool, combo: u32) -> String {
        json!({
            "type": "gift:received",
            "payload": {
                "giftId": serial.to_string(),
                "giftType": "rose",
                "quantity": quantity,
                "totalValue": 10 * quantity,
                "sender": { "userId": "ann", "username": "Ann" },
                "metadata": { "isStreak": is_streak, "comboCount": combo },
            },
        })
        .to_string()
    }

    fn waiting(messages: &[(u32, bool, u32)]) -> (f64, f64) {
        let mut worths = Worths::default();
        for (serial, (quantity, is_streak, combo)) in (1..).zip(messages) {
            worths.add(serial, &message(serial, *quantity, *is_streak, *combo));
        }
        let waiting = worths.waiting();
        (waiting.progress("gifts"), waiting.progress("revenue"))
    }

    #[test]
    fn five_roses_are_five_however_they_are_announced() {
        assert_eq!(waiting(&[(5, false, 0)]), (5.0, 50.0));
        let pieces = (1..=5).map(|combo| (1, true, combo));
        let deltas: Vec<_> = pieces.chain([(1, false, 5)]).collect();
        assert_eq!(waiting(&deltas), (5.0, 50.0));
        let running = (1..=5).map(|combo| (combo, true, combo));
        let totals: Vec<_> = running.chain([(5, false, 5)]).collect();
        assert_eq!(waiting(&totals), (5.0, 50.0));
        let twice = [(1, true, 1), (1, true, 2), (1, true, 1), (1, true, 2)];
        assert_eq!(waiting(&twice), (4.0, 40.0));
    }

    #[test]
    fn a_gift_is_given_once_and_settled_once() {
        let mut worths = Worths::default();
        for serial in [1, 1, 2] {
            worths.add(serial, &message(serial, 3, false, 0));
        }
        worths.add(3, "not a gift");
        for serial in [1, 1, 3] {
            worths.close(serial);
        }
        let since = worths.take();
        assert_eq!(since.given.progress("gifts"), 6.0);
        assert_eq!(since.settled.progress("gifts"), 3.0);
        assert_eq!(worths.waiting().progress("gifts"), 3.0);
        assert_eq!(worths.waiting().progress("viewers"), 0.0);
        assert!(!worths.has_changed());
    }
}
