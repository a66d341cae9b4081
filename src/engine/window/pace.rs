//! When the window system draws the next frame, and what the last one cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy::time::TimeSystems;
use bevy::winit::{UpdateMode, WinitSettings};

use crate::engine::wake::Alarm;
use crate::output::ObsPace;

/// An idle loop that is going to wake at most this much too early is left
/// asleep: each new waiting time costs two frames.
const CLOSE_ENOUGH: Duration = Duration::from_millis(50);

pub(in crate::engine) struct PacePlugin;

impl Plugin for PacePlugin {
    fn build(&self, app: &mut App) {
        let cost = FrameCost::default();
        app.insert_resource(cost.clone())
            .add_systems(First, begin_frame.before(TimeSystems));
        if let Some(render_app) = app.get_sub_app_mut(RenderApp) {
            render_app
                .insert_resource(cost)
                .add_systems(Render, note_cost.after(RenderSystems::PostCleanup));
        }
    }
}

/// What the last frame cost from its first system to its last, shared between
/// the worlds.
#[derive(Resource, Clone)]
struct FrameCost(Arc<Times>);

struct Times {
    /// What the others count from.
    base: Instant,
    /// Nanoseconds.
    started: AtomicU64,
    /// Nanoseconds; 0 once it has been read.
    cost: AtomicU64,
}

impl Default for FrameCost {
    #[expect(clippy::disallowed_methods, reason = "a frame's cost is real time")]
    fn default() -> Self {
        Self(Arc::new(Times {
            base: Instant::now(),
            started: AtomicU64::new(0),
            cost: AtomicU64::new(0),
        }))
    }
}

fn nanos(base: Instant) -> u64 {
    u64::try_from(base.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn begin_frame(cost: Res<FrameCost>, pace: Option<ResMut<Pace>>) {
    cost.0.started.store(nanos(cost.0.base), Ordering::Relaxed);
    if let Some(mut pace) = pace {
        pace.begin(&cost);
    }
}

fn note_cost(cost: Res<FrameCost>) {
    let started = cost.0.started.load(Ordering::Relaxed);
    let cost_of_it = nanos(cost.0.base).saturating_sub(started).max(1);
    cost.0.cost.store(cost_of_it, Ordering::Relaxed);
}

/// When frames come.
#[derive(Resource)]
pub(in crate::engine) struct Pace {
    /// The stage's own time between two frames.
    own: Duration,
    /// What OBS says in its place.
    obs: ObsPace,
    /// Of those frames, every how many-th is drawn.
    pub(in crate::engine) every: u32,
    alarm: Alarm,
    started: Instant,
    last_cost: Option<Duration>,
    /// When the loop was last told to wake; `None` while frames come at their
    /// rate.
    wake: Option<Instant>,
}

impl Pace {
    #[expect(clippy::disallowed_methods, reason = "the frame loop owns its clock")]
    pub(in crate::engine) fn new(own: Duration, obs: ObsPace, alarm: Alarm) -> Self {
        Self {
            own,
            obs,
            every: 1,
            alarm,
            started: Instant::now(),
            last_cost: None,
            wake: None,
        }
    }

    fn begin(&mut self, cost: &FrameCost) {
        // Before the link is drained: what arrives later rings again.
        self.alarm.heard();
        let times = &cost.0;
        self.started = times.base + Duration::from_nanos(times.started.load(Ordering::Relaxed));
        let last = times.cost.swap(0, Ordering::Relaxed);
        self.last_cost = (last > 0).then(|| Duration::from_nanos(last));
    }

    /// Between two frames, if every one is drawn.
    pub(in crate::engine) fn period(&self) -> Duration {
        self.obs.period(self.own)
    }

    /// Wakes the loop.
    pub(in crate::engine) fn alarm(&self) -> Alarm {
        self.alarm.clone()
    }

    /// When this frame began.
    pub(in crate::engine) fn started(&self) -> Instant {
        self.started
    }

    /// What the frame before this one cost.
    pub(in crate::engine) fn last_cost(&self) -> Option<Duration> {
        self.last_cost
    }

    /// Sleeps until `wake` unless something happens, or goes on at its rate.
    pub(in crate::engine) fn next(&mut self, wake: Option<Instant>, settings: &mut WinitSettings) {
        let wait = wake.map_or(self.period() * self.every, |at| {
            at.saturating_duration_since(self.started)
        });
        self.obs.rests(wait);
        let mode = match (wake, self.wake) {
            (Some(at), Some(told)) if is_close_enough(at, told, self.started) => return,
            (Some(_), _) => UpdateMode::Reactive {
                wait,
                react_to_device_events: false,
                react_to_user_events: true,
                react_to_window_events: true,
            },
            // Frames come soon enough for keys and for what arrives: a mouse
            // over the window must not draw a thousand of them a second.
            (None, _) => UpdateMode::Reactive {
                wait,
                react_to_device_events: false,
                react_to_user_events: false,
                react_to_window_events: false,
            },
        };
        self.wake = wake;
        if settings.focused_mode != mode {
            settings.focused_mode = mode;
            settings.unfocused_mode = mode;
        }
    }
}

/// Whether a loop that will wake at `told` need not be told to wake at `at`.
fn is_close_enough(at: Instant, told: Instant, now: Instant) -> bool {
    told > now && told <= at + CLOSE_ENOUGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> (Pace, WinitSettings) {
        let period = Duration::from_millis(16);
        (
            Pace::new(period, ObsPace::default(), Alarm::of_this_thread()),
            WinitSettings::default(),
        )
    }

    fn wait(settings: &WinitSettings) -> Duration {
        assert_eq!(settings.focused_mode, settings.unfocused_mode);
        match settings.focused_mode {
            UpdateMode::Reactive { wait, .. } => wait,
            UpdateMode::Continuous => Duration::ZERO,
        }
    }

    #[test]
    fn an_idle_loop_is_told_once_and_again_when_it_must_wake_earlier() {
        let (mut pace, mut settings) = pace();
        let begun = pace.started;
        let second = Duration::from_secs(1);
        pace.next(Some(begun + second * 60), &mut settings);
        assert_eq!(wait(&settings), second * 60);
        // The next frames see the same distance from a later time.
        pace.started += second;
        pace.next(Some(pace.started + second * 60), &mut settings);
        assert_eq!(wait(&settings), second * 60);
        pace.next(Some(pace.started + second * 3), &mut settings);
        assert_eq!(wait(&settings), second * 3);
        pace.started += second * 3;
        pace.next(Some(pace.started + second * 60), &mut settings);
        assert_eq!(wait(&settings), second * 60);
    }

    #[test]
    fn a_busy_loop_keeps_its_period() {
        let (mut pace, mut settings) = pace();
        pace.next(None, &mut settings);
        assert_eq!(wait(&settings), pace.period());
        pace.next(Some(pace.started + Duration::from_secs(9)), &mut settings);
        pace.next(None, &mut settings);
        assert_eq!(wait(&settings), pace.period());
    }
}
