//! From running totals to pieces: a streak is announced as "1, 2, 3, 5", some
//! messages come twice and some not at all, and five are five.

use std::collections::{BTreeMap, HashMap};

/// Streaks that are remembered. Beyond, the one is forgotten of which nothing was heard
/// for longest: one that still grows would be counted whole again.
const MAX_STREAKS: usize = 4_096;

/// How far each streak has come.
#[derive(Debug, Default)]
pub(super) struct Streaks {
    known: HashMap<String, Streak>,
    /// By when they were heard of last.
    order: BTreeMap<u64, String>,
    /// Messages that were heard.
    heard: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Streak {
    total: u32,
    is_over: bool,
    /// Its place in the order.
    heard: u64,
}

/// Whether a streak's key is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// No other streak has this key.
    Own,
    /// The next streak of the same giver and gift has it as well.
    Shared,
}

/// How far streaks had come in an earlier run, learnt from its latest gift back to
/// as many streaks as are remembered.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    totals: HashMap<String, u32>,
    /// Their keys, the latest first.
    order: Vec<String>,
}

impl Recalled {
    /// A gift, older than those before, said that the streak had come to `total`.
    pub fn note(&mut self, key: &str, total: u32) {
        if let Some(known) = self.totals.get_mut(key) {
            *known = total.max(*known);
        } else if !self.is_full() {
            self.totals.insert(key.to_owned(), total);
            self.order.push(key.to_owned());
        }
    }

    pub fn is_full(&self) -> bool {
        self.order.len() >= MAX_STREAKS
    }
}

impl Streaks {
    /// Goes on from where an earlier run was.
    pub fn go_on_from(&mut self, recalled: &Recalled) {
        // The latest last: it is forgotten last.
        for key in recalled.order.iter().rev() {
            let total = recalled.totals.get(key).copied().unwrap_or_default();
            self.advance(key, Identity::Own, total, false);
        }
    }

    /// A message said that the streak has come to `total`; how many pieces
    /// that is more than was known.
    pub fn advance(&mut self, key: &str, identity: Identity, total: u32, is_over: bool) -> u32 {
        let streak = self.entry(key);
        if identity == Identity::Shared {
            let is_repeat = streak.is_over && is_over && total == streak.total;
            let is_next = streak.is_over || total < streak.total;
            if is_next && !is_repeat {
                (streak.total, streak.is_over) = (0, false);
            }
        }
        let more = total.saturating_sub(streak.total);
        streak.total = streak.total.max(total);
        streak.is_over |= is_over;
        more
    }

    fn entry(&mut self, key: &str) -> &mut Streak {
        self.heard += 1;
        if let Some(known) = self.known.get(key) {
            self.order.remove(&known.heard);
        } else if self.known.len() >= MAX_STREAKS
            && let Some((_, silent)) = self.order.pop_first()
        {
            self.known.remove(&silent);
        }
        self.order.insert(self.heard, key.to_owned());
        let streak = self.known.entry(key.to_owned()).or_default();
        streak.heard = self.heard;
        streak
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(identity: Identity, said: &[(u32, bool)]) -> Vec<u32> {
        let mut streaks = Streaks::default();
        let advance = |&(total, is_over)| streaks.advance("key", identity, total, is_over);
        said.iter().map(advance).collect()
    }

    #[test]
    fn five_are_five_however_they_are_announced() {
        for said in [
            &[
                (1, false),
                (2, false),
                (3, false),
                (4, false),
                (5, false),
                (5, true),
            ][..],
            &[(1, false), (3, false), (5, true)],
            &[(5, true)],
            &[
                (2, false),
                (2, false),
                (5, false),
                (5, false),
                (5, true),
                (5, true),
            ],
            &[(3, false), (1, false), (2, false), (5, true), (4, false)],
        ] {
            let sum: u32 = pieces(Identity::Own, said).iter().sum();
            assert_eq!(sum, 5, "{said:?}");
        }
    }

    #[test]
    fn without_an_id_a_streak_ends_with_its_end_or_where_the_count_begins_again() {
        let said = [
            (1, false),
            (2, true),
            (2, true),
            (1, false),
            (3, false),
            (1, false),
            (1, true),
        ];
        assert_eq!(pieces(Identity::Shared, &said), [1, 1, 0, 1, 2, 1, 0]);
    }

    #[test]
    fn what_is_recalled_goes_on_and_the_latest_of_it_is_forgotten_last() {
        let mut recalled = Recalled::default();
        recalled.note("latest", 5);
        recalled.note("latest", 2);
        for n in 1..=MAX_STREAKS {
            assert_eq!(recalled.is_full(), n == MAX_STREAKS);
            recalled.note(&n.to_string(), 3);
        }
        let mut streaks = Streaks::default();
        streaks.go_on_from(&recalled);
        let mut advance = |key: &str, total| streaks.advance(key, Identity::Own, total, false);
        assert_eq!(advance("latest", 7), 2);
        assert_eq!(advance("1", 4), 1);
        assert_eq!(advance(&MAX_STREAKS.to_string(), 4), 4, "it did not fit");
        // That one took the place of the first that was recalled.
        assert_eq!(advance(&(MAX_STREAKS - 1).to_string(), 4), 4);
        assert_eq!(advance("latest", 8), 1);
    }

    #[test]
    fn a_streak_that_grows_is_known_however_many_others_begin() {
        let mut streaks = Streaks::default();
        let mut advance = |key: &str, total| streaks.advance(key, Identity::Own, total, false);
        for n in 0..2 * MAX_STREAKS as u32 {
            assert_eq!(advance("long", n + 1), 1);
            assert_eq!(advance(&n.to_string(), 1), 1);
        }
        assert_eq!(streaks.known.len(), MAX_STREAKS);
        assert_eq!(streaks.order.len(), MAX_STREAKS);
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let mut streaks = Streaks::default();
        for n in 0..=MAX_STREAKS {
            assert_eq!(streaks.advance(&n.to_string(), Identity::Own, 1, true), 1);
        }
        assert_eq!(streaks.known.len(), MAX_STREAKS);
        assert_eq!(
            streaks.advance(&MAX_STREAKS.to_string(), Identity::Own, 1, true),
            0
        );
        assert_eq!(streaks.advance("0", Identity::Own, 1, true), 1);
    }
}
