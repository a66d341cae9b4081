//! What would this rate do? A show in virtual time.
//!
//! [`Judge`] plays gifts ([`Arrival`]s, from a recording or made up) through the
//! same [`Show`](crate::show::Show) that decides on stage, at one
//! `maxGiftsPerSecond` after another, and says what became of them: how long they
//! waited, how many were folded together or refused, how full the screen was.
//! [`recommend`] chooses among the rates and says why.
//!
//! ```
//! use std::time::Duration;
//! use hyperfocus::model::{Gift, Sender};
//! use hyperfocus::tune::{Arrival, Judge, recommend};
//!
//! let rose = Gift::one("1", "rose", Sender::named("ada", "Ada"));
//! let arrivals = [Arrival { at: Duration::ZERO, gift: rose }];
//! let judge = Judge::shipped();
//! let judged = [2.0, 10.0].map(|rate| judge.judge(&arrivals, rate));
//! assert_eq!(recommend(&judged).unwrap().rate, 2.0);
//! ```
//!
//! # What is taken to be so
//!
//! - Every asset is there and warm, somebody sees the stage, and nobody touches
//!   the controls.
//! - A gift waits from its arrival until it is first on a presented frame, by
//!   itself, in its streak or in a bundle. What is refused is never seen and has no
//!   wait.
//! - An act is presented one frame after it starts and lasts as long as it would
//!   on stage; see `acts.rs`.
//! - Machines are fast enough: what a rate costs to draw is the governor's to
//!   judge.

mod acts;
mod crowd;
mod judge;
mod rates;
mod recommend;
mod recording;
mod report;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use crate::model::{Gift, Moment};

pub use crowd::{BURST, BURST_TIMES, Crowd, PEOPLE, STREAK_MESSAGES, STREAK_STEP, TooLarge};
pub use judge::{Busiest, Judge, Judgement, Performance, Waits, busiest_minute};
pub use rates::{MOST_RATES, RATES, Rates, RatesError};
pub use recommend::{Recommendation, recommend};
pub use recording::{Recording, RecordingError};
pub use report::Report;

/// A gift that is on screen within this is an answer to whoever gave it.
pub const PROMPT: Duration = Duration::from_secs(3);

/// Gifts that are judged at once: a day of six a second. So many take some 150 MB
/// and a second or two for each rate. Whoever collects gifts to be judged refuses
/// more.
pub const MOST_GIFTS: usize = 500_000;

/// A gift, and when it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// From the beginning of what is judged.
    pub at: Moment,
    pub gift: Gift,
}
