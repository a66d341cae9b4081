//! Gifts through the show, at one rate.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::acts::{Acts, Report};
use super::{Arrival, PROMPT};
use crate::catalog::Catalog;
use crate::model::{Gift, Moment, Outcome, Verdict};
use crate::show::{Cue, Event, OutcomeCounts, Show, ShowSettings, sane_rate};

/// Over how long gifts are counted to find where they are thickest.
const MINUTE: Duration = Duration::from_secs(60);

/// How gifts would play: a catalogue and a show's settings.
#[derive(Debug, Clone)]
pub struct Judge {
    settings: ShowSettings,
    catalog: Arc<Catalog>,
}

/// What a rate does to some gifts.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Acts that may start per second: `maxGiftsPerSecond`.
    pub rate: f64,
    /// Gift messages; each is in exactly one of `endings`.
    pub gifts: u64,
    pub endings: OutcomeCounts,
    /// Gifts that were seen [promptly](PROMPT) and not folded with others.
    pub answered: u64,
    /// Of all that were seen.
    pub wait: Waits,
    /// Of those that arrived in the [busiest minute](busiest_minute).
    pub busiest_wait: Waits,
    /// Share of the time with something on screen, from the beginning until the
    /// last act has left, 0 to 1.
    pub coverage: f64,
    /// Turns that waited at once, at most.
    pub most_waiting: usize,
    /// From the beginning until the last act has left.
    pub length: Duration,
}

/// How long gifts waited until they were seen; zero where none was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waits {
    /// Half of them waited at most so long.
    pub p50: Duration,
    pub p95: Duration,
    pub max: Duration,
}

/// Gifts that were played once through.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// How long each arrival waited; `None` for what was never seen.
    pub waits: Vec<Option<Duration>>,
    pub endings: OutcomeCounts,
    /// Gifts that were seen [promptly](PROMPT) and not folded with others.
    pub answered: u64,
    /// Time with something on screen.
    pub lit: Duration,
    /// From the beginning until the last act has left.
    pub length: Duration,
    pub most_waiting: usize,
}

/// The minute in which most gifts arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busiest {
    /// When it begins.
    pub from: Moment,
    /// Which arrivals are in it.
    pub arrivals: Range<usize>,
}

impl Judge {
    /// Judges by these; the rate in the settings is replaced by each judged one.
    pub fn new(settings: ShowSettings, catalog: Arc<Catalog>) -> Self {
        Self { settings, catalog }
    }

    /// Judges by what a renderer plays that nobody has configured: the catalogue
    /// that the program was built with, and the defaults.
    pub fn shipped() -> Self {
        Self::new(ShowSettings::default(), Catalog::shipped())
    }

    /// What `rate` does to the gifts, which come in the order of their times: an
    /// earlier time than the one before counts as that one. A senseless rate means
    /// what it means to a renderer, 30. A hundred thousand gifts take a fraction
    /// of a second.
    pub fn judge(&self, arrivals: &[Arrival], rate: f64) -> Judgement {
        self.play(arrivals, rate).judged(arrivals, rate)
    }

    /// Plays the gifts once through; see [`judge`](Self::judge).
    pub fn play(&self, arrivals: &[Arrival], rate: f64) -> Performance {
        let mut run = Run::new(self, arrivals.len(), rate);
        for (number, arrival) in arrivals.iter().enumerate() {
            run.pass_until(arrival.at);
            run.offer(number, arrival);
        }
        run.pass_until(Moment::MAX);
        run.end()
    }
}

impl Judgement {
    /// Gifts that are to be drawn at all: the settings dismiss the others, whatever
    /// the rate.
    pub fn wanted(&self) -> u64 {
        self.gifts - self.endings.dismissed
    }

    /// Share of the wanted gifts that were seen promptly and not folded with others:
    /// what a rate is chosen by.
    pub fn answered_share(&self) -> f64 {
        self.share_of_wanted(self.answered)
    }

    /// Share of the wanted gifts that shared an act with others because of the load.
    pub fn folded_share(&self) -> f64 {
        self.share_of_wanted(self.endings.joined_bundle)
    }

    /// Share of the wanted gifts that were refused and never seen.
    pub fn refused_share(&self) -> f64 {
        self.share_of_wanted(self.endings.refused)
    }

    fn share_of_wanted(&self, count: u64) -> f64 {
        count as f64 / self.wanted().max(1) as f64
    }

    /// `count` of the gifts as a share of them, 0 to 1.
    pub fn share(&self, count: u64) -> f64 {
        count as f64 / self.gifts.max(1) as f64
    }
}

impl Performance {
    /// What it comes to.
    pub fn judged(&self, arrivals: &[Arrival], rate: f64) -> Judgement {
        let within = busiest_minute(arrivals).map_or(0..0, |minute| minute.arrivals);
        let length = self.length.as_secs_f64();
        Judgement {
            rate: sane_rate(rate),
            gifts: self.waits.len() as u64,
            endings: self.endings,
            answered: self.answered,
            wait: Waits::of(&self.waits),
            busiest_wait: Waits::of(&self.waits[within]),
            coverage: if length > 0.0 {
                self.lit.as_secs_f64() / length
            } else {
                0.0
            },
            most_waiting: self.most_waiting,
            length: self.length,
        }
    }
}

impl Waits {
    /// Percentiles by nearest rank: each is a wait that a gift really had.
    pub fn of(waits: &[Option<Duration>]) -> Self {
        let mut waits: Vec<_> = waits.iter().copied().flatten().collect();
        waits.sort_unstable();
        let rank = |share: f64| {
            let rank = (share * waits.len() as f64).ceil() as usize;
            waits.get(rank.max(1) - 1).copied().unwrap_or_default()
        };
        Self {
            p50: rank(0.5),
            p95: rank(0.95),
            max: rank(1.0),
        }
    }
}

/// Where sixty seconds hold most gifts, the first of equals; `None` without any.
pub fn busiest_minute(arrivals: &[Arrival]) -> Option<Busiest> {
    let mut first = 0;
    let mut busiest = 0..0;
    for (last, arrival) in arrivals.iter().enumerate() {
        while arrivals[first].at + MINUTE <= arrival.at {
            first += 1;
        }
        if last + 1 - first > busiest.len() {
            busiest = first..last + 1;
        }
    }
    let from = arrivals.get(busiest.start)?.at;
    Some(Busiest {
        from,
        arrivals: busiest,
    })
}

/// A show and its stage while time passes.
struct Run {
    show: Show,
    catalog: Arc<Catalog>,
    acts: Acts,
    now: Moment,
    arrived: Vec<Moment>,
    waits: Vec<Option<Duration>>,
    answered: u64,
    /// Since when something is on screen.
    lit_since: Option<Moment>,
    lit: Duration,
    /// When the latest gift had come and the latest act had gone.
    over: Moment,
    most_waiting: usize,
}

impl Run {
    fn new(judge: &Judge, gifts: usize, rate: f64) -> Self {
        let settings = ShowSettings {
            rate,
            ..judge.settings.clone()
        };
        Self {
            show: Show::new(settings, judge.catalog.clone()),
            catalog: judge.catalog.clone(),
            acts: Acts::default(),
            now: Moment::ZERO,
            arrived: Vec::with_capacity(gifts),
            waits: vec![None; gifts],
            answered: 0,
            lit_since: None,
            lit: Duration::ZERO,
            over: Moment::ZERO,
            most_waiting: 0,
        }
    }

    /// Its number is the gift's id here: platforms reuse theirs within a streak,
    /// and the outcome has to find its arrival.
    fn offer(&mut self, number: usize, arrival: &Arrival) {
        self.arrived.push(self.now);
        self.over = self.now;
        let gift = Gift {
            id: number.to_string().into(),
            ..arrival.gift.clone()
        };
        self.show.offer(self.now, gift);
        self.settle();
        self.most_waiting = self.most_waiting.max(self.show.waiting());
    }

    /// Lets time pass from one event to the next, as far as there are any.
    fn pass_until(&mut self, end: Moment) {
        loop {
            let wake = self.show.next_wake(self.now);
            let next = [wake, self.acts.next_report()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            while let Some(report) = self.acts.report(self.now) {
                match report {
                    Report::Presented(act) => self.show.presented(self.now, act),
                    Report::Finished(act) => self.show.finished(self.now, act),
                }
            }
            self.settle();
        }
        if end < Moment::MAX {
            self.now = self.now.max(end);
        }
    }

    fn settle(&mut self) {
        while let Some(event) = self.show.poll(self.now) {
            match event {
                Event::Cue(Cue::Start(start)) => {
                    let recipe = self.catalog.recipe(&start.gift_type);
                    self.acts.start(self.now, &start, recipe);
                }
                Event::Cue(Cue::Climax { act, .. }) => self.acts.climax(self.now, act),
                // Growth and shrinking change no act's time, and the rest comes of
                // controls alone.
                Event::Cue(_) => {}
                Event::Outcome(outcome) => self.note(&outcome),
            }
        }
        if !self.acts.is_bare() {
            self.lit_since.get_or_insert(self.now);
        } else if let Some(since) = self.lit_since.take() {
            self.lit += self.now - since;
            self.over = self.now;
        }
    }

    fn note(&mut self, outcome: &Outcome) {
        let number: usize = outcome.gift.parse().expect("offer() numbered it");
        if outcome.verdict.is_rendered() {
            let wait = self.now - self.arrived[number];
            self.waits[number] = Some(wait);
            let is_folded = outcome.verdict == Verdict::JoinedBundle;
            self.answered += u64::from(wait <= PROMPT && !is_folded);
        }
    }

    fn end(self) -> Performance {
        debug_assert_eq!(self.show.undecided(), 0, "a gift has no outcome");
        Performance {
            waits: self.waits,
            answered: self.answered,
            endings: self.show.outcomes(),
            lit: self.lit,
            length: self.over,
            most_waiting: self.most_waiting,
        }
    }
}
