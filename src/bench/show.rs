//! What the show costs with as much waiting as it takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use cpu_time::ThreadTime;

use super::measure::{Limit, RUNS, Row, micros};
use super::{Area, protocol};
use crate::catalog::Catalog;
use crate::cli::{Figure, find_catalog};
use crate::model::{Gift, Moment, Private};
use crate::show::{Cue, Event, MOST_WAITING, Show, ShowSettings};

pub const AREA: Area = Area {
    rows: &[OFFER, POLL],
    measure,
};

const OFFER: Row = Row {
    id: "show.offer",
    area: "show",
    name: "offer a gift with 10,000 waiting, amortised",
    unit: "us",
    limit: Limit::Below(2.0),
};

const POLL: Row = Row {
    id: "show.poll",
    area: "show",
    name: "poll with 10,000 waiting, amortised",
    unit: "us",
    limit: Limit::Below(2.0),
};

/// Offers of one run.
const OFFERS: usize = 20_000;
/// Frames of one run, each polled until there is nothing more to tell.
const FRAMES: usize = 6_000;
const FRAME: Duration = Duration::from_micros(16_667);
/// How long each act stays.
const PLAYS: Duration = Duration::from_secs(3);

fn measure() -> Result<Vec<Figure>> {
    let catalog = Arc::new(Catalog::load(&find_catalog(None)?)?);
    let (mut offers, mut polls) = (Vec::new(), Vec::new());
    for run in 1..=RUNS {
        let mut crowd = Crowd::new(catalog.clone());
        crowd.fill();
        ensure!(
            crowd.show.waiting() == MOST_WAITING,
            "only {} turns wait",
            crowd.show.waiting()
        );
        polls.push(crowd.poll());
        offers.push(crowd.offer());
        eprintln!(
            "  {run}/{RUNS}: offer {:.3} us, poll {:.3} us",
            offers[run - 1],
            polls[run - 1]
        );
    }
    Ok(vec![OFFER.median(offers), POLL.median(polls)])
}

/// A show with a full queue, and a stage that plays whatever it starts.
struct Crowd {
    show: Show,
    headline: f64,
    now: Moment,
    gifts: usize,
    playing: VecDeque<(Moment, crate::show::ActId)>,
}

impl Crowd {
    fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            headline: catalog.lanes.headline,
            show: Show::new(ShowSettings::default(), catalog),
            now: Moment::ZERO,
            gifts: 0,
            playing: VecDeque::new(),
        }
    }

    /// Somebody new gives something: cheap gifts, which are bundled once many
    /// wait, and dear ones, which never are.
    fn gift(&mut self) -> Gift {
        self.gifts += 1;
        let number = self.gifts;
        let mut gift = protocol::gift(number);
        gift.sender.user_id = Private(format!("user-{number}").into());
        gift.gift_type = format!("kind-{}", number % 12).into();
        gift.total_value = match number % 2 {
            0 => 1.0 + (number % 50) as f64,
            _ => self.headline * (1.0 + (number % 97) as f64),
        };
        gift
    }

    fn fill(&mut self) {
        while self.show.waiting() < MOST_WAITING && self.gifts < 10 * MOST_WAITING {
            let gift = self.gift();
            self.show.offer(self.now, gift);
        }
    }

    /// Microseconds of an offer to a full queue.
    fn offer(&mut self) -> f64 {
        let gifts: Vec<_> = (0..OFFERS).map(|_| self.gift()).collect();
        let start = ThreadTime::now();
        for gift in gifts {
            self.now += Duration::from_micros(100);
            self.show.offer(self.now, gift);
        }
        micros(start.elapsed()) / OFFERS as f64
    }

    /// Microseconds of a poll, whether it tells something or not.
    fn poll(&mut self) -> f64 {
        let mut spent = Duration::ZERO;
        let mut calls = 0_u32;
        let mut started = Vec::new();
        for _ in 0..FRAMES {
            self.now += FRAME;
            let start = ThreadTime::now();
            loop {
                calls += 1;
                match self.show.poll(self.now) {
                    Some(Event::Cue(Cue::Start(act))) => started.push(act.act),
                    Some(_) => {}
                    None => break,
                }
            }
            spent += start.elapsed();
            for act in started.drain(..) {
                self.show.presented(self.now, act);
                self.playing.push_back((self.now + PLAYS, act));
            }
            while let Some((_, act)) = self.playing.pop_front_if(|(end, _)| *end <= self.now) {
                self.show.finished(self.now, act);
            }
            self.fill();
        }
        micros(spent) / f64::from(calls)
    }
}
