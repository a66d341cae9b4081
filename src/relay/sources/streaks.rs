//! From running totals to pieces: a streak is announced as "1, 2, 3, 5", some
//! messages come twice and some not at all, and five are five.

use std::collections::{HashMap, VecDeque};

/// Streaks that are remembered; a crowd's of an hour. Beyond, the one that
/// began first is forgotten.
const MAX_STREAKS: usize = 4_096;

/// How far each streak has come.
#[derive(Debug, Default)]
pub(super) struct Streaks {
    known: HashMap<String, Streak>,
    /// In the order in which they began.
    order: VecDeque<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Streak {
    total: u32,
    is_over: bool,
}

/// Whether a streak's key is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// No other streak has this key.
    Own,
    /// The next streak of the same giver and gift has it as well.
    Shared,
}

impl Streaks {
    /// A message said that the streak has come to `total`; how many pieces
    /// that is more than was known.
    pub fn advance(&mut self, key: &str, identity: Identity, total: u32, is_over: bool) -> u32 {
        let streak = self.entry(key);
        if identity == Identity::Shared {
            let is_repeat = streak.is_over && is_over && total == streak.total;
            let is_next = streak.is_over || total < streak.total;
            if is_next && !is_repeat {
                *streak = Streak::default();
            }
        }
        let more = total.saturating_sub(streak.total);
        streak.total = streak.total.max(total);
        streak.is_over |= is_over;
        more
    }

    fn entry(&mut self, key: &str) -> &mut Streak {
        if !self.known.contains_key(key) {
            if self.order.len() >= MAX_STREAKS
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(key.to_owned());
        }
        self.known.entry(key.to_owned()).or_default()
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
