//! How the stage is doing, for a backend that asked (`x-telemetry`).
//!
//! A stage at rest must not wake to say that it rests. So it speaks at most once
//! a second and only when something has changed since; what changed within that
//! second is told in one more frame after it, and then the stage sleeps.

use std::collections::VecDeque;
use std::time::Duration;

use bevy::prelude::*;

use super::director::Director;
use super::link::{LastEvent, StageLink};
use super::metrics::{Metrics, quantiles_of};
use crate::catalog::Lane;
use crate::model::{
    LaneCounts, Moment, OutcomeCounts, Private, Spread, Telemetry, WAITING_TOLD, WaitingGift,
};
use crate::show::{ActStart, Senders, Show, Upcoming};

/// Between two tellings.
const EVERY: Duration = Duration::from_secs(1);

/// Frames that lie further apart are no rate.
const SHORTEST_WINDOW: Duration = Duration::from_millis(500);

/// How far back waits are told.
const WAITS_OF: Duration = Duration::from_secs(60);

/// Starts of that time that are remembered: half a minute at the usual rate.
/// Beyond: the oldest is forgotten.
const MOST_WAITS: usize = 1_024;

/// Held gifts are told before others, so that they can be released however many
/// wait; but not in place of all others.
const HELD_TOLD: usize = WAITING_TOLD / 2;

/// What was told, and what was noticed since.
#[derive(Resource, Default)]
pub struct Reports {
    /// Whom it was told; 0 for nobody.
    connection: u64,
    told_at: Option<Moment>,
    is_due: bool,
    glance: Glance,
    window: Window,
    /// Frame times that were told.
    told_frames: u64,
    /// When acts started, and how long each had waited.
    waits: VecDeque<(Moment, Duration)>,
}

/// Frames in a row.
#[derive(Default)]
struct Window {
    since: Moment,
    latest: Moment,
    frames: u32,
}

/// As much of a show as tells whether anything has changed, at no cost.
#[derive(Debug, Default, PartialEq)]
struct Glance {
    offered: u64,
    outcomes: OutcomeCounts,
    waiting: usize,
    lanes: LaneCounts,
    switches: [bool; 3],
    volume: f32,
}

impl Glance {
    fn of(show: &Show) -> Self {
        Self {
            offered: show.offered(),
            outcomes: show.outcomes(),
            waiting: show.waiting(),
            lanes: lanes(show),
            switches: [show.is_paused(), show.is_quiet(), show.is_muted()],
            volume: show.volume(),
        }
    }
}

impl Window {
    fn frame(&mut self, now: Moment) {
        if now.saturating_sub(self.latest) > EVERY {
            self.begin(now);
        }
        self.latest = now;
        self.frames += 1;
    }

    fn begin(&mut self, now: Moment) {
        self.since = now;
        self.frames = 0;
    }

    fn rate(&self) -> f64 {
        let length = self.latest.saturating_sub(self.since);
        match length < SHORTEST_WINDOW {
            true => 0.0,
            false => f64::from(self.frames) / length.as_secs_f64(),
        }
    }
}

impl Reports {
    /// When the stage has something to tell that it may not tell yet.
    pub fn next_wake(&self) -> Option<Moment> {
        let told_at = self.told_at.filter(|_| self.is_due)?;
        Some(told_at + EVERY)
    }

    pub(super) fn started(&mut self, now: Moment, start: &ActStart) {
        if start.rehearsal {
            return;
        }
        if self.waits.len() >= MOST_WAITS {
            self.waits.pop_front();
        }
        let waited = now.saturating_sub(start.arrived);
        self.waits.push_back((now, waited));
    }

    /// Notes a frame; whether it is to be told.
    fn notice(&mut self, now: Moment, connection: u64, show: &Show, has_changed: bool) -> bool {
        self.window.frame(now);
        let glance = Glance::of(show);
        let is_new = std::mem::replace(&mut self.connection, connection) != connection;
        if connection == 0 {
            self.is_due = false;
            return false;
        }
        self.is_due |= is_new || has_changed || glance != self.glance;
        self.glance = glance;
        let may = self.told_at.is_none_or(|told| now >= told + EVERY);
        self.is_due && (is_new || may)
    }

    fn telemetry(&mut self, now: Moment, show: &mut Show, metrics: &Metrics) -> Telemetry {
        let (goal, goal_waiting) = show.report_goal(now).unzip();
        let oldest = now.saturating_sub(WAITS_OF);
        self.waits.retain(|(started, _)| *started >= oldest);
        let fresh = metrics.frame.pushed() - self.told_frames;
        let is_bare = self.glance.lanes == LaneCounts::default();
        Telemetry {
            frame_time: spread(metrics.frame.latest(fresh as usize).collect()),
            // What is drawn of an empty stage is its last clean frames.
            fps: if is_bare { 0.0 } else { self.window.rate() },
            lanes: self.glance.lanes,
            wait_time: spread(
                self.waits
                    .iter()
                    .map(|(_, waited)| millis(*waited))
                    .collect(),
            ),
            waiting: show.waiting() as u64,
            first_waiting: first_waiting(now, show),
            outcomes: self.glance.outcomes,
            is_paused: show.is_paused(),
            is_quiet: show.is_quiet(),
            is_muted: show.is_muted(),
            volume: show.volume(),
            goal,
            goal_waiting: goal_waiting.unwrap_or(0.0),
        }
    }

    fn was_told(&mut self, now: Moment, metrics: &Metrics) {
        self.is_due = false;
        self.told_at = Some(now);
        self.told_frames = metrics.frame.pushed();
        self.window.begin(now);
    }
}

/// Tells when it is time. What finds no room now is told in the next frame.
pub(super) fn tell(
    time: Res<Time<Real>>,
    mut director: ResMut<Director>,
    metrics: Res<Metrics>,
    last_event: Res<LastEvent>,
    link: Res<StageLink>,
    mut reports: ResMut<Reports>,
) {
    let now = time.elapsed();
    let has_changed = last_event.is_changed() || !director.is_bare();
    let connection = link.telemetry_wanted();
    if !reports.notice(now, connection, &director.show, has_changed) {
        return;
    }
    let telemetry = reports.telemetry(now, &mut director.show, &metrics);
    if link.tell(Box::new(telemetry)) {
        reports.was_told(now, &metrics);
    }
}

fn lanes(show: &Show) -> LaneCounts {
    LaneCounts {
        headline: show.playing(Lane::Headline) as u64,
        feature: show.playing(Lane::Feature) as u64,
        ambient: show.playing(Lane::Ambient) as u64,
    }
}

fn first_waiting(now: Moment, show: &Show) -> Vec<WaitingGift> {
    let mut held: Vec<_> = show.held().collect();
    held.sort_by_key(|turn| turn.arrived);
    held.truncate(HELD_TOLD);
    let others = show.upcoming().filter(|turn| !turn.held);
    let others = others.take(WAITING_TOLD - held.len());
    let told = others.chain(held);
    told.filter_map(|turn| waiting_gift(now, turn)).collect()
}

fn waiting_gift(now: Moment, turn: Upcoming) -> Option<WaitingGift> {
    let (sender, people) = match turn.by {
        Senders::One { name, .. } => (name, 1),
        Senders::Many(people) => (Private::default(), people),
    };
    Some(WaitingGift {
        gift: turn.gift?,
        gift_type: turn.gift_type,
        sender,
        people,
        quantity: turn.tally.quantity,
        is_held: turn.held,
        waited: now.saturating_sub(turn.arrived),
    })
}

fn millis(span: Duration) -> f32 {
    span.as_secs_f32() * 1e3
}

/// Of milliseconds, to the microsecond.
fn spread(values: Vec<f32>) -> Spread {
    let [p50, p95] = quantiles_of(values, [0.5, 0.95])
        .map(|ms| Duration::from_micros((f64::from(ms) * 1e3).round() as u64));
    Spread { p50, p95 }
}
