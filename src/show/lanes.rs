//! Places on stage: one headline, three features, and as many ambient bursts
//! as the rate asks for.

use std::time::Duration;

use crate::catalog::Lane;

/// The lanes, dearest first.
pub const LANES: [Lane; 3] = [Lane::Headline, Lane::Feature, Lane::Ambient];

const HEADLINE_PLACES: usize = 1;
const FEATURE_PLACES: usize = 3;
/// Besides a headline, whose the middle of the stage is. One that has begun there
/// before it plays on.
const FEATURES_BESIDE: usize = 2;

/// Fewer would make a quiet stream look empty between two bursts.
const AMBIENT_FEWEST: usize = 12;
/// More are not told apart by anyone, and cost a draw each.
const AMBIENT_MOST: usize = 60;

/// Shrunk streaks squeeze into a full ambient lane up to here; one bit each.
pub(super) const AMBIENT_LIMIT: usize = 128;

/// What an ambient act lasts until some have been seen.
const FIRST_GUESS_SECONDS: f64 = 3.0;

/// Over about how many acts the mean length is taken.
const MEAN_OVER: f64 = 32.0;

/// Where a lane stands in [`LANES`].
pub(super) fn index(lane: Lane) -> usize {
    match lane {
        Lane::Headline => 0,
        Lane::Feature => 1,
        Lane::Ambient => 2,
    }
}

/// Which places are taken.
#[derive(Debug)]
pub(super) struct Lanes {
    taken: [u128; 3],
    ambient_places: usize,
    mean_ambient_seconds: f64,
    rate: f64,
}

impl Lanes {
    pub fn new(rate: f64) -> Self {
        let mut lanes = Self {
            taken: [0; 3],
            ambient_places: AMBIENT_FEWEST,
            mean_ambient_seconds: FIRST_GUESS_SECONDS,
            rate,
        };
        lanes.set_rate(rate);
        lanes
    }

    /// `rate` acts a second that last `mean` seconds need `rate x mean` places
    /// (Little's law).
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
        let needed = (rate * self.mean_ambient_seconds).ceil() as usize;
        self.ambient_places = needed.clamp(AMBIENT_FEWEST, AMBIENT_MOST);
    }

    /// Learns how long ambient acts last when nothing presses.
    pub fn learn_ambient(&mut self, ordinary: Duration) {
        self.mean_ambient_seconds +=
            (ordinary.as_secs_f64() - self.mean_ambient_seconds) / MEAN_OVER;
        self.set_rate(self.rate);
    }

    pub fn places(&self, lane: Lane) -> usize {
        match lane {
            Lane::Headline => HEADLINE_PLACES,
            Lane::Feature => FEATURE_PLACES,
            Lane::Ambient => self.ambient_places,
        }
    }

    pub fn playing(&self, lane: Lane) -> usize {
        self.taken[index(lane)].count_ones() as usize
    }

    pub fn has_room(&self, lane: Lane) -> bool {
        let places = match lane {
            Lane::Feature if self.playing(Lane::Headline) > 0 => FEATURES_BESIDE,
            _ => self.places(lane),
        };
        self.playing(lane) < places
    }

    /// Takes the lowest free place, if the lane has room.
    pub fn take(&mut self, lane: Lane) -> Option<usize> {
        self.has_room(lane).then(|| self.lowest(lane)).flatten()
    }

    /// Takes an ambient place even where the lane is full.
    pub fn squeeze_in(&mut self) -> Option<usize> {
        self.lowest(Lane::Ambient)
    }

    pub fn leave(&mut self, lane: Lane, slot: usize) {
        self.taken[index(lane)] &= !(1 << slot);
    }

    pub fn is_taken(&self, lane: Lane, slot: usize) -> bool {
        self.taken[index(lane)] & (1 << slot) != 0
    }

    fn lowest(&mut self, lane: Lane) -> Option<usize> {
        let taken = &mut self.taken[index(lane)];
        let slot = taken.trailing_ones() as usize;
        (slot < AMBIENT_LIMIT).then(|| {
            *taken |= 1 << slot;
            slot
        })
    }
}
