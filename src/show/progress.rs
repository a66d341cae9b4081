//! How far gifts bring a goal on, for whoever counts without a stage.

use super::cue::Delta;
use super::settings::ShowSettings;
use super::streak::{Reading, Streaks, whole};
use crate::model::{Gift, Moment};

/// Counts gifts towards a goal as a stage does that is left to its own settings.
#[derive(Debug)]
pub struct Progress {
    kind: Box<str>,
    streaks: Streaks,
}

impl Progress {
    /// Towards a goal of this kind; `None` where only the backend can count it.
    pub fn towards(kind: &str) -> Option<Self> {
        let settings = ShowSettings::default();
        of(kind, Delta::default()).map(|_| Self {
            kind: kind.into(),
            streaks: Streaks::new(settings.silence, settings.counting),
        })
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// How far the gift brings it on, which came now, after all that were added before.
    pub fn add(&mut self, now: Moment, gift: &Gift) -> f64 {
        let delta = self.count(now, gift);
        of(&self.kind, delta).unwrap_or(0.0)
    }

    fn count(&mut self, now: Moment, gift: &Gift) -> Delta {
        while self.streaks.fall_silent(now).is_some() {}
        let key = gift.streak_key();
        if key.user_id.0.is_empty() {
            return whole(gift);
        }
        let reading = self.streaks.read(now, &key, gift);
        match reading {
            Reading::Independent => whole(gift),
            Reading::Opens | Reading::Restarts => {
                self.streaks.close(&key);
                self.streaks.make_room();
                self.streaks.open(now, key, gift)
            }
            Reading::Continues | Reading::Straggles => self.streaks.count(now, &key, gift, reading),
            Reading::Ends => {
                let delta = self.streaks.count(now, &key, gift, reading);
                self.streaks.close(&key);
                delta
            }
            Reading::EndsLate => {
                self.streaks.end_late(&key);
                Delta::default()
            }
        }
    }
}

/// What gifts bring a goal of this kind on; `None` where only the backend can count it.
pub(super) fn of(kind: &str, delta: Delta) -> Option<f64> {
    match kind {
        "gifts" => Some(delta.quantity as f64),
        "revenue" => Some(delta.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::world::{gift, ms};
    use super::*;

    /// What messages `(at, quantity, is_streak, combo)` of one sender come to.
    fn sum(kind: &str, messages: &[(u64, u32, bool, u32)]) -> f64 {
        let mut progress = Progress::towards(kind).unwrap();
        let added = messages.iter().map(|(at, quantity, is_streak, combo)| {
            let gift = Gift {
                quantity: *quantity,
                total_value: f64::from(*quantity) * 10.0,
                is_streak: *is_streak,
                combo_count: *combo,
                ..gift("g", "ann", "rose", 0.0)
            };
            progress.add(ms(*at), &gift)
        });
        added.sum()
    }

    #[test]
    fn five_roses_are_five_here_too() {
        assert_eq!(sum("gifts", &[(0, 5, false, 0)]), 5.0);
        assert_eq!(sum("revenue", &[(0, 5, false, 0)]), 50.0);
        let deltas = [
            (0, 2, true, 2),
            (300, 3, true, 5),
            (600, 1, false, 5),
            (900, 1, true, 1),
        ];
        assert_eq!(sum("gifts", &deltas), 6.0);
        let totals = [(0, 1, true, 1), (300, 4, true, 4), (600, 5, false, 5)];
        assert_eq!(sum("gifts", &totals), 5.0);
        let late = [(0, 2, true, 2), (300, 3, true, 5), (9_000, 1, false, 5)];
        assert_eq!(sum("gifts", &late), 5.0);
        assert!(Progress::towards("viewers").is_none());
    }
}
