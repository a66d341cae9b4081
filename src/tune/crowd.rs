//! A made-up crowd, for who has no recording yet.
//!
//! Gifts arrive as a Poisson process. Now and then there is a burst, as after
//! something that went well: for about [`BURST`] they come [`BURST_TIMES`] as
//! often. Some of those who give something small give it again and again, as a
//! streak. A few people give much of it all. The same numbers make the same crowd.

use std::f64::consts::E;
use std::time::Duration;

use super::{Arrival, MOST_GIFTS};
use crate::catalog::{Catalog, Lane};
use crate::model::{Gift, GiftType, Sender};
use crate::show::LANES;

/// How long a burst lasts, on average.
pub const BURST: Duration = Duration::from_secs(20);
/// How many times as many gifts there are in a burst.
pub const BURST_TIMES: f64 = 8.0;
/// Messages of a streak, on average.
pub const STREAK_MESSAGES: f64 = 8.0;
/// From one message of a streak to the next, on average.
pub const STREAK_STEP: Duration = Duration::from_millis(400);
/// How many people there are.
pub const PEOPLE: u64 = 500;

/// Share of the gifts in each lane, and the least that one is worth there; the
/// most is [`E`] cubed as much.
const VALUES: [(Lane, f64, f64); 3] = [
    (Lane::Headline, 0.01, 1000.0),
    (Lane::Feature, 0.09, 100.0),
    (Lane::Ambient, 0.90, 1.0),
];

/// What makes a crowd.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    /// Gift messages a minute outside bursts, those of streaks among them.
    pub per_minute: f64,
    pub length: Duration,
    /// On average.
    pub bursts_per_hour: f64,
    /// Share of the small gifts that begin a streak, 0 to 1.
    pub streaks: f64,
    pub seed: u64,
}

/// There are more gifts than are judged at once.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the crowd gives more than {MOST_GIFTS} gifts; make it smaller or its time shorter")]
pub struct TooLarge;

impl Default for Crowd {
    /// A busy hour.
    fn default() -> Self {
        Self {
            per_minute: 60.0,
            length: Duration::from_secs(3600),
            bursts_per_hour: 6.0,
            streaks: 0.1,
            seed: 0,
        }
    }
}

impl Crowd {
    /// What the crowd gives of the catalogue's gifts, in the order of its times.
    ///
    /// # Errors
    /// More than [`MOST_GIFTS`].
    pub fn arrivals(&self, catalog: &Catalog) -> Result<Vec<Arrival>, TooLarge> {
        let mut giving = Giving {
            dice: Dice(self.seed),
            types: types_by_lane(catalog),
            streaks: self.streaks,
            arrivals: Vec::new(),
        };
        let messages = 1.0 + VALUES[2].1 * self.streaks * (STREAK_MESSAGES - 1.0);
        let gap = 60.0 / self.per_minute * messages;
        let length = self.length.as_secs_f64();
        let calm = 3600.0 / self.bursts_per_hour;
        let mut now = 0.0;
        let mut is_burst = false;
        let mut change = giving.dice.wait(calm);
        loop {
            let gap = if is_burst { gap / BURST_TIMES } else { gap };
            let next = now + giving.dice.wait(gap);
            if next.min(change) >= length {
                break;
            }
            if next < change {
                now = next;
                giving.give(now, length);
            } else {
                // A Poisson process has no memory: it may begin anew here.
                now = change;
                is_burst = !is_burst;
                let lasts = if is_burst { BURST.as_secs_f64() } else { calm };
                change = now + giving.dice.wait(lasts);
            }
            if giving.arrivals.len() > MOST_GIFTS {
                return Err(TooLarge);
            }
        }
        let mut arrivals = giving.arrivals;
        arrivals.sort_by_key(|arrival| arrival.at);
        Ok(arrivals)
    }
}

/// The catalogue's gift types, lane by lane.
fn types_by_lane(catalog: &Catalog) -> [Vec<GiftType>; 3] {
    LANES.map(|lane| {
        let (_, _, value) = VALUES[LANES.iter().position(|other| *other == lane).unwrap_or(0)];
        let types = catalog.gifts.keys();
        let types = types.filter(|kind| catalog.lane(kind, value) == lane);
        types.map(GiftType::new).collect()
    })
}

struct Giving {
    dice: Dice,
    types: [Vec<GiftType>; 3],
    streaks: f64,
    arrivals: Vec<Arrival>,
}

impl Giving {
    /// Somebody gives something at `now`, or begins a streak of it.
    fn give(&mut self, now: f64, end: f64) {
        let mut place = self.dice.share();
        let mut lane = LANES.len() - 1;
        for (index, (_, share, _)) in VALUES.iter().enumerate() {
            if place <= *share {
                lane = index;
                break;
            }
            place -= share;
        }
        let least = VALUES[lane].2;
        let value = (least * E.powf(3.0 * self.dice.share())).round();
        let types = &self.types[lane];
        let gift_type = match types.len() {
            0 => GiftType::new("gift"),
            count => types[self.dice.below(count as u64) as usize].clone(),
        };
        // The square makes a few people give much.
        let who = (PEOPLE as f64 * (1.0 - self.dice.share()).powi(2)) as u64;
        let name = format!("viewer-{who}");
        let mut gift = Gift::one("", gift_type, Sender::named(name.as_str(), name.as_str()));
        gift.total_value = value;
        let is_streak = VALUES[lane].0 == Lane::Ambient && self.dice.share() <= self.streaks;
        if !is_streak {
            return self.push(now, gift);
        }
        let mut at = now;
        for combo in 1.. {
            let is_last = self.dice.share() <= STREAK_MESSAGES.recip();
            self.push(
                at,
                Gift {
                    is_streak: !is_last || combo == 1,
                    combo_count: combo,
                    ..gift.clone()
                },
            );
            at += self.dice.wait(STREAK_STEP.as_secs_f64());
            if is_last || at >= end || self.arrivals.len() > MOST_GIFTS {
                break;
            }
        }
    }

    fn push(&mut self, at: f64, gift: Gift) {
        let id = format!("{}", self.arrivals.len());
        self.arrivals.push(Arrival {
            at: Duration::from_secs_f64(at),
            gift: Gift {
                id: id.into(),
                ..gift
            },
        });
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014): the same crowd for the same seed, whatever libraries do.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Above 0, at most 1.
    fn share(&mut self) -> f64 {
        ((self.roll() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, count: u64) -> u64 {
        self.roll() % count
    }

    /// A wait in a Poisson process in which it is `mean` on average.
    fn wait(&mut self, mean: f64) -> f64 {
        -mean * self.share().ln()
    }
}
