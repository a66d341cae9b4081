//! What the rates come to: as a table, as a picture and as a page.

mod by_rate;
mod course;
mod page;
mod plot;
mod table;

use std::time::Duration;

use super::Arrival;
use super::judge::{Judge, Judgement, Performance, Waits, busiest_minute};
use super::recommend::{Recommendation, recommend};
use crate::model::Moment;

/// Bars of the course over time, at most.
const MOST_SLICES: u32 = 120;

/// How long one of those bars may be.
const SLICES: [u64; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
];

/// Rates that were judged by the same gifts, ready to be shown. No viewer's name is
/// in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What the gifts are from.
    pub source: String,
    pub gifts: usize,
    /// Until the last gift.
    pub length: Moment,
    /// When the busiest minute begins and how many gifts it has.
    pub busiest: Option<(Moment, usize)>,
    /// By rate, slowest first.
    pub judged: Vec<Judgement>,
    pub advice: Option<Recommendation>,
    /// What is to be known about the figures, a sentence each.
    pub notes: Vec<String>,
    course: Course,
}

/// The gifts over time, and how long they waited at the recommended rate.
#[derive(Debug, Clone, PartialEq, Default)]
struct Course {
    /// Of one slice.
    length: Duration,
    slices: Vec<Slice>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Slice {
    gifts: usize,
    /// Of those that arrived in it.
    wait: Waits,
}

impl Report {
    /// Judges each rate. `source` and `notes` are shown as they are.
    pub fn of(
        source: String,
        judge: &Judge,
        arrivals: &[Arrival],
        rates: &[f64],
        notes: Vec<String>,
    ) -> Self {
        let mut judged: Vec<_> = rates
            .iter()
            .map(|rate| judge.judge(arrivals, *rate))
            .collect();
        judged.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let advice = recommend(&judged);
        let course = advice.as_ref().map_or_else(Course::default, |advice| {
            Course::of(arrivals, &judge.play(arrivals, advice.rate))
        });
        Self {
            source,
            gifts: arrivals.len(),
            length: arrivals.last().map_or(Moment::ZERO, |arrival| arrival.at),
            busiest: busiest_minute(arrivals).map(|busiest| (busiest.from, busiest.arrivals.len())),
            judged,
            advice,
            notes,
            course,
        }
    }

    /// Where among the judged rates the recommended one is.
    fn chosen(&self) -> Option<usize> {
        let rate = self.advice.as_ref()?.rate;
        self.judged.iter().position(|judged| judged.rate == rate)
    }
}

impl Course {
    fn of(arrivals: &[Arrival], played: &Performance) -> Self {
        let Some(last) = arrivals.last() else {
            return Self::default();
        };
        let fits = |seconds: &&u64| last.at.as_secs() / **seconds < u64::from(MOST_SLICES);
        let seconds = SLICES
            .iter()
            .find(fits)
            .unwrap_or(&SLICES[SLICES.len() - 1]);
        let slice_of = |arrival: &Arrival| (arrival.at.as_secs() / seconds) as usize;
        let mut first = 0;
        let slices = (0..=slice_of(last)).map(|slice| {
            let of_it = arrivals[first..].partition_point(|arrival| slice_of(arrival) <= slice);
            let within = first..first + of_it;
            first = within.end;
            Slice {
                gifts: within.len(),
                wait: Waits::of(&played.waits[within]),
            }
        });
        Self {
            length: Duration::from_secs(*seconds),
            slices: slices.collect(),
        }
    }
}
